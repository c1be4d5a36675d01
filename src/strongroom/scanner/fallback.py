"""The wide stage without Hyperscan: each expression by itself, after a look for its keywords. Slow, and finds the same."""

from __future__ import annotations

from collections.abc import Sequence

from strongroom.scanner.expressions import NUMBER_SHIFT, Events, Expression
from strongroom.scanner.regex import Regex, compile_regex


class Fallback:
    """Runs RE2 for each of `expressions` of which a keyword is there. In events they have their `numbers`, or those of their order."""

    def __init__(self, expressions: Sequence[Expression], numbers: Sequence[int] | None = None) -> None:
        self._expressions = expressions
        self._numbers = range(len(expressions)) if numbers is None else numbers
        self._compiled: dict[int, Regex] = {}

    def scan(self, data: bytes) -> Events:
        """The events of `data`: the end of each match of each expression."""
        events = Events()
        self.scan_into(data, events)
        return events

    def scan_together(self, many: Sequence[bytes]) -> list[Events]:
        """The events of each of `many`."""
        return [self.scan(data) for data in many]

    def scan_into(self, data: bytes, events: Events) -> None:
        """Put the events of `data` into `events`."""
        lowered = data.lower()
        present: dict[bytes, bool] = {}
        for number, expression in zip(self._numbers, self._expressions, strict=True):
            if expression.keywords and not any(_is_in(word, lowered, present) for word in expression.keywords):
                continue
            for match in self._regex(number, expression).finditer(data):
                end = match.end()
                key = number << NUMBER_SHIFT | max(end - 1, 0) >> expression.shift
                events.setdefault(key, end)
                events.last[key] = end

    def _regex(self, number: int, expression: Expression) -> Regex:
        found = self._compiled.get(number)
        if found is None:
            found = self._compiled[number] = compile_regex(expression.pattern)
        return found


def _is_in(word: bytes, lowered: bytes, present: dict[bytes, bool]) -> bool:
    found = present.get(word)
    if found is None:
        found = present[word] = word in lowered
    return found
