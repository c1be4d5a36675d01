"""The wide stage: one pass over the bytes that says where any of hundreds of patterns may match.

Hyperscan in block mode, over bytes, without starts of matches: those would make a third of the patterns too large to compile. What it
reports is only a place to look at again with the exact pattern (see `confirm.py`). Where its package is missing, `fallback.py`
does the same with keywords and RE2, at a fraction of the speed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from strongroom.scanner.automaton_cache import AutomatonCache
from strongroom.scanner.expressions import GATES, NUMBER_SHIFT, Events, Expression, families_of, twins_of
from strongroom.scanner.widening import WIDENING, widened

if TYPE_CHECKING:
    import hyperscan

    from strongroom.scanner.fallback import Fallback

_MODE_BLOCK = 1
_EXACT, _PREFILTER, _LEFT_OUT = 0, 128, -1
"""How an expression stands in the database: as it is, as something wider (HS_FLAG_PREFILTER), or not at all."""
_FIRST_MATCH = 8
"""HS_FLAG_SINGLEMATCH."""

_MANY = 200
"""From so many expressions on, compiling takes seconds."""

Note = Callable[[str], None]
"""Told, once, what a person should know about how the scan is done."""


class Automaton(Protocol):
    """Finds events in a run of bytes."""

    def scan(self, data: bytes) -> Events:
        """The events of `data`."""
        ...

    def scan_together(self, many: Sequence[bytes]) -> list[Events]:
        """The events of each of `many`, which may be faster than one by one."""
        ...


class _Blind:
    """Looks for nothing, which no engine has a database for."""

    def scan(self, data: bytes) -> Events:
        """No events."""
        return Events(data)

    def scan_together(self, many: Sequence[bytes]) -> list[Events]:
        """No events."""
        return [Events(data) for data in many]


def load_automaton(expressions: Sequence[Expression], folder: Path | None, note: Note) -> Automaton:
    """The automaton over `expressions`, from the cache in `folder` if it is there (None: no cache).

    `note` hears of what makes the scan slower than it should be.
    """
    if not expressions:
        return _Blind()
    try:
        import hyperscan
    except ImportError:
        from strongroom.scanner.fallback import Fallback

        note(
            "hyperscan is not installed: scanning is many times slower. Install it with: pip install 'strongroom[scanner]'"
        )
        return Fallback(expressions)
    parts = _parts(expressions)
    caches = [AutomatonCache(folder, _engine_name(hyperscan), part.expressions) for part in parts]
    loaded = [cache.load() for cache in caches]
    missing = [number for number, entry in enumerate(loaded) if entry is None]
    if len(expressions) >= _MANY and missing and sys.stderr.isatty():
        note("Compiling the rules, once: this takes a few seconds.")
    for number, (modes, database) in zip(missing, _all_compiled([parts[number] for number in missing]), strict=True):
        entry = modes, hyperscan.dumpb(database)
        caches[number].store(*entry)
        loaded[number] = entry
    automata = [
        HyperscanAutomaton(hyperscan.loadb(entry[1], _MODE_BLOCK), part, entry[0])
        for part, entry in zip(parts, loaded, strict=True)
        if entry is not None
    ]
    return _Several(automata, [GATES.get(part.name) is not None for part in parts])


@dataclass(frozen=True, slots=True)
class _Part:
    """Some of the expressions and their numbers among all: what one database holds."""

    name: str
    numbers: Sequence[int]
    expressions: Sequence[Expression]
    members: Mapping[int, Sequence[tuple[int, Expression]]] = field(default_factory=dict)
    """The expressions, with their numbers, of the families, each of which has the number of one of them."""


def _parts(expressions: Sequence[Expression]) -> list[_Part]:
    """The expressions in their parts, and the gates as the last one, in the order of the parts that they are of.

    What another engine would run for each byte is then run for the bytes that can begin a match.
    """
    numbers: dict[str, list[int]] = {}
    families = {found[0]: found for found in families_of(expressions).values()}
    left_out = {number for others in twins_of(expressions).values() for number in others}
    left_out |= {number for found in families.values() for number in found[1:]}
    for number, expression in enumerate(expressions):
        if number not in left_out:
            numbers.setdefault(expression.part, []).append(number)
    members = {first: [(number, expressions[number]) for number in found] for first, found in families.items()}
    parts = [
        _Part(name, found, [_looked_for(expressions[number]) for number in found], members)
        for name, found in numbers.items()
    ]
    gates = [Expression(GATES[part.name], 0, is_gate=True) for part in parts if part.name in GATES]
    return [*parts, _Part("gates", range(len(gates)), gates)] if gates else parts


def _looked_for(expression: Expression) -> Expression:
    return replace(expression, pattern=expression.family) if expression.family else expression


def _all_compiled(parts: Sequence[_Part]) -> list[tuple[list[int], hyperscan.Database]]:
    """The databases of `parts`, compiled side by side: the compiler lets go of Python's lock."""
    if len(parts) < 2:
        return [_compile(part.expressions) for part in parts]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(len(parts), os.cpu_count() or 1)) as threads:
        return list(threads.map(_compile, [part.expressions for part in parts]))


class _Several:
    """Several automata as one. Those that `have_gates` are run where the last one, which is that of the gates, saw theirs."""

    def __init__(self, automata: Sequence[HyperscanAutomaton], have_gates: Sequence[bool]) -> None:
        scans = [(automaton.database_scan, automaton.on_match) for automaton in automata]
        self._gated = [scan for scan, has_gate in zip(scans, have_gates, strict=True) if has_gate]
        self._gates = scans.pop()[0] if self._gated else None
        self._scans = [scan for scan, has_gate in zip(scans, have_gates, strict=False) if not has_gate]
        self._rests = [automaton.rest for automaton in automata if automaton.rest is not None]

    def scan(self, data: bytes) -> Events:
        """The events of `data`."""
        return self.scan_together((data,))[0]

    def scan_together(self, many: Sequence[bytes]) -> list[Events]:
        """The events of each of `many`: database by database, so that the tables of one are at hand for all of them."""
        found = [Events(data) for data in many]
        for scan, on_match in self._scans:
            for events in found:
                scan(events.data, match_event_handler=on_match, context=events)
        if self._gates is not None:
            seen: list[list[int]] = [[] for _ in found]
            for events, gates in zip(found, seen, strict=True):
                self._gates(events.data, match_event_handler=_see_gate, context=gates)
            for number, (scan, on_match) in enumerate(self._gated):
                for events, gates in zip(found, seen, strict=True):
                    if number in gates:
                        scan(events.data, match_event_handler=on_match, context=events)
        for rest in self._rests:
            for events in found:
                rest.scan_into(events.data, events)
        return found


def _see_gate(number: int, _start: int, _end: int, _flags: int, seen: Any) -> bool | None:
    seen.append(number)
    return None


class HyperscanAutomaton:
    """A Hyperscan database with its scratch space, and a fallback for the few expressions that it does not hold."""

    def __init__(self, database: hyperscan.Database, part: _Part, modes: Sequence[int]) -> None:
        import hyperscan

        database.scratch = hyperscan.Scratch(database)
        self.database_scan = database.scan
        self.on_match = _collector(part)
        self.rest: Fallback | None = None
        if _LEFT_OUT in modes:
            from strongroom.scanner.fallback import Fallback

            left_out = [
                member
                for number, mode in enumerate(modes)
                if mode == _LEFT_OUT
                for member in part.members.get(part.numbers[number], [(part.numbers[number], part.expressions[number])])
            ]
            self.rest = Fallback([expression for _, expression in left_out], [number for number, _ in left_out])


def _collector(part: _Part) -> Callable[[int, int, int, int, Any], bool | None]:
    shifts = [expression.shift for expression in part.expressions]
    bases = [number << NUMBER_SHIFT for number in part.numbers]
    families = {
        at: [(member << NUMBER_SHIFT, expression.endings) for member, expression in part.members[number]]
        for at, number in enumerate(part.numbers)
        if number in part.members
    }

    def on_match(number: int, _start: int, end: int, _flags: int, events: Any) -> bool | None:
        if number in families:
            data = events.data
            for base, endings in families[number]:
                if data.endswith(endings, 0, end):
                    key = base | (end - 1) >> shifts[number]
                    events.setdefault(key, end)
                    events.last[key] = end
            return None
        key = bases[number] | (end - 1) >> shifts[number]
        if key not in events:
            events[key] = end
        events.last[key] = end
        return None

    return on_match


def _engine_name(engine: object) -> str:
    return f"hyperscan {getattr(engine, '__version__', '')}, widening {WIDENING}"


def _compile(expressions: Sequence[Expression]) -> tuple[list[int], hyperscan.Database]:
    import hyperscan

    modes = [_EXACT] * len(expressions)
    try:
        return modes, _database(expressions, modes)
    except hyperscan.HyperscanError:
        modes = [_mode(expression) for expression in expressions]
        return modes, _database(expressions, modes)


def _mode(expression: Expression) -> int:
    import hyperscan

    for mode in (_EXACT, _PREFILTER):
        try:
            _database([expression], [mode])
        except hyperscan.HyperscanError:
            continue
        return mode
    return _LEFT_OUT


def _database(expressions: Sequence[Expression], modes: Sequence[int]) -> hyperscan.Database:
    import hyperscan

    held = [number for number, mode in enumerate(modes) if mode != _LEFT_OUT]
    database = hyperscan.Database(mode=_MODE_BLOCK)
    database.compile(
        expressions=[widened(expressions[number].pattern) for number in held],
        ids=held,
        elements=len(held),
        flags=[modes[number] | _FIRST_MATCH * expressions[number].is_gate for number in held],
    )
    return database
