"""What a value looks like, apart from what it says: its alphabet and rhythm, and the well-known forms of what is no secret."""

from __future__ import annotations

import re
from itertools import groupby

_LETTERS_AND_DIGITS = {
    **dict.fromkeys(range(ord("a"), ord("z") + 1), ord("a")),
    **dict.fromkeys(range(ord("A"), ord("Z") + 1), ord("A")),
    **dict.fromkeys(range(ord("0"), ord("9") + 1), ord("0")),
    **dict.fromkeys(range(128, 256), ord("~")),
}
_CLASSES = bytes(_LETTERS_AND_DIGITS.get(code, code) for code in range(256))


def classes(value: bytes) -> bytes:
    """`value` with each lower-case letter as `a`, each capital as `A`, each digit as `0`, and what is no ASCII as `~`."""
    return value.translate(_CLASSES)


def skeleton(value: bytes) -> str:
    """The classes of `value` with runs drawn together: of `Abc3-x` it is `Aa0-a`."""
    return skeleton_of(value.translate(_CLASSES))


def skeleton_of(pattern: bytes) -> str:
    """The skeleton of what has these classes."""
    return "".join([chr(code) for code, _ in groupby(pattern)])


_FILE_TYPES = (
    rb"pem|key|crt|cer|der|json|ya?ml|xml|txt|conf|cfg|ini|js|ts|py|rb|go|java|cs|php|html?|md|png|svg|jks|p12|pfx|pub|jar"
    rb"|properties|env|sh|com|org|net|io|dev|local|log|db|toml|lock|gpg|asc|creds"
)
# What a value is as a whole: the first that fits.
_WHOLE = (
    (
        "template",
        rb"[$#%@]\{.*\}|\{\{.*\}\}|\$\(.*\)|<[^<>]*>?|%\w+%|\$[A-Za-z_]\w*|%\(?\w*\)?[sdvq]|\[[A-Za-z _-]+\]?|\{\w*\}|__\w+__|@\w+@",
    ),
    ("number", rb"[\d.,]+"),
    ("hex-number", rb"0x[0-9a-fA-F]+"),
    ("byte-list", rb"(?:0x)?[0-9a-fA-F]{1,3}\s*,.*"),
    ("constant", rb"[A-Z]+(?:[_-][A-Z]+)+\d?"),
    ("snake", rb"[a-z]+(?:_[a-z]+)+\d?"),
    ("kebab", rb"[a-z]+(?:-[a-z]+)+\d?"),
    ("camel", rb"[a-z]{2,}(?:[A-Z][a-z]+)+\d?|(?:[A-Z][a-z]+){2,}\d?"),
    ("hash", rb"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128}"),
    ("hex", rb"[0-9a-f]{8,}|[0-9A-F]{8,}"),
    ("small-word", rb"[a-z]+"),
    ("capital-word", rb"[A-Z]+"),
    ("name", rb"[A-Z][a-z]+"),
    ("letters", rb"[A-Za-z]+"),
    ("word-digits", rb"[A-Za-z]+\d{1,6}"),
    ("word-digits-sign", rb"[A-Za-z]+\d*[!@#$%^&*?._\-]{1,2}\d*"),
    ("uuid", rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    ("mail", rb"[\w.+\-]+@[\w\-]+\.[\w.]+"),
    ("file", rb"[^\s:]*\.(?:" + _FILE_TYPES + rb")"),
    ("member", rb"[@$&*!]?[A-Za-z_$@][\w$]*(?:(?:\.|::|->|\?\.)[A-Za-z_$]\w*)+[!?(]?.{0,2}"),
    ("mime", rb"(?:application|text|image|audio|video|multipart)/.*"),
    ("url", rb"[a-z][a-z0-9+.\-]{1,14}://.*"),
    ("path", rb"(?:\.{0,2}/|~/|[A-Za-z]:\\).*|[\w.\-]+(?:/[a-z_\-]+)+"),
    ("crypt", rb"\$\w{1,10}\$.*|\{(?:SHA|SSHA|MD5|CRYPT).*"),
    ("base32", rb"[A-Z2-7]{16,}=*"),
    ("prefixed", rb"[a-zA-Z]{2,8}[_\-][A-Za-z0-9]{10,}"),
    ("letters-digits", rb"[A-Za-z0-9]+"),
    ("base64", rb"[A-Za-z0-9+/]{12,}={0,2}"),
    ("base64url", rb"[A-Za-z0-9_\-]{12,}={0,2}"),
    ("call", rb"[\w.:>$-]{2,}\(.*"),
)
_FORM = re.compile(
    rb"|".join(rb"(?P<f%d>%s)" % (number, pattern) for number, (_, pattern) in enumerate(_WHOLE)), re.DOTALL
)
_FORM_NAMES = {f"f{number}": name for number, (name, _) in enumerate(_WHOLE)}

_LETTERS_OR_DIGITS = bytes(code for code, kind in _LETTERS_AND_DIGITS.items() if code < 128)
# What stands somewhere in a value, and which bytes besides letters and digits it needs. One value may show several.
_SIGNS = (
    ("template", b"{$<%", rb"[$#%]\{|\{\{|\$\(|<%|%[sdvq]\b|\{\d?\}|<[A-Za-z_ -]{2,60}>|\$[A-Za-z_]{3}"),
    ("phrase", b" ", rb"[A-Za-z]{2} [A-Za-z]{2}"),
    ("sentence", b" .!?:,", rb"[A-Za-z]+ [A-Za-z]+ [A-Za-z]+ [A-Za-z]+|(?:[.!?:,]\Z)"),
    ("masked", b"*.#-_?[\xe2", rb"\*{3}|\.{3}|#{3}|-{4}|_{4}|\?{3}|\xe2\x80\xa6|\[REDACTED"),
    ("format", b"\\", rb"\\[nrtu\"x]"),
    ("list", b",;", rb",.*,|;.*;"),
    ("assignment", b"=:", rb"[\w\]]\s?[=:]\s?[^\s=]"),
    ("code", b"(){};<>|&+", rb"[(){};<>|]|&&|\+\+| \+ "),
    ("concatenation", b"\"'+", rb"[\"']\s*[+.&]\s*|\A\s*\+"),
    ("padded", b"=", rb"(?:=\Z)"),
    ("date", b"-", rb"\b(?:19|20)\d\d-\d\d"),
    ("selector", b"#.[", rb"\A[#.][a-z]|\[[a-z]+="),
)
_COMPILED_SIGNS = tuple((name, frozenset(needed), re.compile(pattern)) for name, needed, pattern in _SIGNS)
_EASY = re.compile(
    rb"(?P<masked>[xX]{4}|redacted|REDACTED|masked|hidden|filtered)|(?P<run>(.)\3{3})"
    rb"|(?P<sequence>0123|1234|2345|3456|4567|5678|6789|9876|8765|4321|(?i:abcd|qwer|asdf|zxcv|dead.?beef|cafe.?babe|1a2b|a1b2|foobar))",
    re.DOTALL,
)


def form(value: bytes) -> str:
    """The one well-known form that `value` has as a whole, or `other`."""
    found = _FORM.fullmatch(value)
    return _FORM_NAMES[found.lastgroup] if found and found.lastgroup else "other"


def signs(value: bytes) -> list[str]:
    """What `value` shows somewhere in it."""
    marks = value.translate(None, _LETTERS_OR_DIGITS)
    found = []
    if marks:
        found = [
            name for name, needed, pattern in _COMPILED_SIGNS if not needed.isdisjoint(marks) and pattern.search(value)
        ]
    easy = _EASY.search(value)
    if easy and easy.lastgroup and easy.lastgroup not in found:
        found.append(easy.lastgroup)
    return found
