"""Asking a server: what is found, what either side is shown, and what a hostile answer does."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.kit import JumpingClock, SeededEntropy
from tests.scanner.known.conftest import Look, held, said

from strongroom.scanner.known.answering import SCAN_SECONDS, Answerer
from strongroom.scanner.known.asking import ServerValues
from strongroom.scanner.known.held import Held, strings_for
from strongroom.scanner.known.messages import BadMessage
from strongroom.scanner.known.values import CannotAsk, Holder, digest_of

PASSWORD = b"Tr0ub4dor-and-3-more"
OTHER = b"an0ther-Valu3-of-ours"
Change = Callable[[dict[str, Any]], Any]


def table(values: list[Held]) -> dict[bytes, tuple[Holder, ...]]:
    return {digest_of(form): (one.holder,) for one in values for form in strings_for(one.value)}


class Loop:
    """A server in this process, which writes down all that passes."""

    def __init__(self, values: list[Held], *, sees: bool = True) -> None:
        self.clock = JumpingClock()
        self.answerer = Answerer(lambda: table(values), self.clock, SeededEntropy("loop"))
        self.passed: list[bytes] = []
        self.names: list[str] = []
        self.change: dict[str, Change] = {}
        self.sees = sees

    def send(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        request = json.dumps(body)
        answer = self.answerer.answer(name, json.loads(request), "caller", lambda _: self.sees)
        text = json.dumps(answer)
        self.passed += [request.encode(), text.encode()]
        self.names.append(name)
        result: Any = json.loads(text)
        if name in self.change:
            result = self.change[name](result)
        return cast("Mapping[str, Any]", result)

    def forked(self) -> None:
        pass


def test_a_value_is_found_with_the_secret_that_holds_it(scan_for: Look) -> None:
    known = ServerValues(Loop(held(PASSWORD)))

    (hit,) = scan_for(known, b"x = '" + PASSWORD + b"'\n")

    assert hit.reasons == ("it is version 1 (the current one) of secret/app1, key PASSWORD",)


def test_who_may_not_know_the_secret_hears_only_that_it_is_one(scan_for: Look) -> None:
    known = ServerValues(Loop(held(PASSWORD), sees=False))

    assert said(scan_for(known, b"x = '" + PASSWORD + b"'\n")) == {"it is a secret of ours"}


def test_prefixes_are_asked_once_and_halves_only_of_what_may_be_ours(scan_for: Look) -> None:
    loop = Loop(held(PASSWORD))
    known = ServerValues(loop)
    text = b"\n".join(b"word_number_%d = call(%d)" % (number, number) for number in range(2000)) + b"\n" + PASSWORD

    scan_for(known, text)
    before = list(loop.names)
    scan_for(known, text)

    assert loop.names == before == ["open", "look", "prove"]
    assert known.looked > 4000
    assert known.shown <= 2


def canaries(value: bytes) -> dict[str, bytes]:
    """What could tell a value, or the hash of it that anybody can make, to whoever listens; each in eight encodings."""
    made: dict[str, bytes] = {}
    for name, data in (
        ("value", value),
        *((kind, hashlib.new(kind, value).digest()) for kind in ("sha256", "sha1", "md5")),
    ):
        made |= {
            f"{name} as it is": data,
            f"{name} in hex": data.hex().encode(),
            f"{name} in large hex": data.hex().upper().encode(),
            f"{name} in base64": base64.b64encode(data)[:-4],
            f"{name} in base64 from 1": base64.b64encode(b"x" + data)[4:-4],
            f"{name} in base64 from 2": base64.b64encode(b"xx" + data)[4:-4],
            f"{name} in base64 for addresses": base64.urlsafe_b64encode(data)[:-4],
            f"{name} backwards": data[::-1],
            f"first half of {name}": data[: max(8, len(data) // 2)],
        }
    return made


def test_nothing_that_passes_holds_a_value_or_a_hash_that_anybody_could_make(scan_for: Look) -> None:
    loop = Loop(held(PASSWORD, OTHER))
    scan_for(ServerValues(loop), b"x = '" + PASSWORD + b"'\ny = not_ours_at_all_12345\n")

    decoded = [
        base64.b64decode(text)
        for one in loop.passed
        for text in re.findall(rb'"([A-Za-z0-9+/=]{4,})"', one)
        if len(text) % 4 == 0
    ]
    for value in (PASSWORD, OTHER, b"not_ours_at_all_12345"):
        for name, canary in canaries(value).items():
            assert not [one for one in [*loop.passed, *decoded] if canary in one], name


def test_a_scan_key_is_never_used_again_and_a_scan_belongs_to_its_caller() -> None:
    loop = Loop(held(PASSWORD))
    opening = {"version": 1, "forms": 1}
    first = loop.answerer.answer("open", opening, "one", lambda _: True)
    loop.clock.jump(SCAN_SECONDS)
    second = loop.answerer.answer("open", opening, "one", lambda _: True)
    asked = {"version": 1, "scan": second["scan"], "prefixes": ""}

    assert first["key"] != second["key"]
    assert loop.answerer.answer("look", asked, "other", lambda _: True) == {"version": 1, "expired": True}
    assert loop.answerer.answer("look", asked, "one", lambda _: True)["looked"] == 0


def test_a_scan_that_expires_goes_on_under_another_key(scan_for: Look) -> None:
    loop = Loop(held(PASSWORD))
    known = ServerValues(loop)
    scan_for(known, b"x = 'nothing-1-here'\n")
    loop.clock.jump(SCAN_SECONDS)

    assert said(scan_for(known, b"x = '" + PASSWORD + b"'\n"))
    assert loop.names.count("open") == 2


def test_a_scan_that_expires_again_and_again_ends() -> None:
    loop = Loop(held(PASSWORD))
    known = ServerValues(loop)
    loop.change["look"] = lambda _: {"version": 1, "expired": True}

    with pytest.raises(CannotAsk, match="ended the question"):
        known.ask([digest_of(PASSWORD)])


def _set(name: str, value: Any) -> Change:
    def change(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, name: value}

    return change


def _in_known(name: str, value: Any) -> Change:
    def change(answer: dict[str, Any]) -> dict[str, Any]:
        changed = copy.deepcopy(answer)
        changed["known"][0][name] = value
        return changed

    return change


HOSTILE: list[tuple[str, Change]] = [
    ("open", _set("version", 2)),
    ("open", _set("version", True)),
    ("open", _set("forms", 2)),
    ("open", _set("prefix_bytes", 32)),
    ("open", _set("key", "")),
    ("open", _set("key", "AAAA")),
    ("open", _set("key", None)),
    ("open", _set("scan", "../../x")),
    ("open", _set("scan", "")),
    ("open", lambda _: []),
    ("open", lambda _: {}),
    ("look", _set("looked", 0)),
    ("look", _set("looked", True)),
    ("look", _set("found", "AAAA")),
    ("look", _set("found", "!!!!")),
    ("look", _set("found", "AA==")),
    ("look", _set("found", "AAAAAAAA")),
    ("look", _set("found", "A" * 1000)),
    ("look", _set("found", 7)),
    ("prove", _set("looked", 2)),
    ("prove", _set("known", None)),
    ("prove", _set("known", [7])),
    ("prove", lambda answer: {**answer, "known": answer["known"] * 2}),
    ("prove", _in_known("at", 1)),
    ("prove", _in_known("at", -1)),
    ("prove", _in_known("at", True)),
    ("prove", _in_known("proof", base64.b64encode(bytes(16)).decode())),
    ("prove", _in_known("proof", "")),
    ("prove", _in_known("holders", None)),
    ("prove", _in_known("holders", [{}] * 1000)),
    ("prove", _in_known("holders", [{"place": "", "key": "", "version": 1, "is_current": None}])),
    ("prove", _in_known("holders", [{"place": "x" * 5000, "key": "", "version": 1, "is_current": None}])),
    ("prove", _in_known("holders", [{"place": "x", "key": "", "version": -1, "is_current": None}])),
    ("prove", _in_known("holders", [{"place": "x", "key": "", "version": 1, "is_current": "yes"}])),
]


@pytest.mark.parametrize(("name", "change"), HOSTILE)
def test_an_answer_that_is_not_as_agreed_ends_the_question(name: str, change: Change) -> None:
    loop = Loop(held(PASSWORD))
    loop.change[name] = change

    with pytest.raises(CannotAsk, match="as agreed"):
        ServerValues(loop).ask([digest_of(PASSWORD)])


def test_a_server_that_says_perhaps_to_everything_is_shown_nothing() -> None:
    loop = Loop(held(PASSWORD))
    known = ServerValues(loop)

    def perhaps(answer: dict[str, Any]) -> dict[str, Any]:
        return {**answer, "found": json.loads(loop.passed[-2])["prefixes"]}

    loop.change["look"] = perhaps

    with pytest.raises(CannotAsk, match="nothing was shown"):
        known.ask([digest_of(b"%d" % number) for number in range(5000)])
    assert known.shown == 0


QUESTIONS = [
    ("open", {"version": 1, "forms": 7}),
    ("open", {"forms": 1}),
    ("look", {"version": 1, "scan": 7}),
    ("look", {"version": 1, "scan": "", "prefixes": ""}),
    ("look", {"version": 1, "prefixes": "AAAA"}),
    ("look", {"version": 1, "prefixes": "AAA"}),
    ("look", {"version": 1, "prefixes": "AAAAAAAA"}),
    ("look", {"version": 1, "prefixes": "AAAA" * 70_000}),
    ("look", {"version": 1, "prefixes": ["AAAA"]}),
    ("prove", {"version": 1, "digests": "AAAA"}),
    ("prove", {"version": 1, "digests": None}),
    ("guess", {"version": 1}),
]


@pytest.mark.parametrize(("name", "message"), QUESTIONS[2:])
def test_a_question_that_is_not_as_agreed_is_refused(name: str, message: dict[str, Any]) -> None:
    loop = Loop(held(PASSWORD))
    scan = loop.answerer.answer("open", {"version": 1, "forms": 1}, "caller", lambda _: True)["scan"]
    if name == "look" and message.get("prefixes") == "AAAA":
        message = {**message, "version": 3}

    with pytest.raises(BadMessage):
        loop.answerer.answer(name, {"scan": scan, **message}, "caller", lambda _: True)


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from(["open", "look", "prove"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("AAAA"),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["version", "scan", "known", "found", "key", "looked"]), inner, max_size=4
            )
        ),
        max_leaves=10,
    ),
)
def test_whatever_a_server_says_the_question_ends_in_one_way(name: str, answer: Any) -> None:
    loop = Loop(held(PASSWORD))
    loop.change[name] = lambda _: answer

    with pytest.raises(CannotAsk):
        ServerValues(loop).ask([digest_of(PASSWORD)])


def test_a_scan_may_ask_only_so_much() -> None:
    loop = Loop(held(PASSWORD))
    scan = loop.answerer.answer("open", {"version": 1, "forms": 1}, "caller", lambda _: True)["scan"]
    loop.answerer._scans[scan].prefixes_left = 1

    with pytest.raises(BadMessage, match="too many"):
        loop.answerer.answer("look", {"version": 1, "scan": scan, "prefixes": "AAAAAAAB"}, "caller", lambda _: True)
