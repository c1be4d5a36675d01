from __future__ import annotations

import os

from tests.alone import alone

from strongroom.http.visitors import Bounds, Visitors


def test_an_address_has_its_number_and_all_together_have_theirs() -> None:
    visitors = Visitors(Bounds(connections=3, connections_per_address=2))
    assert [visitors.admit("192.0.2.1") for _ in range(3)] == [True, True, False]
    assert [visitors.admit("192.0.2.2") for _ in range(2)] == [True, False]
    visitors.refuse()
    assert (visitors.open, visitors.refused) == (3, 1)
    visitors.leave("192.0.2.1")
    assert visitors.admit("192.0.2.2")
    assert not visitors.admit("192.0.2.1")


def test_a_unix_socket_has_only_the_total() -> None:
    visitors = Visitors(Bounds(connections=3, connections_per_address=1))
    assert [visitors.admit("") for _ in range(4)] == [True, True, True, False]


def test_whoever_is_gone_takes_no_place() -> None:
    visitors = Visitors(Bounds(connections=16, connections_per_address=1))
    for number in range(5000):
        assert visitors.admit(f"192.0.2.{number}")
        visitors.leave(f"192.0.2.{number}")
    assert (visitors.open, visitors.refused) == (0, 0)


def admit_or_refuse(visitors: Visitors) -> bool:
    if visitors.admit("192.0.2.1"):
        return True
    visitors.refuse()
    return False


@alone
def test_bounds_hold_over_all_processes() -> None:
    visitors = Visitors(Bounds(connections=100, connections_per_address=10), processes=2)
    pid = os.fork()
    if pid == 0:
        os._exit(sum(admit_or_refuse(visitors) for _ in range(20)))
    ours = sum(admit_or_refuse(visitors) for _ in range(20))
    theirs = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert ours + theirs == visitors.open == 10
    assert visitors.refused == 30
