from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from tests.kit import SeededEntropy

from strongroom.agent.proxy.cache import ENTRY_BYTES_MAX, Cache, Entry
from strongroom.agent.proxy.caching import found_in
from strongroom.agent.proxy.calls import Call
from strongroom.client.http1 import Answer

CALL = Call("POST", "/v1/auth/approle/login", "auth/approle/login", (("content-type", "application/json"),), "", b"{}")


def entry(
    cache: Cache, name: str, size: int = 10, *, asked_with: str = "", token: str = "", life: float = 100
) -> Entry:
    tag = cache.tag
    return Entry(
        key=tag(f"request {name}"),
        path=name,
        headers=(),
        body=bytearray(b"x" * size),
        asked_with=tag(asked_with),
        made_at=0,
        lifetime=life,
        renewed_at=0,
        confirmed_at=0,
        token=tag(token) if token else b"",
    )


def test_the_least_recently_used_goes_first_and_is_overwritten() -> None:
    cache = Cache(SeededEntropy(), entries_max=2)
    first, second, third = (entry(cache, name) for name in "abc")
    cache.put(first)
    cache.put(second)
    assert cache.find(first.key, 1)
    cache.put(third)
    assert {one.path for one in cache.entries()} == {"a", "c"}
    assert second.body == bytes(10)


def test_all_bodies_together_have_a_bound() -> None:
    cache = Cache(SeededEntropy(), bytes_max=100)
    for number in range(30):
        cache.put(entry(cache, str(number), 40))
        assert cache.size <= 100
    assert len(cache) == 2


def test_a_large_answer_is_not_kept_and_is_overwritten() -> None:
    cache = Cache(SeededEntropy())
    large = entry(cache, "a", ENTRY_BYTES_MAX + 1)
    cache.put(large)
    assert (len(cache), set(large.body)) == (0, {0})


def test_what_hangs_on_a_token_goes_with_it_over_any_number_of_generations() -> None:
    cache = Cache(SeededEntropy())
    tokens = ["root", *(f"t{number}" for number in range(50))]
    for parent, child in itertools.pairwise(tokens):
        cache.put(entry(cache, child, asked_with=parent, token=child))
    cache.put(entry(cache, "other", asked_with="another"))
    assert cache.evict_token(cache.tag("t0")) == 50
    assert [one.path for one in cache.entries()] == ["other"]


def test_a_token_that_is_its_own_parent_ends_the_search() -> None:
    cache = Cache(SeededEntropy())
    cache.put(entry(cache, "a", asked_with="t", token="t"))
    cache.put(entry(cache, "b", asked_with="u", token="t"))
    cache.put(entry(cache, "c", asked_with="t", token="u"))
    assert cache.evict_token(cache.tag("t")) == 3


@given(st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=3)), min_size=2, max_size=2, unique=True))
def test_two_requests_have_two_names(pair: list[tuple[str, bytes]]) -> None:
    cache = Cache(SeededEntropy())
    keys = {cache.key(CALL._replace(target=f"/v1/{text}", body=body), "t") for text, body in pair}
    assert len(keys) == 2


def test_every_part_of_a_request_is_in_its_name_and_the_name_tells_none_of_them() -> None:
    cache = Cache(SeededEntropy())
    calls = [
        CALL,
        CALL._replace(method="PUT"),
        CALL._replace(target="/v1/auth/approle/login?a=b"),
        CALL._replace(headers=(("content-type", "application/jso"), ("n", ""))),
        CALL._replace(body=b"{} "),
    ]
    keys = {cache.key(call, token) for call in calls for token in ("", "t")}
    assert len(keys) == 10
    assert cache.key(CALL, "t") != Cache(SeededEntropy("another")).key(CALL, "t")


@given(st.binary(max_size=200) | st.text(max_size=50).map(lambda text: f'{{"auth": {text}}}'.encode()))
def test_no_answer_of_a_server_breaks_the_search_for_a_lease(body: bytes) -> None:
    assert found_in(Answer(200, {}, body)) is None
