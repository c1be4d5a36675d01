"""What is left in the memory of a real server after it was sealed. Only root can look, from beside it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.process.beside import all_of, copies
from tests.processes import ServerProcess, running_server, start_server, wait_until

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


@pytest.mark.parametrize("extra", ["", "workers = 2\n"], ids=["one process", "two processes"])
def test_what_a_ceremony_showed_is_overwritten_in_every_thread_of_every_process(tmp_path: Path, extra: str) -> None:
    with running_server(tmp_path / "server", extra=extra) as server:
        share = (server.folder / "unseal-key").read_text()
        begun = server.call("PUT", "sys/rekey/init", {"secret_shares": 10, "secret_threshold": 2}).body
        assert begun is not None
        made = server.call("PUT", "sys/rekey/update", {"key": share, "nonce": begun["nonce"]}).body
        assert made is not None
        texts = [one.encode() for one in (*made["keys"], *made["keys_base64"])]
        if not counted(server, texts):
            pytest.skip("nothing is left to be overwritten")
        assert server.call("PUT", "sys/seal").status == 204
        wait_until(lambda: counted(server, texts) <= TEXTS_MOST, seconds=20)


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
