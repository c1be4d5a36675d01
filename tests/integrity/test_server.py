"""The real server: it inspects its store from the unseal on, moves its anchor, and is not fooled by an older store."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tests.processes import running_server, start_server, wait_until


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_inspects_its_store_and_refuses_an_older_one(tmp_path: Path, workers: int) -> None:
    folder, anchor = tmp_path / "server", tmp_path / "anchor"
    extra = f'integrity_anchor = "{anchor}"\nworkers = {workers}\n'
    with running_server(folder, extra=extra) as server:
        assert server.call("POST", "sys/mounts/kv", {"type": "kv"}).status == 204
        for number in range(60):
            assert server.call("POST", f"kv/s{number % 7}", {"value": str(number)}).status == 204
        wait_until(lambda: server.call("GET", "sys/integrity").data["state"] == "intact", process=server.process)
        data = server.call("GET", "sys/integrity").data
        # A first unseal finds no anchor; that was said, and is no finding of the inspection.
        assert data["inspection"]["records"] > 10
        assert server.stop() == 0
        older = tmp_path / "older"
        shutil.copytree(folder / "data", older)
        counter = json.loads(anchor.read_text())["counter"]
        assert counter >= 60
        key = (folder / "unseal-key").read_text()
        with_newer = start_server(folder, extra=extra)
        try:
            assert with_newer.call("PUT", "sys/unseal", {"key": key}).status == 200
            with_newer.token = server.token
            assert with_newer.call("POST", "kv/s1", {"value": "newer"}).status == 204
            assert with_newer.stop() == 0
            assert json.loads(anchor.read_text())["counter"] > counter
            shutil.rmtree(folder / "data")
            older.rename(folder / "data")
            rolled_back = start_server(folder, extra=extra)
            try:
                refused = rolled_back.call("PUT", "sys/unseal", {"key": key})
                assert refused.status == 400
                assert "older" in refused.errors[0]
                assert rolled_back.call("GET", "sys/seal-status").body["sealed"] is True  # type: ignore[index] # it has one
                assert "older" in rolled_back.log
            finally:
                rolled_back.kill()
        finally:
            if with_newer.process.poll() is None:
                with_newer.kill()
