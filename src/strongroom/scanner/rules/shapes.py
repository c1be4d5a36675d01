r"""How the patterns of rules are put together: a token with its edges, and a value that is assigned to a name that says whose it is.

Edges are `\b` where the token's alphabet is that of words, else one more byte that is none of the alphabet: RE2 and Hyperscan both
read these, and neither needs to look around. RE2 counts to 1000 at most: what may be longer repeats without a bound, and the rule's
`reach` is its longest match.
"""

from __future__ import annotations

HEX32 = "[0-9a-f]{32}"
HEX40 = "[0-9a-f]{40}"
HEX64 = "[0-9a-f]{64}"
UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
ANY_UUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"

_NOT_URL_LETTER = "(?:[^0-9A-Za-z_-]|$)"
_NOT_BASE64_LETTER = "(?:[^0-9A-Za-z+/=_-]|$)"
_LINK = r"(?:\\{0,3}['\"\]]){0,2}[ \t]{0,16}(?::?=|=>|:|,|\()[ \t]{0,16}(?:[a-z]{1,12}\(|[\[{(])?[ \t]{0,4}"
_OPENS = r"(?:\\{0,3}['\"`]|@['\"])?"
_CLOSES = r"(?:[^0-9A-Za-z_+/=.-]|$)"


def token(body: str) -> str:
    """A token whose first and last characters are letters, digits or underscores."""
    return rf"\b(?P<secret>{body})\b"


def url_token(body: str) -> str:
    """A token in the alphabet of base64url, which may end in a dash."""
    return rf"\b(?P<secret>{body}){_NOT_URL_LETTER}"


def base64_token(body: str) -> str:
    """A token in the alphabet of base64, with the equals signs at its end if it has some."""
    return rf"(?:^|[^0-9A-Za-z+/_-])(?P<secret>{body}){_NOT_BASE64_LETTER}"


def assigned(words: str, body: str) -> str:
    """A value that is assigned to a name that begins with `words`, an expression in small letters read without regard to case.

    This is for keys that have no mark of their own: only the provider's name beside them says what they are.
    """
    return rf"(?P<name>(?i:{words})[\w.-]{{0,40}}){_LINK}{_OPENS}(?P<secret>{body}){_CLOSES}"


def header(names: str, body: str) -> str:
    """A value in a header, or in an argument that is named like the header."""
    return rf"(?P<name>(?i:{names}))['\"]{{0,2}}[ \t]{{0,8}}(?::|=>|=|,)[ \t]{{0,8}}['\"]?(?P<secret>{body}){_CLOSES}"
