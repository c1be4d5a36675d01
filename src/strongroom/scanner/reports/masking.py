"""Secrets and file names as they may be shown: a secret so that its owner knows which one it is, a name so that it does nothing to who reads it."""

from __future__ import annotations

import re
import unicodedata

_HINT = 4
_LONG_ENOUGH = 20
_KEY_HEAD = b"-----BEGIN "
_COMMAND = re.compile(r"\A\s*::|##(?=[A-Za-z-]{0,40}\[)")
"""How commands to the machines of CI begin that read what is printed: `::` in front of a line, `##[` and `##vso[` wherever they stand."""
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def masked(value: bytes, *, redact: bool = False) -> str:
    """The first characters of a long secret and its length; of a short one, or with `redact`, nothing but stars."""
    if redact:
        return "***"
    if value.startswith(_KEY_HEAD) and (end := value.find(b"-----", len(_KEY_HEAD), 64)) > 0:
        return f"{printable(value[: end + 5].decode('ascii', 'replace'))}… ({len(value)} bytes)"
    hint = value[:_HINT].decode("ascii", "replace") if len(value) >= _LONG_ENOUGH else ""
    return f"{printable(hint)}*** ({len(value)} bytes)"


def shown(value: bytes) -> str:
    """A secret in full, as text."""
    return value.decode("utf-8", "backslashreplace")


def printable(text: str) -> str:
    """`text` with everything escaped that is not seen: controls, line breaks, marks that turn the direction of writing."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(char) if unicodedata.category(char) in _HIDDEN else char for char in text)


def logged(text: str) -> str:
    """What `printable` gives, for what is printed, perhaps into a log of CI: nothing in it is a command to the machine that reads the log."""
    return _COMMAND.sub(lambda begin: begin[0][:-1] + _escaped(begin[0][-1]), printable(text))


def _escaped(char: str) -> str:
    number = ord(char)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
