from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from strongroom.http.holdings import Holdings


@dataclass(eq=False)
class Client:
    """Has something kept until it lets go."""

    holdings: Holdings = field(repr=False)
    address: str
    can_let_go: bool = True
    has_let_go: bool = False

    def let_go(self) -> None:
        self.has_let_go = True
        self.holdings.keep(self, 0)


def test_whoever_keeps_most_lets_go_and_not_whoever_comes_next() -> None:
    holdings = Holdings(100)
    greedy, modest = Client(holdings, "a"), Client(holdings, "b")
    holdings.keep(greedy, 90)
    holdings.keep(modest, 20)
    holdings.make_room()
    assert (greedy.has_let_go, modest.has_let_go) == (True, False)


def test_an_address_is_judged_by_all_that_it_keeps() -> None:
    holdings = Holdings(100)
    small = [Client(holdings, "a") for _ in range(10)]
    for one in small:
        holdings.keep(one, 9)
    large = Client(holdings, "b")
    holdings.keep(large, 20)
    holdings.make_room()
    assert not large.has_let_go
    assert [one.has_let_go for one in small].count(True) == 2


def test_nobody_lets_go_of_what_is_being_worked_on() -> None:
    holdings = Holdings(10)
    busy = Client(holdings, "a", can_let_go=False)
    holdings.keep(busy, 20)
    holdings.make_room()
    assert not busy.has_let_go
    arriving = Client(holdings, "b")
    holdings.keep(arriving, 1)
    holdings.make_room()
    assert arriving.has_let_go


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 9), st.integers(0, 40)), max_size=60))
def test_no_more_is_ever_kept_than_the_bound_and_the_sum_is_right(steps: list[tuple[str, int, int]]) -> None:
    holdings = Holdings(100)
    clients: dict[tuple[str, int], Client] = {}
    for address, number, count in steps:
        client = clients.setdefault((address, number), Client(holdings, address))
        client.has_let_go = False
        holdings.keep(client, count)
        holdings.make_room()
        assert holdings.total <= 100
    for client in clients.values():
        holdings.keep(client, 0)
    assert holdings.total == 0
