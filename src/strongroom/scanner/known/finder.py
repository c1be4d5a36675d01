"""Finds known values in what an examiner reads: cuts each layer into tokens, asks which are ours, and looks up where those stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from strongroom.scanner.examine import Hit, is_binary
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.known.forms import LEAST, Form, decodable_among, forms, is_text
from strongroom.scanner.known.tokens import Tokeniser
from strongroom.scanner.known.values import HEAD_BYTES, CannotAsk, KnownValues, Recognition, digest_of
from strongroom.scanner.layers import Layer
from strongroom.scanner.lines import Lines
from strongroom.scanner.overlaps import Spans
from strongroom.scanner.problem import Problem, Report

_MOST_OPEN = 20_000
"""Tokens that wait for an answer."""
_MOST_OPEN_BYTES = 8 * 1024 * 1024
"""Bytes of windows that wait with them."""
_MOST_REFUSED = 300_000
_LONGEST_REFUSED = 96
_MOST_PLACES = 10_000
"""Places of one token in one layer."""
_ENCODINGS = frozenset({"base64", "hex"})
_LONGEST_INNER = 4096


class _Match(NamedTuple):
    """A token that is ours: what it says, and who knows it."""

    form: Form
    recognition: Recognition


@dataclass(slots=True)
class _Read:
    """A layer, and its tokens that turned out to be ours."""

    layer: Layer
    found: set[bytes] = field(default_factory=set)
    open: set[bytes] = field(default_factory=set)
    """Tokens that wait for an answer."""


class KnownFinder:
    """Implements `examine.Watcher`. What it was not told yet it asks about in large batches, so hits may come late; `finish` gives the last."""

    def __init__(self, known: KnownValues, rule: int, report: Report) -> None:
        self._known = known
        self._rule = rule
        self._report = report
        self._reading: list[_Read] = []
        self._waiting: list[tuple[Fragment, list[_Read]]] = []
        self._open: set[bytes] = set()
        self._readers: list[_Read] = []
        """Layers with open tokens."""
        self._ours: dict[bytes, _Match] = {}
        self._refused: set[bytes] = set()
        self._tokeniser = Tokeniser(self._refused)
        self._is_broken = False
        self.asked = 0
        """Tokens that were asked about."""

    def see(self, layer: Layer) -> None:
        """Take in a layer of the window that is being read."""
        if self._is_broken:
            return
        if not layer.names:
            self._reading = []  # a window begins, whatever became of the one before
        read = _Read(layer)
        self._reading.append(read)
        for tokens in self._tokeniser.tokens(layer.data, is_text=not is_binary(layer.data)):
            worth = self._worth_asking(tokens - self._refused)
            read.found |= worth & self._ours.keys()
            if worth := worth - self._ours.keys():
                self._await(worth, read)
            if len(self._open) >= _MOST_OPEN:
                self._ask()

    def end(self, window: Fragment) -> list[Hit]:
        """The window was read. Hits that are certain by now, in this window and earlier ones."""
        self._waiting.append((window, self._reading))
        self._reading = []
        size = sum(len(fragment.data) for fragment, _ in self._waiting)
        if len(self._open) < self._known.patience and size < _MOST_OPEN_BYTES:
            return []
        return self.finish()

    def finish(self) -> list[Hit]:
        """The hits in all windows so far."""
        self._ask()
        waiting, self._waiting = self._waiting, []
        return [hit for window, read in waiting for hit in self._hits(window, read)]

    def forked(self) -> None:
        """This process is a copy of the one that made it."""
        self._known.forked()

    def _worth_asking(self, tokens: set[bytes]) -> set[bytes]:
        heads = self._known.heads
        if heads is None:
            return tokens
        worth = {token for token in tokens if token[:HEAD_BYTES] in heads}
        worth |= decodable_among(tokens - worth)
        self._refuse(tokens - worth)
        return worth

    def _await(self, tokens: set[bytes], read: _Read) -> None:
        if not read.open:
            self._readers.append(read)
        read.open |= tokens
        self._open |= tokens

    def _ask(self) -> None:
        """Have what is open answered. Whoever cannot be asked is asked no more, and the scan has failed."""
        waiting, self._open = self._open, set()
        readers, self._readers = self._readers, []
        self.asked += len(waiting)
        try:
            ours = self._recognised(waiting)
        except CannotAsk as failure:
            self._is_broken = True
            self._report(Problem("known values", str(failure)))
            return
        self._ours.update(ours)
        for read in readers:
            read.found |= read.open & ours.keys()
            read.open = set()
        self._refuse(waiting - ours.keys())

    def _refuse(self, tokens: Iterable[bytes]) -> None:
        """Remember tokens that are not ours, as far as there is room."""
        if len(self._refused) >= _MOST_REFUSED:
            self._refused.clear()
        self._refused.update([token for token in tokens if len(token) <= _LONGEST_REFUSED])

    def _recognised(self, tokens: Iterable[bytes]) -> dict[bytes, _Match]:
        """Those of `tokens` of which a form is ours, with the form that least was taken off of."""
        heads = self._known.heads
        tokens = list(tokens)
        plain = tokens if heads is None else [token for token in tokens if token[:HEAD_BYTES] in heads]
        as_they_are = {digest_of(token): token for token in plain if len(token) >= LEAST}
        decoded: dict[bytes, list[tuple[bytes, Form]]] = {}
        for token in decodable_among(tokens):
            for form in said_by(token):
                if form.data is not token and (heads is None or form.data[:HEAD_BYTES] in heads):
                    decoded.setdefault(digest_of(form.data), []).append((token, form))
        asked = [*as_they_are, *(digest for digest in decoded if digest not in as_they_are)]
        answers = self._known.ask(asked) if asked else {}
        ours: dict[bytes, _Match] = {}
        for digest, recognition in answers.items():
            if digest in as_they_are:
                ours[as_they_are[digest]] = _Match(Form(as_they_are[digest]), recognition)
            for token, form in decoded.get(digest, ()):
                before = ours.get(token)
                if before is None or len(form.names) < len(before.form.names):
                    ours[token] = _Match(form, recognition)
        return ours

    def _hits(self, window: Fragment, reads: list[_Read]) -> list[Hit]:
        """Each place in `window` where a known value stands, once: as it stands there rather than decoded, and whole rather than in part."""
        own_end = len(window.data) if window.own_end is None else window.own_end
        places = [
            (len(read.layer.names) + len(self._ours[token].form.names), start - end, start, end, read.layer, token)
            for read in reads
            for token in read.found
            for start, end in _places(read.layer, token)
            if window.own_start <= start < own_end
        ]
        taken = Spans()
        kept: list[tuple[int, int, Layer, bytes]] = []
        for _, _, start, end, layer, token in sorted(places, key=lambda place: place[:4]):
            if not taken.meet(start, end):
                taken.add(start, end)
                kept.append((start, end, layer, token))
        lines = Lines(window)
        return [self._hit(window, lines, *place) for place in sorted(kept, key=lambda place: place[0])]

    def _hit(self, window: Fragment, lines: Lines, start: int, end: int, layer: Layer, token: bytes) -> Hit:
        form, recognition = self._ours[token]
        return Hit(
            self._rule,
            form.data,
            window.path,
            *lines.place(start, end),
            window.object_id,
            (*layer.names, *form.names),
            1.0,
            recognition.reasons,
            lines.text(start, end),
        )


def said_by(token: bytes) -> Iterator[Form]:
    """The forms of a token, and the tokens in what it decodes to: short digits of base64 may hold `user:password`."""
    for form in forms(token):
        yield form
        if (
            form.names
            and _ENCODINGS.intersection(form.names)
            and len(form.data) <= _LONGEST_INNER
            and is_text(form.data)
        ):
            for tokens in Tokeniser().tokens(form.data):
                yield from (Form(inner, form.names) for inner in tokens)


def _places(layer: Layer, token: bytes) -> Iterator[tuple[int, int]]:
    """Where `token` stands, in the bytes that the layer was decoded from."""
    at = layer.data.find(token)
    for _ in range(_MOST_PLACES):
        if at < 0:
            return
        yield layer.locate(at, at + len(token))
        at = layer.data.find(token, at + len(token))
