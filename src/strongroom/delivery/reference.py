"""References: where a value is, in a form that can be committed, since it holds no value.

    sr://ENVIRONMENT/PATH[?version=N][#KEY]     in an environment; ``sr:///PATH#KEY`` means the one in use
    PATH#KEY                                    a path of the server, as ``kv get`` takes it

In the first form ``%``, ``#``, ``?``, spaces, quotes and everything beyond ASCII stand percent-encoded (RFC 3986). The second
form is taken as it is, up to its first ``#``.
"""

from __future__ import annotations

from typing import NamedTuple

SCHEME = "sr://"
LENGTH_MAX = 2048
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&*+,;=:@")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")
_NAME_LENGTH_MAX = 64
_HEX = frozenset("0123456789abcdefABCDEF")
_VERSION_DIGITS_MAX = 18


class BadReference(Exception):
    """A text that is no reference. The error does not repeat it: it may be a value that was put in the wrong place."""


class Reference(NamedTuple):
    """Where a value is.

    ``environment`` is None for a path of the server, and ``""`` for the environment in use. Without a ``key`` the whole
    secret is meant; ``version`` 0 is the newest.
    """

    environment: str | None
    path: str
    key: str = ""
    version: int = 0

    def __str__(self) -> str:
        key = self.key
        if self.environment is None:
            return f"{self.path}#{key}" if key else self.path
        version = f"?version={self.version}" if self.version else ""
        return f"{SCHEME}{self.environment}/{_encoded(self.path, '/')}{version}" + (f"#{_encoded(key)}" if key else "")


def is_reference(text: str) -> bool:
    """Whether ``text`` is meant to be a reference: it starts with ``sr://``, or names a key after ``#``."""
    return text.startswith(SCHEME) or "#" in text.strip("#")


def parse(text: str) -> Reference:
    """The reference that ``text`` is. Raises BadReference."""
    if len(text) > LENGTH_MAX:
        raise BadReference(f"a reference has at most {LENGTH_MAX} characters")
    if not text.startswith(SCHEME):
        path, _, key = text.partition("#")
        return Reference(None, _checked_path(path.strip("/")), _checked(key, "key"))
    place, hash_sign, key = text.removeprefix(SCHEME).partition("#")
    place, _, query = place.partition("?")
    environment, slash, path = place.partition("/")
    if not slash:
        raise BadReference("a reference names a path after the environment: sr://ENVIRONMENT/PATH#KEY")
    if hash_sign and not key:
        raise BadReference("a reference that ends in # names no key: sr://ENVIRONMENT/PATH#KEY")
    return Reference(
        checked_environment(environment) if environment else "",
        _checked_path(_decoded(path)),
        _checked(_decoded(key), "key"),
        _version(query),
    )


def checked_environment(name: str) -> str:
    """``name``, which may be that of an environment. Raises BadReference."""
    if not name or len(name) > _NAME_LENGTH_MAX or not _NAME.issuperset(name):
        raise BadReference(
            f"the name of an environment has small letters, digits, - and _, and at most {_NAME_LENGTH_MAX} of them"
        )
    return name


def _version(query: str) -> int:
    if not query:
        return 0
    name, _, digits = query.partition("=")
    if name != "version" or not (digits.isascii() and digits.isdigit() and len(digits) <= _VERSION_DIGITS_MAX):
        raise BadReference("after ? a reference can say version=NUMBER, and nothing else")
    if int(digits) == 0:
        raise BadReference("versions are counted from 1; leave ?version away for the newest")
    return int(digits)


def _checked_path(path: str) -> str:
    _checked(path, "path")
    if any(segment in {"", ".", ".."} for segment in path.split("/")):
        raise BadReference("the path in a reference has names between single slashes, and no . or .. among them")
    return path


def _checked(text: str, what: str) -> str:
    if not all(letter.isprintable() or letter == "\u00a0" for letter in text):
        raise BadReference(f"the {what} in a reference holds characters that cannot be printed")
    return text


def _encoded(text: str, also: str = "") -> str:
    kept = _PLAIN | frozenset(also)
    return "".join(letter if letter in kept else "".join(f"%{byte:02X}" for byte in letter.encode()) for letter in text)


def _decoded(text: str) -> str:
    content = bytearray()
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == "%":
            digits = text[at + 1 : at + 3]
            if len(digits) != 2 or not _HEX.issuperset(digits):
                raise BadReference("a % in a reference starts two hexadecimal digits; % itself is %25")
            content.append(int(digits, 16))
            at += 3
            continue
        if letter not in _PLAIN and letter != "/":
            raise BadReference(
                "a reference holds a character that must be percent-encoded (a space is %20, a quote %22)"
            )
        content += letter.encode()
        at += 1
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise BadReference("what is percent-encoded in a reference must be UTF-8") from None
