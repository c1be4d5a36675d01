"""The flags of ``run``, as a table that can be read without click."""

from __future__ import annotations

from strongroom.cli.flags import Flag, Kind, Quick, duration, switch, text, whole
from strongroom.cli.source_options import fallback_options, names, source_options


def _names_or_all(value: str, name: str) -> frozenset[str] | None:
    """None for all, else the names: a switch that may also carry what it is about, as ``-preserve-env=A,B``."""
    del name
    if value in {"true", "false"}:
        return None if value == "true" else frozenset()
    return names((value,))


def _restart_or_word(value: str, name: str) -> str:
    """``-watch`` alone means a restart; ``-watch=signal:HUP`` a signal."""
    del name
    return {"true": "restart", "false": ""}.get(value, value)


_NAMES = Kind("names", _names_or_all, is_switch=True)
_WATCH = Kind("watch", _restart_or_word, is_switch=True)

RUN_FLAGS: tuple[Flag, ...] = (
    *source_options(),
    Flag(
        ("-preserve-env",),
        _NAMES,
        "Variables that are already set win over secrets: all, or only those named.",
        frozenset(),
        metavar="[=A,B]",
    ),
    switch("-clean-env", help="Pass on nothing but HOME, PATH, USER, SHELL, TERM, TZ, TMPDIR and the language."),
    switch("-preserve-token", help="Pass on the vault token of this shell too (it is left out otherwise)."),
    Flag(
        ("-watch",),
        _WATCH,
        "Look for newer versions, and start the program again, or send it a signal.",
        "",
        metavar="[=restart|signal:NAME]",
    ),
    duration("-watch-interval", help="How often to look; 30s without it."),
    text("-redact", help="Mask secrets in the output: auto, on or off. A terminal is never touched."),
    switch("-creds-dir", help="Give files in a folder ($CREDENTIALS_DIRECTORY, in memory) instead of variables."),
    text("-mount", help="Give a named pipe at this path instead of variables. -kv-mount is for the kv store."),
    whole("-mount-max-reads", help="How often the pipe can be read; 0 for any number.", default=1),
    text("-mount-format", help="What the pipe gives: dotenv, json, yaml, … as in strongroom export.", default="dotenv"),
    *fallback_options(),
    switch("-dry-run", help="Show which variables come from where, without values, and run nothing."),
)

RUN = Quick(RUN_FLAGS, ("-format",), "strongroom.cli.run:run", anywhere=False)
