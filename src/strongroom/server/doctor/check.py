"""What a check of the doctor is, what it looks at, and what it may say. Nothing it says holds a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from strongroom.logical.ambient import Clock
from strongroom.server.config_values import ServerConfig
from strongroom.server.doctor.running import Process


class Level(Enum):
    """How bad it is, the worst last."""

    OK = "ok"
    SKIPPED = "skipped"
    """It does not apply here, or there was nothing to look at."""
    WARN = "warn"
    UNKNOWN = "unknown"
    """It could not be looked at: neither good nor bad is proven."""
    FAIL = "fail"


_ORDER = list(Level)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found, in a sentence or two."""

    level: Level
    text: str


Ask = Callable[[str, str, dict[str, Any] | None], dict[str, Any]]
"""Asks the server with the token of whoever is logged in: a method, a path and a body. Raises Unanswered."""


class Unanswered(Exception):
    """The server did not answer, or refused; the text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """All that checks look at. ``processes`` are those of the running server, none where it does not run; ``doubt`` says why that
    cannot be told from here, where it cannot.

    ``ask`` is None where nobody is logged in. ``roots`` are the folders that code is loaded from.
    """

    config: ServerConfig
    config_paths: tuple[Path, ...]
    server_uid: int
    processes: tuple[Process, ...]
    clock: Clock
    roots: tuple[Path, ...]
    ask: Ask | None = None
    is_synchronised: bool | None = None
    doubt: str = ""

    @property
    def without_processes(self) -> Verdict:
        """What a check of processes says where it sees none."""
        return (
            unknown(self.doubt) if self.doubt else skipped("no server runs on this data folder; start it and ask again")
        )

    def data_files(self) -> list[Path]:
        """The data folder and what lies in it, as far as it exists. Raises OSError."""
        folder = Path(self.config.storage.path)
        return [folder, *sorted(folder.iterdir())] if folder.is_dir() else []


@dataclass(frozen=True, slots=True)
class Check:
    """One item of the list. ``what`` has to hold; ``why``, and ``fix`` says what to do where it does not."""

    id: str
    what: str
    why: str
    fix: str
    look: Callable[[Scene], Verdict]


@dataclass(frozen=True, slots=True)
class Finding:
    """What became of a check."""

    check: Check
    verdict: Verdict


def ok(text: str) -> Verdict:
    """All is well."""
    return Verdict(Level.OK, text)


def warn(text: str) -> Verdict:
    """Somebody should look at it."""
    return Verdict(Level.WARN, text)


def fail(text: str) -> Verdict:
    """It is wrong."""
    return Verdict(Level.FAIL, text)


def unknown(text: str) -> Verdict:
    """Cannot tell."""
    return Verdict(Level.UNKNOWN, text)


def skipped(text: str) -> Verdict:
    """Nothing to look at."""
    return Verdict(Level.SKIPPED, text)


def worst(verdicts: Iterable[Verdict], *, otherwise: Verdict) -> Verdict:
    """The worst of ``verdicts``, with the texts of all that are as bad; ``otherwise`` where there are none."""
    given = list(verdicts)
    if not given:
        return otherwise
    level = max((verdict.level for verdict in given), key=_ORDER.index)
    return Verdict(level, "; ".join(dict.fromkeys(verdict.text for verdict in given if verdict.level is level)))


def looked_at(check: Check, scene: Scene) -> Finding:
    """The finding of one check; what cannot be looked at is unknown."""
    try:
        return Finding(check, check.look(scene))
    except OSError as error:
        place = f"{error.filename}: " if isinstance(error.filename, str) else ""
        return Finding(check, unknown(f"{place}{(error.strerror or 'it cannot be read').lower()}"))
    except Unanswered as error:
        return Finding(check, unknown(str(error)))
