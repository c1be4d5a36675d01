"""How much work is done for how much input: counted, not timed."""

from __future__ import annotations

import base64
import random
from collections.abc import Mapping, Sequence

import pytest
from tests.scanner.known.conftest import local

from strongroom.scanner.fragment import Fragment
from strongroom.scanner.known.finder import KnownFinder
from strongroom.scanner.known.forms import forms
from strongroom.scanner.known.tokens import Tokeniser
from strongroom.scanner.known.values import CannotAsk, Recognition
from strongroom.scanner.layers import Layer
from strongroom.scanner.problem import Problem

SIZE = 60_000
UNITS = [
    b"a=",
    b"\\",
    b" ",
    b"k=" + b" " * 4000 + b"x\n",
    b"<<" + b"a" * 45,
    b"abcd efgh ",
    b'"\\',
    b"<<A\n",
    b"-----BEGIN A-----",
    b"-----BEGIN A-----\n-----END A-----\n",
    b"x: |\n  y\n",
    b"''",
    b"%41",
    b"&#65;",
    b"a1:b2@",
    b"a1,",
    b'"""\n',
    b"41",
    b"[{",
    b"\\u0041",
    b"\xe2\x80\x9c",
    b"QUJDREVG",
    b"f(1,'a2');",
]


def hostile() -> dict[str, bytes]:
    source = random.Random(4)
    made = {repr(unit): unit * (SIZE // len(unit)) for unit in UNITS}
    made["numbered words"] = b" ".join(b"word%07d" % source.randrange(10**7) for _ in range(SIZE // 12))
    made["minified"] = b"".join(
        b"function a%d(b){return c.d(e,%d)};" % (at, source.randrange(10**6)) for at in range(SIZE // 38)
    )
    made["base64"] = base64.b64encode(source.randbytes(SIZE * 3 // 4))
    made["random"] = source.randbytes(SIZE)
    return made


@pytest.mark.parametrize(("name", "data"), hostile().items(), ids=hostile())
def test_the_tokens_of_a_text_are_no_more_than_so_many_times_its_size(name: str, data: bytes) -> None:
    tokens = [token for found in Tokeniser().tokens(data) for token in found]

    assert sum(map(len, tokens)) <= 25 * len(data) + 100_000, name
    assert max(map(len, tokens), default=0) <= 64 * 1024


@pytest.mark.parametrize(
    "data", [b"[" * 60_000, b"\\" * 8000, b"%25" * 2600, b"&amp;" * 1600, b"QUJD" * 16_000, b"9" * 60_000]
)
def test_a_string_has_few_forms_and_none_is_longer(data: bytes) -> None:
    made = forms(data)

    assert len(made) <= 24
    assert all(len(form.data) <= len(data) for form in made)


def test_a_large_file_is_read_with_little_in_hand() -> None:
    most_open = 0

    class Counting:
        patience = 20_000
        heads: frozenset[bytes] | None = None

        def ask(self, digests: Sequence[bytes]) -> Mapping[bytes, Recognition]:
            nonlocal most_open
            most_open = max(most_open, len(digests))
            return {}

        def forked(self) -> None:
            pass

    finder = KnownFinder(Counting(), 0, _complain)
    source = random.Random(5)
    for at in range(6):
        data = b"\n".join(b"key_%d = %d" % (source.randrange(10**9), at) for _ in range(20_000))
        finder.see(Layer(data))
        finder.end(Fragment(f"part{at}", data))
    finder.finish()

    assert finder.asked > 240_000
    assert most_open < 60_000
    assert len(finder._refused) <= 360_000


def test_what_was_refused_once_is_not_asked_again() -> None:
    finder = KnownFinder(local(b"Tr0ub4dor-and-3-more"), 0, _complain)
    data = b"\n".join(b"name_%d = call(%d, 'text %d')" % (at, at, at) for at in range(500))
    for number in range(3):
        finder.see(Layer(data))
        finder.end(Fragment(f"copy{number}", data))
        if number == 0:
            first = finder.asked

    assert finder.asked - first <= 2  # the whole text, which is too long to be remembered


def test_who_cannot_be_asked_is_asked_once_and_the_scan_has_failed() -> None:
    class Down:
        patience = 0
        heads: frozenset[bytes] | None = None
        asked = 0

        def ask(self, digests: Sequence[bytes]) -> Mapping[bytes, Recognition]:
            self.asked += 1
            raise CannotAsk("nobody is there")

        def forked(self) -> None:
            pass

    problems: list[Problem] = []
    down = Down()
    finder = KnownFinder(down, 0, problems.append)
    for _ in range(3):
        finder.see(Layer(b"key = value-1234567\n"))
        assert finder.end(Fragment("a", b"key = value-1234567\n")) == []

    assert (down.asked, [problem.is_note for problem in problems]) == (1, [False])


def test_a_window_that_was_given_up_leaves_nothing_to_the_next() -> None:
    value = b"Tr0ub4dor-and-3-more"
    finder = KnownFinder(local(value), 0, _complain)
    finder.see(Layer(b"x = '" + value + b"'\n"))
    finder.see(Layer(b"nothing here\n"))

    assert finder.end(Fragment("second", b"nothing here\n")) == []


def _complain(problem: Problem) -> None:
    raise AssertionError(problem)
