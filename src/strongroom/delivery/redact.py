"""Masking of known texts in a stream that arrives in parts of any size.

Whatever may be the beginning of a known text is held back until it is clear what it is. Somebody may be waiting for it (a
prompt ends in the middle of a line), so after a while it is let go: ``release`` gives out what is less than half of a known text,
and masks what is more. So of a text whose parts come slowly less than its first half may show, and of one that comes at once
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from strongroom.delivery.encodings import SHORTEST, forms

MASK = "[redacted: {}]"
_GRAM = 4
_STRIDE = SHORTEST - _GRAM + 1


class Text(NamedTuple):
    """One known text and the name of the variable that it stands for."""

    content: bytes
    name: str

    def __repr__(self) -> str:
        return f"Text({self.name})"


class Known:
    """All texts to mask, arranged so that most positions of a stream are passed over without a look."""

    def __init__(self, values: Mapping[str, str] | Iterable[tuple[str, str]]) -> None:
        pairs = values.items() if isinstance(values, Mapping) else values
        names: dict[bytes, str] = {}
        self.skipped: list[str] = []
        """The names whose values are too short to be masked."""
        for name, value in pairs:
            found = forms(value)
            if not found and value:
                self.skipped.append(name)
            for form in found:
                names.setdefault(form, name)
        self.longest = max(map(len, names), default=0)
        self.by_start: dict[bytes, list[Text]] = {}
        self.grams: dict[bytes, set[int]] = {}
        self.beginnings: dict[bytes, int] = {}
        for content, name in names.items():
            self._add(Text(content, name))
        for texts in self.by_start.values():
            texts.sort(key=lambda text: -len(text.content))

    def __repr__(self) -> str:
        return "Known()"

    def _add(self, text: Text) -> None:
        self.by_start.setdefault(text.content[:SHORTEST], []).append(text)
        # Every window of SHORTEST bytes holds a gram at a multiple of the stride, at one of these distances from its start.
        for distance in range(_STRIDE):
            self.grams.setdefault(text.content[distance : distance + _GRAM], set()).add(distance)
        for length in range(1, SHORTEST):
            beginning = text.content[:length]
            self.beginnings[beginning] = min(self.beginnings.get(beginning, self.longest), len(text.content))

    def matches(self, content: bytes) -> list[tuple[int, int, str]]:
        """Where known texts stand: start, end and name, in order of their starts; of several at a place the longest."""
        starts: set[int] = set()
        grams = self.grams
        for at in range(0, len(content) - _GRAM + 1, _STRIDE):
            distances = grams.get(content[at : at + _GRAM])
            if distances:
                starts.update(at - distance for distance in distances)
        found = []
        for start in sorted(starts):
            if start < 0:
                continue
            for text in self.by_start.get(content[start : start + SHORTEST], ()):
                if content.startswith(text.content, start):
                    found.append((start, start + len(text.content), text.name))
                    break
        return found

    def open_start(self, content: bytes) -> tuple[int, int, str]:
        """Where at the end of ``content`` a known text may have begun: start, least length and name of what it may be.

        The start is the length of ``content`` where none has.
        """
        first = max(0, len(content) - self.longest + 1)
        for start in range(first, len(content)):
            rest = content[start:]
            if len(rest) < SHORTEST:
                if rest in self.beginnings:
                    return start, self.beginnings[rest], ""
                continue
            longer = [text for text in self.by_start.get(rest[:SHORTEST], ()) if len(text.content) > len(rest)]
            possible = [text for text in longer if text.content.startswith(rest)]
            if possible:
                shortest = min(possible, key=lambda text: len(text.content))
                return start, len(shortest.content), shortest.name
        return len(content), 0, ""


class Redactor:
    """Masks what one stream holds of the known texts. ``feed`` what arrives, ``release`` after a pause, ``finish`` at the end."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._held = b""
        self._shown = 0  # as much of what is held was given out, or masked, already
        self._masked_up_to_here = False

    def __repr__(self) -> str:
        return "Redactor()"

    @property
    def is_holding(self) -> bool:
        """Whether something waits that has not been given out."""
        return len(self._held) > self._shown

    def learn(self, known: Known) -> None:
        """Go on with other texts: those that are new and those that still count."""
        self._known = known

    def feed(self, content: bytes) -> bytes:
        """What can be given out now that ``content`` has arrived."""
        self._held += content
        start, _, _ = self._known.open_start(self._held)
        out, shown = self._rendered(start)
        self._keep_from(start, shown)
        return out

    def release(self) -> bytes:
        """What is given out because nothing came for a while. The stream may go on."""
        out, start = self._all_but_the_begun()
        self._keep_from(start, len(self._held))
        return out

    def finish(self) -> bytes:
        """What is left at the end of the stream: masked, where it is half of a known text or more."""
        out, _ = self._all_but_the_begun()
        self._held, self._shown = b"", 0
        return out

    def _all_but_the_begun(self) -> tuple[bytes, int]:
        """All that is held, with the beginning of a known text at its end masked if it is too much of it; and where that is."""
        start, length, name = self._known.open_start(self._held)
        begun = len(self._held) - start
        if 2 * begun <= length:
            return self._rendered(len(self._held))[0], start
        out, shown = self._rendered(start)
        if shown < len(self._held) and not (self._masked_up_to_here and shown >= start):
            out += _mask(name or "a secret")
        self._masked_up_to_here = True
        return out, start

    def _rendered(self, end: int) -> tuple[bytes, int]:
        """What stands between what was given out and ``end``, masked; and how far that reaches.

        A known text that begins before ``end`` and reaches over it is masked as a whole.
        """
        out = bytearray()
        at = self._shown
        for start, stop, name in self._known.matches(self._held):
            if start >= end or stop <= at:
                continue
            if start > at:
                out += self._held[at:start]
                self._masked_up_to_here = False
            if not self._masked_up_to_here:
                out += _mask(name)
            self._masked_up_to_here = True
            at = stop
        if end > at:
            out += self._held[at:end]
            self._masked_up_to_here = False
            at = end
        return bytes(out), at

    def _keep_from(self, start: int, shown: int) -> None:
        self._held = self._held[start:]
        self._shown = max(0, shown - start)


def _mask(name: str) -> bytes:
    return MASK.format(name).encode()
