"""What a version of a file adds to those before it: its lines that none of them has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from strongroom.scanner.fragment import Fragment

_SNIFFED = 8000
_BRIDGE_BYTES = 32
"""An old line shorter than this does not part new ones: a brace, or the last line of a key whose body is new."""
_BRIDGE_LINES = 2


def added(path: str, data: bytes, before: Sequence[bytes], object_id: str) -> Iterator[Fragment]:
    """The runs of new lines, each where it stands. What is no text, and what had no version before, is new as a whole.

    A line that was moved is not new. Whatever lies on lines that were there before was there to be found before.
    """
    if not before or any(b"\0" in version[:_SNIFFED] for version in (data, *before)):
        yield Fragment(path, data, 1, object_id)
        return
    known = {line.rstrip(b"\r") for version in before for line in version.split(b"\n")}
    run: list[bytes] = []
    bridge: list[bytes] = []
    first = 1
    for number, line in enumerate(data.split(b"\n"), 1):
        if line.rstrip(b"\r") not in known:
            if not run:
                first = number
            run += [*bridge, line]
            bridge = []
        elif run and len(line) < _BRIDGE_BYTES and len(bridge) < _BRIDGE_LINES:
            bridge.append(line)
        elif run:
            yield Fragment(path, b"\n".join([*run, *bridge]), first, object_id)
            run, bridge = [], []
    if run:
        yield Fragment(path, b"\n".join([*run, *bridge]), first, object_id)
