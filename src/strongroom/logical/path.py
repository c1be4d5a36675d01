"""Path templates: declared once, compiled into a tree, matched without regular expressions.

A template is segments joined by ``/``. A segment is a literal, ``{name}`` (exactly one segment), ``{name...}`` (one or more
segments), or at the end ``{name*}`` (none or more). Where several templates match, the more specific one wins at the first segment
where they differ: literal, then ``{name}``, then ``{name...}``, which spans as few segments as it can. So the order of declarations
never matters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Generic, TypeVar

from strongroom.logical.errors import InvalidRequest

T = TypeVar("T")

_CAPTURE = re.compile(r"\{([a-z][a-z0-9_]*)(\.\.\.|\*)?\}")

PATH_BYTES_MAX = 8192
SEGMENTS_MAX = 256


def check_canonical(path: str) -> str:
    """``path`` itself if it is canonical, else InvalidRequest. No leading slash; one trailing slash is allowed.

    Refused: empty, ``.`` and ``..`` segments, also if they are percent-encoded still, backslashes, control characters, text that is
    not NFC, and more than 8,192 bytes or 256 segments (SECURITY INV-1).
    """
    if path.isascii():
        if not path.isprintable():
            raise InvalidRequest("the path holds a control character; percent-encode only printable text")
    elif any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in path):
        raise InvalidRequest("the path holds a control or invisible character")
    elif not unicodedata.is_normalized("NFC", path):
        raise InvalidRequest("the path is not in Unicode normal form C")
    if "\\" in path:
        raise InvalidRequest("the path holds a backslash; separate segments with '/'")
    if len(path) > PATH_BYTES_MAX or (not path.isascii() and len(path.encode()) > PATH_BYTES_MAX):
        raise InvalidRequest("the path is longer than 8192 bytes")
    segments = path.removesuffix("/").split("/")
    if len(segments) > SEGMENTS_MAX:
        raise InvalidRequest("the path has more than 256 segments")
    if "" in segments:
        raise InvalidRequest("the path holds an empty segment; remove the extra '/'")
    if "." in segments or ".." in segments or ("%" in path and _ENCODED_DOTS.search(path)):
        raise InvalidRequest("the path holds a '.' or '..' segment; name the target directly")
    return path


# Names to us, and a way up to whoever decodes once more.
_ENCODED_DOTS = re.compile(r"(?:\A|/)(?:\.|%2[eE]){1,2}(?:/|\Z)")
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Specificity(IntEnum):
    """How exactly a segment of a template names a segment of a path; smaller wins."""

    LITERAL = 0
    ONE = 1
    ONE_OR_MORE = 2
    ANY = 3


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of a template: a literal, or a capture called ``name``."""

    specificity: Specificity
    name: str


def parse_template(template: str) -> tuple[Segment, ...]:
    """The segments of ``template``. Raises ValueError where it is malformed, which is a mistake of ours and not a client's."""
    if template == "":
        return ()
    segments: list[Segment] = []
    parts = template.split("/")
    for index, part in enumerate(parts):
        match = _CAPTURE.fullmatch(part)
        if match is None:
            if "{" in part or part == "":
                raise ValueError(f"malformed segment in template {template!r}")
            segments.append(Segment(Specificity.LITERAL, part))
            continue
        name, suffix = match.groups()
        if suffix == "*" and index != len(parts) - 1:
            raise ValueError(f"only the last segment of {template!r} may be missing")
        kind = {None: Specificity.ONE, "...": Specificity.ONE_OR_MORE, "*": Specificity.ANY}[suffix]
        segments.append(Segment(kind, name))
    captures = [segment.name for segment in segments if segment.specificity is not Specificity.LITERAL]
    if len(captures) != len(set(captures)):
        raise ValueError(f"a capture stands twice in {template!r}")
    return tuple(segments)


@dataclass(slots=True)
class _Node(Generic[T]):
    literals: dict[str, _Node[T]] = field(default_factory=dict)
    one: _Node[T] | None = None
    one_or_more: _Node[T] | None = None
    here: list[tuple[T, tuple[str, ...]]] = field(default_factory=list)
    any: list[tuple[T, tuple[str, ...]]] = field(default_factory=list)


class TemplateTree(Generic[T]):
    """An immutable-after-building map from templates to values, searched by path."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()

    def add(self, template: str, value: T) -> None:
        """Map ``template`` to ``value``. Several values may stand under one template."""
        segments = parse_template(template)
        names = tuple(segment.name for segment in segments if segment.specificity is not Specificity.LITERAL)
        node = self._root
        for segment in segments:
            if segment.specificity is Specificity.LITERAL:
                node = node.literals.setdefault(segment.name, _Node())
            elif segment.specificity is Specificity.ONE:
                node.one = node.one or _Node()
                node = node.one
            elif segment.specificity is Specificity.ONE_OR_MORE:
                node.one_or_more = node.one_or_more or _Node()
                node = node.one_or_more
            else:
                node.any.append((value, names))
                return
        node.here.append((value, names))

    def find(self, path: str) -> Iterator[tuple[T, dict[str, str]]]:
        """Every value whose template matches ``path`` with its captures, the most specific first, found as they are asked for."""
        segments = path.split("/") if path else []
        return self._search(self._root, segments, 0, ())

    def _search(
        self, node: _Node[T], segments: list[str], at: int, captured: tuple[str, ...]
    ) -> Iterator[tuple[T, dict[str, str]]]:
        if at == len(segments):
            for value, names in node.here:
                yield value, dict(zip(names, captured, strict=True))
            for value, names in node.any:
                yield value, dict(zip(names, (*captured, ""), strict=True))
            return
        segment = segments[at]
        child = node.literals.get(segment)
        if child is not None:
            yield from self._search(child, segments, at + 1, captured)
        if node.one is not None:
            yield from self._search(node.one, segments, at + 1, (*captured, segment))
        if node.one_or_more is not None:
            # Inner segments only exist where something follows, so most trees look at the whole rest alone.
            rest = node.one_or_more
            first = at + 1 if rest.literals or rest.one or rest.one_or_more or rest.any else len(segments)
            for end in range(first, len(segments) + 1):
                yield from self._search(rest, segments, end, (*captured, "/".join(segments[at:end])))
        for value, names in node.any:
            yield value, dict(zip(names, (*captured, "/".join(segments[at:])), strict=True))
