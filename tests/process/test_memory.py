"""What is left in the memory of a real server after it was sealed. Only root can look, from beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.process.beside import all_of, copies
from tests.processes import ServerProcess, start_server, wait_until

TEXTS_MOST = 2
"""Copies of each form of a written share that may be left in freed memory; mostly there are none. See docs/threat-model.md."""


@pytest.mark.parametrize("extra", ["", "workers = 2\n"], ids=["one process", "two processes"])
def test_no_share_is_left_in_the_memory_of_a_sealed_server(
    tmp_path: Path, extra: str, record_property: Callable[[str, object], None]
) -> None:
    server = start_server(tmp_path / "server", extra=extra)
    try:
        shares, found = unsealed_and_sealed(server)
        assert found["unsealed"] >= 1, "the search must be able to find a share that is collected"
        assert found["sealed"] == 0
        record_property("copies of the written shares", found)
        assert max(found["hex"], found["base64"]) <= TEXTS_MOST * len(shares)
    finally:
        server.kill()


def unsealed_and_sealed(server: ServerProcess) -> tuple[list[str], dict[str, int]]:
    """The shares, and how often they were found in all processes."""
    first = server.call("PUT", "sys/init", {"secret_shares": 5, "secret_threshold": 3}).body
    assert first is not None
    server.token = first["root_token"]
    shares = [bytearray.fromhex(share) for share in first["keys"]]
    found = {}
    server.call("PUT", "sys/unseal", {"key": first["keys"][0]})
    server.call("PUT", "sys/unseal", {"key": first["keys_base64"][1]})
    found["unsealed"] = counted(server, shares)
    assert server.call("PUT", "sys/unseal", {"key": first["keys"][2]}).status == 200
    for number in range(10):
        assert server.call("POST", f"cubbyhole/{number}", {"value": "x"}).status == 204
    assert server.call("POST", "sys/rotate").status in {200, 204}
    assert server.call("PUT", "sys/seal").status == 204
    found["sealed"] = counted(server, shares)
    # What was freed is overwritten right after the answer.
    with contextlib.suppress(AssertionError):
        wait_until(
            lambda: not counted(server, [first["keys"][0].encode(), first["keys_base64"][0].encode()]), seconds=2
        )
    found["hex"] = counted(server, [share.encode() for share in first["keys"]])
    found["base64"] = counted(server, [share.encode() for share in first["keys_base64"]])
    return first["keys"], found


def counted(server: ServerProcess, wanted: list[bytearray] | list[bytes]) -> int:
    try:
        return sum(copies(pid, one) for pid in all_of(server.process.pid) for one in wanted)
    except PermissionError:
        pytest.skip("only root can look into the memory of the server")
