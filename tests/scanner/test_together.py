"""Small fragments go through the wide stage together, and come out as they do one by one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.scanner import scan
from strongroom.scanner.automaton import Automaton, load_automaton
from strongroom.scanner.examine import Examiner, Plan
from strongroom.scanner.expressions import CAPITALS, HEXADECIMAL, Events, Expression
from strongroom.scanner.fallback import Fallback
from strongroom.scanner.fragment import Fragment, Share, Whole
from strongroom.scanner.problem import Problem
from strongroom.scanner.rule import Kind, Rule
from strongroom.scanner.scan import Scan

RULE = Rule("acme", "Acme", r"\bacme_(?P<secret>[a-z]{8})\b", ("acme_",))
EXPRESSIONS = [
    Expression(b"plain", 0),
    Expression(b"[A-Z2-7]{20}", 0, part=CAPITALS),
    Expression(b"x[0-9a-f]{32}", 4, part=HEXADECIMAL),
]
PIECES = st.lists(
    st.sampled_from([b"plain", b"a", b" ", b"A" * 16, b"A" * 20, b"0f" * 16, b"x" + b"a1" * 16, b"\n"]), max_size=8
).map(b"".join)
ENGINES = [load_automaton(EXPRESSIONS, None, print), Fallback(EXPRESSIONS), load_automaton([], None, print)]


@pytest.mark.parametrize("engine", ENGINES, ids=["hyperscan", "fallback", "blind"])
def test_together_everything_is_seen_as_one_by_one(engine: Automaton) -> None:
    @given(st.lists(PIECES, max_size=6))
    def holds(many: list[bytes]) -> None:
        together = engine.scan_together(many)
        assert [(dict(events), events.last, events.data) for events in together] == [
            (dict(events), events.last, events.data) for events in map(engine.scan, many)
        ]

    holds()


@given(st.lists(st.integers(min_value=0, max_value=12), max_size=30))
def test_small_fragments_go_together_and_large_ones_alone_all_in_their_order(sizes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "_SMALL_BYTES", 8)
        patch.setattr(scan, "_TOGETHER_BYTES", 20)
        fragments = [Fragment(str(number), bytes(size)) for number, size in enumerate(sizes)]
        groups = list(scan._groups(iter(fragments)))
    assert [fragment for group in groups for fragment in group] == fragments
    for group in groups:
        assert len(group) == 1 or all(len(fragment.data) <= 8 for fragment in group)
        assert sum(len(fragment.data) for fragment in group) < 20 + 8 or len(group) == 1


class Texts:
    """Texts as a source."""

    def __init__(self, *texts: bytes) -> None:
        self.texts = texts

    def fragments(self, share: Share) -> Iterator[Fragment]:
        for number, text in enumerate(self.texts):
            yield Fragment(str(number), text)


class OneByOne:
    """An automaton that fails on several at once, and on texts that hold ``broken``."""

    def __init__(self, inner: Automaton) -> None:
        self.inner = inner

    def scan(self, data: bytes) -> Events:
        if b"broken" in data:
            raise RuntimeError
        return self.inner.scan(data)

    def scan_together(self, many: Sequence[bytes]) -> list[Events]:
        raise RuntimeError


def test_where_the_stage_fails_on_several_each_is_scanned_by_itself_and_tells_so_by_itself() -> None:
    plan = Plan([RULE], dict.fromkeys(Kind, 0.0))
    problems: list[Problem] = []
    automaton = OneByOne(load_automaton(plan.expressions(), None, print))
    made = Scan(Examiner(plan, automaton, problems.append), lambda fragment: iter((fragment,)), problems)
    sent: list[tuple[list[list[object]], list[tuple[str, str, bool]], int, int]] = []
    made._work(Texts(b"acme_abcdefgh", b"broken", b"acme_ijklmnop"), Whole(), sent.append, lambda _: None)
    hits = [hit for message in sent for hit in message[0]]
    told = [problem for message in sent for problem in message[1]]
    assert len(hits) == 2
    assert [path for path, _, _ in told] == ["1"]
