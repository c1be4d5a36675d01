"""The words that make a name promise a secret, and the pieces that every assignment rule is put together from.

Patterns start at the word itself, not at the start of the name around it (`DB_` of `DB_PASSWORD`): an automaton then has a
literal to wait for. Whoever wants the whole name reads backwards from there.
"""

from __future__ import annotations

TELLING = ("pass", "pwd", "secret", "token", "cred")
"""Words that promise a secret, whatever the value looks like. In lower case."""

HINTING = ("key", "auth", "api", "salt", "nonce", "pw", "session", "signature")
"""Words that stand in many names that hold no secret: their values must not be plain words."""


def name(words: tuple[str, ...]) -> str:
    """The pattern of a name from one of `words` on, in any case."""
    return rf"(?P<name>(?i:{'|'.join(words)})[\w.\-]{{0,40}})"


QUOTE = r"(?:\\{0,3}[\"'`]|&quot;|&#3[49];|\xe2\x80[\x98\x9c])"
"""What opens or closes a string: also inside another string, in HTML, and as typographers draw it."""

CLOSERS = rf"(?:{QUOTE}|[\])*]){{0,4}}"
"""What may stand between a name and its operator: the quote of a key, the bracket of an index, the stars of Markdown."""

TYPE = r"(?:\s?:\s{0,3}[A-Za-z_&*?][\w.&*?<>\[\] ]{0,24})?"
"""A type that a language writes between a name and its value."""

OPERATOR = r"\s{0,40}(?:=>|:=|[!=]?={1,2}|[:,({]|\?\?|\|\||or\b)\s{0,40}"
"""What assigns, compares, defaults, maps or calls."""

WRAPPING = r"(?:(?:new |not )?(?:\[\]string|\[\]byte|[A-Za-z_][\w.:]{0,40})?[(\[{]\s{0,4}){0,2}[bBuUrRfFL@$]{0,2}"
"""What may stand around a string: a list, a call, a conversion, the prefix of a literal."""

TELLING_NAME = name(TELLING)
HINTING_NAME = name(HINTING)
ANY_NAME = name(TELLING + HINTING)

NO_WORD = r"(?:[A-Za-z_\-. ]{0,40}[0-9+/=@#%^&*!?~$]|[A-Z]{10}|[a-z]{13})"
"""The beginning of a value that is more than words: a digit or a sign comes early."""
