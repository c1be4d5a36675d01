"""What the wide stage looks for: one expression for each rule and each decoder, in one numbering."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RULE_SHIFT = 8
DECODER_SHIFT = 8
FORMATS = "formats"
"""The part of the formats of providers: hundreds of words, each of which is rare."""
GUESSES = "guesses"
"""The part of the generic rules: few words, which are in every program."""
ENCODINGS = "encodings"
"""The part of the decoders' gates, most of which wait for marks."""
DIGITS = "digits"
"""The part of what waits for digits."""
LETTERS = "letters"
"""The part of what waits for nearly any letter."""
CAPITALS = "capitals"
"""The part of what waits for a run of capitals."""
HEXADECIMAL = "hexadecimal"
"""The part of what waits for a run of hexadecimal digits."""

GATES = {CAPITALS: rb"[A-Z2-7]{16}", HEXADECIMAL: rb"[0-9A-Fa-f]{32}"}
"""What is in all bytes in which an expression of the part can match. It is found quickly and rarely: the part is only looked for where it is."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A pattern whose matches are *events*: places where the exact stage looks again.

    Events of one expression that end within the same `2 ** shift` bytes count once: what floods costs memory in proportion to its bytes divided by
    that, not to its matches. `keywords` are used only where no automaton can hold the pattern. Expressions of one `part` share an automaton: those
    above are fast by themselves, and take nearly twice as long together, for each of them lets the engine skip other bytes.
    """

    pattern: bytes
    shift: int
    keywords: tuple[bytes, ...] = ()
    part: str = ""
    is_gate: bool = False
    """Only the first of its matches is told."""
    family: bytes = b""
    """One pattern for all expressions that have it, which an automaton looks for in their place: what they begin with is then followed once."""
    endings: tuple[bytes, ...] = ()
    """With which bytes, of all matches of the family, those of this expression end."""


class Events(dict[int, int]):
    """What was seen in `data`: `number << 40 | bucket`, and the end of the first match in that bucket. A bucket holds `2 ** shift` bytes."""

    __slots__ = ("data", "last")

    def __init__(self, data: bytes = b"") -> None:
        super().__init__()
        self.data = data
        self.last: dict[int, int] = {}
        """The end of the last match in each bucket."""


def families_of(expressions: Sequence[Expression]) -> dict[bytes, list[int]]:
    """The numbers of the expressions of each family."""
    families: dict[bytes, list[int]] = {}
    for number, expression in enumerate(expressions):
        if expression.family:
            families.setdefault(expression.family, []).append(number)
    return families


NUMBER_SHIFT = 40
_BUCKET = (1 << NUMBER_SHIFT) - 1


def twins_of(expressions: Sequence[Expression]) -> dict[int, list[int]]:
    """The numbers of expressions that are as an earlier one, by the number of that one: an automaton looks for it once."""
    first: dict[tuple[bytes, int, str], int] = {}
    twins: dict[int, list[int]] = {}
    for number, expression in enumerate(expressions):
        earlier = first.setdefault((expression.pattern, expression.shift, expression.part), number)
        if earlier != number:
            twins.setdefault(earlier, []).append(number)
    return twins


def by_expression(
    events: Events, shifts: Sequence[int], twins: Mapping[int, Sequence[int]]
) -> dict[int, list[tuple[int, int, int]]]:
    """Events by the number of their expression, as (start of bucket, last end in it, first end in it), in order; `twins` have those of their first."""
    last = events.last
    found: dict[int, list[tuple[int, int, int]]] = {}
    for key in sorted(events):
        number = key >> NUMBER_SHIFT
        found.setdefault(number, []).append(((key & _BUCKET) << shifts[number], last[key], events[key]))
    for number, others in twins.items():
        if number in found:
            for other in others:
                found[other] = found[number]
    return found
