"""Places in which values stand, and ways in which they are written there."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

Writing = Callable[[bytes], bytes]


def _wrapped(value: bytes, width: int = 76) -> bytes:
    digits = base64.b64encode(value)
    return b"\n".join(digits[at : at + width] for at in range(0, len(digits), width))


WRITINGS: dict[str, Writing] = {
    "as it is": lambda value: value,
    "base64": base64.b64encode,
    "base64 without padding": lambda value: base64.b64encode(value).rstrip(b"="),
    "base64 for addresses": base64.urlsafe_b64encode,
    "base64 of base64": lambda value: base64.b64encode(base64.b64encode(value)),
    "user and value in base64": lambda value: base64.b64encode(b"admin:" + value),
    "small hex": lambda value: value.hex().encode(),
    "large hex": lambda value: value.hex().upper().encode(),
    "hex with colons": lambda value: value.hex(":").encode(),
    "percent where needed": lambda value: quote(value, safe="").encode(),
    "percent everywhere": lambda value: b"".join(b"%%%02X" % code for code in value),
    "form field": lambda value: quote_plus(value).encode(),
    "html": lambda value: html.escape(value.decode(errors="surrogateescape")).encode(errors="surrogateescape"),
    "json": lambda value: json.dumps(value.decode(errors="surrogateescape"))[1:-1].encode(errors="surrogateescape"),
    "json in json": lambda value: json.dumps(json.dumps(value.decode())[1:-1])[1:-1].encode(),
    "escaped bytes": lambda value: b"".join(b"\\x%02x" % code for code in value),
}
"""Each writes a value in another way."""

PLACES: dict[str, bytes] = {
    "double quotes": b'const a = 1;\npassword = "@"; // it\nb = "c"\n',
    "single quotes": b"it's a\nx = call('@', 5)\ny = 'z'\n",
    "backquotes": b"run `@` now\n",
    "env": b"A=1\nexport DB_PASSWORD=@\nB=2\n",
    "yaml": b"db:\n  password: @\n  port: 5432\n",
    "properties": b"db.password = @\n",
    "json": b'{"a": 1, "password": "@", "b": [1]}',
    "xml": b"<db><password>@</password></db>\n",
    "csv": b"id,name,password,note\n1,app,@,none\n",
    "table": b"| app | @ | yes |\n",
    "alone on a line": b"these are they:\n\t@\r\nend\n",
    "whole file": b"@\n",
    "markdown": b"The password is **@**, do not tell.\n",
    "comment": b"x = 1  # old: @\n",
    "log": b"2026-11-29T12:00:00Z INFO login ok password=@\n",
    "header": b"GET / HTTP/1.1\nX-Api-Key: @\nAccept: */*\n",
    "here-document": b"cat <<EOF > f\n@\nEOF\n",
}
"""Where a value stands, at the sign; each takes every value of one line."""

TIGHT_PLACES: dict[str, bytes] = {
    "address": b"url = postgres://app:@@db.internal:5432/app?sslmode=require\n".replace(b":@@", b":@\x00"),
    "argument": b"mysql --host=db --password=@ app\n",
    "glued argument": b"mysql -uapp -p@ app\n",
    "query": b"https://example.com/login?user=a&password=@&next=/\n",
    "call": b"connect(host,@,5432)\n",
    "sentence": b"We use @, as before.\n",
    "connection string": b"Server=db;User Id=app;Password=@;Encrypt=yes\n",
    "minified": b'!function(e){var t=f("a",1),n=[@,2,3];return t.b(n)};' * 3,
}
"""Places where blanks, or quotes, would end a value."""


def planted(place: bytes, written: bytes) -> bytes:
    """What stands in a place with a value in it."""
    return place.replace(b"@", written).replace(b"\x00", b"@")
