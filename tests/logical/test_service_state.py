from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.kit import JumpingClock

from strongroom.logical.service_state import NOBODY, VARIABLE, ServiceState

Listening = Callable[[str], socket.socket]


@pytest.fixture
def listening() -> Iterator[Listening]:
    """A service manager's socket at an address as ``NOTIFY_SOCKET`` names it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as taken:
        taken.settimeout(10)

        def listen(address: str) -> socket.socket:
            taken.bind("\0" + address[1:] if address.startswith("@") else address)
            return taken

        yield listen


def manager(address: str) -> ServiceState:
    return ServiceState({VARIABLE: address}, JumpingClock())


@pytest.mark.parametrize("is_abstract", [False, True])
def test_it_is_told_at_a_path_and_at_an_abstract_address(
    listening: Listening,
    tmp_path: Path,
    is_abstract: bool,  # noqa: FBT001 -- a case
) -> None:
    address = f"@{tmp_path.name}/notify" if is_abstract else str(tmp_path / "notify")
    taken = listening(address)
    told = manager(address)
    told.ready()
    told.reloading()
    told.stopping()
    said = [taken.recv(1024).decode() for _ in range(3)]
    assert said == ["READY=1", "RELOADING=1\nMONOTONIC_USEC=1000000000", "STOPPING=1"]


@pytest.mark.parametrize("address", ["", "relative", "@", "vsock:2:1", "/nowhere/at/all", "/" + "x" * 200, "/a\0b"])
def test_nobody_and_an_address_that_is_none_are_no_trouble(address: str) -> None:
    manager(address).ready()
    NOBODY.ready()


def test_a_socket_that_nobody_reads_holds_nothing_up(listening: Listening, tmp_path: Path) -> None:
    listening(str(tmp_path / "notify")).setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    told = manager(str(tmp_path / "notify"))
    for _ in range(3):
        told.stopping()
