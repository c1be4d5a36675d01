"""The development server says what is wrong, in a sentence."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from strongroom.server import dev


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:99999", "192.0.2.1:8200", ":8200x"])
def test_an_address_where_it_may_not_listen_is_explained(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert dev.run(listen_address=address, store_token=False, data_folder=str(tmp_path / "data")) == 1
    assert "like 127.0.0.1:8200; one that others can reach needs -dev-tls" in capsys.readouterr().err


def test_an_address_that_is_in_use_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        assert dev.run(listen_address=address, store_token=False, data_folder=str(tmp_path / "data")) == 1
    assert f"cannot listen on {address}: Address already in use" in capsys.readouterr().err
