"""The one form by which a value is recognised however it was written down. Pure functions over text.

Two values are *alike* where one is the other in base64 (of either alphabet, padded or not, broken into lines or not), in hex, several
times over, in other letters (capital or small), or with blanks and line ends around or inside of it.

What is about to be stored below is also asked about by its words (``words``): a value above may stand within a text.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from strongroom.encoding import json
from strongroom.environments.words import assigned_in, respelled, segments_of, words_of
from strongroom.logical.errors import InvalidRequest

LENGTH_MIN = 8
"""Values with fewer characters in their one form are compared with nothing: too many of them are alike by chance."""
COMMON = """
    00000000 0000000000 127.0.0.1 administrator changeme database debugging default-value development elasticsearch https://localhost
    http://localhost information kubernetes localhost localhost:3306 localhost:5432 localhost:6379 localhost:8080 notification
    placeholder postgres postgresql preproduction production rabbitmq readonly readwrite required undefined username verify-full
    ap-northeast-1 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1 eu-north-1 eu-west-1 eu-west-2 eu-west-3
    europe-west1 europe-west4 northeurope sa-east-1 us-central1 us-east-1 us-east-2 us-west-1 us-west-2 westeurope
"""
"""What so many configurations hold that it says nothing, separated by blanks."""

_ROUNDS_MAX = 4
_DOCUMENT_CHARACTERS_MAX = 64 * 1024
_LINES_MAX = 256
_ENCODED = re.compile(
    r"((?:[0-9a-fA-F]{2}){8,})|(?=[CDI-Za-fw-z0-9])(?!(?:.{4}){1,7}[ABE-H+/])[A-Za-z0-9+/]{11,}={0,2}"
)
"""A text in the letters of standard base64 that is hex, which is the group, or base64 of what may have been written: the first letter of each
four holds most of a byte, and with some letters that is one of a control character, or one that UTF-8 has not, or not at the beginning.
"""
_ENCODED_LENGTH_MIN = 11
_CONTROLS = bytes({*range(32), 127} - set(b"\t\n\r"))
_SETTING = re.compile(r"\s*(?:export\s+)?[A-Za-z_][\w.-]*\s*[=:]\s*(\S.*)")
_PEM = "-----BEGIN "
_QUOTES = frozenset("\"'")
_DOCUMENT_STARTS = frozenset("{[ \t\r\"'")
_BEFORE_HEX = frozenset(("0x", "0X"))
_SIMPLE = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ-_", b"abcdefghijklmnopqrstuvwxyz+/")
"""What :func:`_standard` and the small letters make of ASCII without blanks."""
_STANDARD_LETTERS = bytes.maketrans(b"-_", b"+/")
_HEX_DIGITS = b"0123456789abcdefABCDEF"
_HEX_MEMBERS = frozenset(_HEX_DIGITS)
_XS = frozenset(b"xX")
_FIRST_LETTERS = frozenset(b"CDIJKLMNOPQRSTUVWXYZabcdefwxyz0123456789")
"""What base64 of a text begins with; as :data:`_ENCODED` has it."""
_REPLACEMENT = "\ufffd".encode()
_SPACE, _EQUALS, _ZERO, _SLASH = b" =01"


# What an ASCII character can be, in one table, so that few and cheap questions to what it makes of a text tell whether more has to be
# looked for: a blank for all with which a text is more than one word; a letter for what may stand first in four letters of base64, and a
# digit for what never does, of its own for what separates parts of a path; itself for the padding of base64; a dot for the rest.
def _kinds(several: bytes) -> bytes:
    kinds = bytearray(b"." * 256)
    for kind, members in (
        (b" ", several),
        (b"a", b"CDIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
        (b"0", b"ABEFGH+-_"),
        (b"1", b"/"),
        (b"=", b"="),
    ):
        for member in members:
            kinds[member] = kind[0]
    return bytes(kinds)


_KINDS = _kinds(b" \t\n\v\f\r\x1c\x1d\x1e\x1f{[\"':")
_KINDS_BELOW = _kinds(b" \t\n\v\f\r\x1c\x1d\x1e\x1f{[\"':}]()<>;,|&?#\\`@%")
"""The same for what is split into words."""


def one_form(text: str) -> str:
    """The form that all values which are alike have in common; for other values another one."""
    found = _standard(text)
    encoded = _ENCODED.fullmatch(found)
    if encoded is not None:
        found = _unwrapped(encoded)
    return found.casefold().rstrip("=")


def texts_in(values: Mapping[str, Any]) -> Iterator[str]:
    """Every text and number in ``values``, at any depth; those, too, that stand in a text which is JSON or a list of settings."""
    for value in values.values():
        yield from _texts(value)


def names_in(values: Mapping[str, Any]) -> Iterator[str]:
    """The names of keys at any depth that could be values: those with a digit, since there are words that are both."""
    for name, value in values.items():
        if len(name) >= LENGTH_MIN and not name.isalpha() and any(map(str.isdigit, name)):
            yield name
        if not isinstance(value, str):
            yield from _names_inside(value)


def _names_inside(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from names_in(value)
    elif isinstance(value, list):
        for inner in value:
            yield from _names_inside(inner)


def forms_in(values: Mapping[str, Any]) -> dict[str, None]:
    """The one form of each of :func:`texts_in`, each once, without those that are too short or too common to mean anything."""
    forms: dict[str, None] = {}
    for value in values.values():
        if isinstance(value, str):
            forms.update(dict.fromkeys(forms_of(value)))
        else:
            for text in _texts(value):
                forms.update(dict.fromkeys(_meaningful((text,))))
    return forms


def forms_of(text: str) -> Sequence[str]:
    """The one form of ``text``, and of what stands in it where it is a document or an address, without those that mean nothing."""
    if text[:1] in _DOCUMENT_STARTS or text[:2] in _BEFORE_HEX or any(map(text.__contains__, "\n:=")):
        return _meaningful(_texts(text))
    return _meaningful((text,))


def forms_below(text: str) -> Sequence[str]:
    """The same and, behind these, the one form of each of the words that ``text`` consists of."""
    return _meaningful((*_texts(text), *words_of(text)))


def encoded_forms_of(text: str, *, is_below: bool = False) -> Sequence[bytes]:
    """What :func:`forms_of` says, or :func:`forms_below`, as UTF-8.

    For every write: nearly every value is one word that is not encoded, and takes a short way.
    """
    if text.isascii():
        written = text.encode()
        kinds = written.translate(_KINDS_BELOW if is_below else _KINDS)
        if _SPACE not in kinds and not ((kinds.isalnum() or _EQUALS in kinds) and _may_be_encoded(written, kinds)):
            form = written.translate(_SIMPLE)
            if _EQUALS in kinds:
                form = form.rstrip(b"=")
            size = len(form)
            if _EQUALS not in kinds or _EQUALS not in form:
                is_none = size < LENGTH_MIN or (size <= _COMMON_LENGTH_MAX and form in _COMMON_ENCODED)
                own = () if is_none else (form,)
                return (*own, *_encoded_segments(text, own)) if is_below and _SLASH in kinds else own
    forms = forms_below(text) if is_below else forms_of(text)
    return [form.encode("utf-8", "surrogatepass") for form in forms]


def _encoded_segments(text: str, known: Sequence[bytes]) -> list[bytes]:
    """The forms of what lies between the slashes of ``text``, without those that are ``known``."""
    forms = [form.encode() for form in _meaningful(segments_of(text))]
    return [form for form in forms if form not in known]


def _may_be_encoded(written: bytes, kinds: bytes) -> bool:
    """Whether something could stand in ``written`` in hex or base64, as :func:`_unwrapped` finds it. In doubt, yes."""
    if _EQUALS in kinds:
        written = written.rstrip(b"=")
        kinds = kinds[: len(written)]
        if not kinds.isalnum():
            return False
    size = len(written)
    if size < _ENCODED_LENGTH_MIN:
        return False
    first = written[0]
    if written[1] in _XS and first == _ZERO:
        return True
    if first in _HEX_MEMBERS and written[1] in _HEX_MEMBERS and not written.translate(None, _HEX_DIGITS):
        return True  # all of it is hex
    # Most are none here, by their length or by a letter that would begin a byte which no text has there.
    if size % 4 == 1 or first not in _FIRST_LETTERS or not kinds[4:29:4].isalpha():
        return False
    content = binascii.a2b_base64(written.translate(_STANDARD_LETTERS) + b"==")
    # Bytes that are no UTF-8 at all: mostly so where it is a key, or was no base64. Cheaper to see so than by an exception.
    return (
        content.isascii()
        or content.decode("utf-8", "replace").find("\ufffd") < 0
        or content.find(_REPLACEMENT) >= 0  # by ``find``: ``in`` would first try to read it as a number
    )


def _meaningful(texts: Iterable[str]) -> list[str]:
    forms = (one_form(text) for text in texts if len(text) >= LENGTH_MIN)
    return list(dict.fromkeys(form for form in forms if len(form) >= LENGTH_MIN and form not in _COMMON_FORMS))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
        if len(value) <= _DOCUMENT_CHARACTERS_MAX:
            yield from _inside(value)
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)


def _inside(text: str) -> Iterator[str]:
    """What stands in a text that is a document of its own. One level deep: documents in documents are not looked for."""
    yield from respelled(text)
    stripped = text.strip()
    start = stripped[:1]
    if start in _QUOTES and stripped.endswith(start):
        yield stripped[1:-1]
    if start in {"{", "["}:
        try:
            document = json.decode_untrusted(text.encode("utf-8", "surrogatepass"))
        except InvalidRequest:
            return
        yield from _leaves(document)
    elif _PEM not in text:
        yield from _settings(text)


def _settings(text: str) -> Iterator[str]:
    yield from assigned_in(text)
    if "\n" in text:
        for line in text.splitlines()[:_LINES_MAX]:
            setting = _SETTING.fullmatch(line)
            if setting is not None:
                yield setting[1].strip().strip("'\"")


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _standard(text: str) -> str:
    """``text`` without blanks, and with the letters of base64 for URLs in those of the standard one."""
    words = text.split()
    joined = words[0] if len(words) == 1 else "".join(words)
    return joined.replace("-", "+").replace("_", "/")


def _unwrapped(encoded: re.Match[str] | None) -> str:
    """What stands in hex or base64 in the text that was found to look so, however often; the text itself where that is nothing."""
    found = ""
    for _ in range(_ROUNDS_MAX):
        if encoded is None:
            break
        found = encoded[0]
        is_hex = encoded.lastindex is not None
        try:
            content = bytes.fromhex(found) if is_hex else binascii.a2b_base64(found + "==")
        except binascii.Error:
            break  # it has a length that base64 never has
        inner = _as_text(content)
        if inner is None:
            return base64.b64encode(content).decode() if is_hex else found
        found = inner
        encoded = _ENCODED.fullmatch(found)
    return found


def _as_text(content: bytes) -> str | None:
    """``content`` as text, as :func:`_standard` has it, where somebody may have written it, and it is long enough to mean something."""
    if len(content.translate(None, _CONTROLS)) != len(content):
        return None  # mostly so where it is a key or was no base64 at all, and cheaper than to try
    try:
        text = _standard(content.decode())
    except UnicodeDecodeError:
        return None
    return text if len(text) >= LENGTH_MIN and text.isprintable() else None


_COMMON_FORMS = frozenset(one_form(text) for text in COMMON.split())
_COMMON_ENCODED = frozenset(form.encode() for form in _COMMON_FORMS)
_COMMON_LENGTH_MAX = max(map(len, _COMMON_ENCODED))
