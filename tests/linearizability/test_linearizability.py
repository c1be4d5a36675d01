"""R-13: check-and-set of two processes over one store is linearizable, through a seal and a kill."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.linearizability.run import run

SECRETS = 20
OPERATIONS = 500


@pytest.mark.timeout(300)
def test_every_history_of_eight_clients_and_two_processes_has_an_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = int.from_bytes(os.urandom(4), "big")
    summary = run(tmp_path / "vault", secrets=SECRETS, operations=OPERATIONS, seed=seed)

    with capsys.disabled():
        print(f"\n{summary.line}")  # noqa: T201 -- the figure that this test is for
    assert (summary.histories, summary.operations) == (SECRETS, SECRETS * OPERATIONS)
    assert summary.is_good, f"seed {seed}"
