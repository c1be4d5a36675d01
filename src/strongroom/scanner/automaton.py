"""The wide stage: one pass over the bytes that says where any of hundreds of patterns may match.

Hyperscan in block mode, over bytes, without starts of matches: those would make a third of the patterns too large to compile. What it
reports is only a place to look at again with the exact pattern (see `confirm.py`). Where its package is missing, `fallback.py`
does the same with keywords and RE2, at a fraction of the speed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from strongroom.scanner.automaton_cache import AutomatonCache
from strongroom.scanner.expressions import NUMBER_SHIFT, Events, Expression

if TYPE_CHECKING:
    import hyperscan

_MODE_BLOCK = 1
_EXACT, _PREFILTER, _LEFT_OUT = 0, 128, -1
"""How an expression stands in the database: as it is, as something wider (HS_FLAG_PREFILTER), or not at all."""

Note = Callable[[str], None]
"""Told, once, what a person should know about how the scan is done."""


class Automaton(Protocol):
    """Finds events in a run of bytes."""

    def scan(self, data: bytes) -> Events:
        """The events of `data`."""
        ...


class _Blind:
    """Looks for nothing, which no engine has a database for."""

    def scan(self, data: bytes) -> Events:
        """No events."""
        return {}


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
    cache = AutomatonCache(folder, _engine_name(hyperscan), expressions)
    loaded = cache.load()
    if loaded is None:
        modes, database = _compile(expressions)
        cache.store(modes, hyperscan.dumpb(database))
    else:
        modes, serialized = loaded
        database = hyperscan.loadb(serialized, _MODE_BLOCK)
    return HyperscanAutomaton(database, expressions, modes)


class HyperscanAutomaton:
    """A Hyperscan database with its scratch space, and a fallback for the few expressions that it does not hold."""

    def __init__(self, database: hyperscan.Database, expressions: Sequence[Expression], modes: Sequence[int]) -> None:
        import hyperscan

        database.scratch = hyperscan.Scratch(database)
        self._scan = database.scan
        self._on_match = _collector([expression.shift for expression in expressions])
        self._rest = None
        if _LEFT_OUT in modes:
            from strongroom.scanner.fallback import Fallback

            self._rest = Fallback(expressions, [index for index, mode in enumerate(modes) if mode == _LEFT_OUT])

    def scan(self, data: bytes) -> Events:
        """The events of `data`."""
        events: Events = {}
        self._scan(data, match_event_handler=self._on_match, context=events)
        if self._rest is not None:
            events.update(self._rest.scan(data))
        return events


def _collector(shifts: Sequence[int]) -> Callable[[int, int, int, int, Any], bool | None]:
    def on_match(number: int, _start: int, end: int, _flags: int, events: Any) -> bool | None:
        events.setdefault(number << NUMBER_SHIFT | (end - 1) >> shifts[number], end)
        return None

    return on_match


def _engine_name(engine: object) -> str:
    return f"hyperscan {getattr(engine, '__version__', '')}"


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
        expressions=[expressions[number].pattern for number in held],
        ids=held,
        elements=len(held),
        flags=[modes[number] for number in held],
    )
    return database
