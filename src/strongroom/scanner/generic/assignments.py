"""Values that are given to a name: by code, by configuration, by markup."""

from __future__ import annotations

import re

from strongroom.scanner.generic.candidates import generic
from strongroom.scanner.generic.names import (
    ANY_NAME,
    CLOSERS,
    HINTING,
    HINTING_NAME,
    NO_WORD,
    OPERATOR,
    TELLING,
    TELLING_NAME,
    TYPE,
    WRAPPING,
)

_ALL = TELLING + HINTING
_TO_STRING = CLOSERS + TYPE + OPERATOR + WRAPPING

_DOUBLE_OPEN = r"(?:\\{0,3}\"{1,3}|&quot;|&#34;|\xe2\x80\x9c)(?P<secret>"
_DOUBLE_BODY = r"(?:[^\"\\\r\n&\xe2]|\\[^\"\r\n]|&[^q#\"\r\n]){2,}"
_DOUBLE_CLOSE = r")(?:\"|\\\"|&quot;|&#34;|\xe2\x80\x9d)"
_SINGLE_OPEN = r"(?:\\{0,3}'{1,3}|&#39;|\xe2\x80\x98)(?P<secret>"
_SINGLE_BODY = r"(?:[^'\\\r\n&\xe2]|\\[^'\r\n]|&[^#'\r\n]){2,}"
_SINGLE_CLOSE = r")(?:'|\\'|&#39;|\xe2\x80\x99)"

_DOUBLE_ENDINGS = (b'"', b"&quot;", b"&#34;", b"\xe2\x80\x9d")
_SINGLE_ENDINGS = (b"'", b"&#39;", b"\xe2\x80\x99")


def _either(name: str, first: str) -> str:
    """The pattern of both kinds of strings, which begin with `first`, given to `name`."""
    double = _DOUBLE_OPEN + first + _DOUBLE_BODY + _DOUBLE_CLOSE
    single = _SINGLE_OPEN + first + _SINGLE_BODY + _SINGLE_CLOSE
    return re.sub(r"\?P<\w+>", "?:", f"{name}{_TO_STRING}(?:{double}|{single})")


_TOLD = _either(TELLING_NAME, "")
_HINTED = _either(HINTING_NAME, NO_WORD)

_TO_WORD = r"[ \t]{0,40}(?:=>|:=|={1,2}|:)[ \t]{0,40}(?P<secret>"
_WORD = r"[^\s\"'`<>(){}\[\],;|&\\:$%=*/][^\s\"'`<>(){}\[\],;|&\\]{2,}"
_WORD_END = r")(?:[\s\"'`<,;|&\\)}\]]|\z)"
_NO_PLAIN_WORD = r"(?:[A-Za-z_\-.]{0,20}[0-9+/@#!?~%]|[A-Z]{10}|[a-z]{13})"

_BYTE = r"(?:0x[0-9a-fA-F]{1,2}|\d{1,3})\s{0,40},\s{0,40}"

ASSIGNMENT_RULES = (
    generic(
        "assigned-double-quoted",
        "A string given to a telling name",
        TELLING_NAME + _TO_STRING + _DOUBLE_OPEN + _DOUBLE_BODY + _DOUBLE_CLOSE,
        TELLING,
        (
            (
                'db_password = "{base62:12}"',
                '"clientSecret": "{base62:40}",',
                'const val TOKEN: String = "{base62:32}"',
                '{{\\"pass\\":\\"{base62:9}\\"}}',
                'Password: []string{{"{base62:9}"}}',
            ),
            ("password = read_password()", 'user = "{base62:12}"', 'password = ""'),
        ),
        family=_TOLD,
        endings=_DOUBLE_ENDINGS,
    ),
    generic(
        "assigned-single-quoted",
        "A string given to a telling name",
        TELLING_NAME + _TO_STRING + _SINGLE_OPEN + _SINGLE_BODY + _SINGLE_CLOSE,
        TELLING,
        (
            (
                "$password = '{base62:12}';",
                "'consumer_secret' => '{base62:20}'",
                "define('DB_PASSWORD', '{base62:9}');",
            ),
            ("password = read_password()", "user = '{base62:12}'", "password = ''"),
        ),
        family=_TOLD,
        endings=_SINGLE_ENDINGS,
    ),
    generic(
        "keyed-double-quoted",
        "A string given to a name that may be a secret's",
        HINTING_NAME + _TO_STRING + _DOUBLE_OPEN + NO_WORD + _DOUBLE_BODY + _DOUBLE_CLOSE,
        HINTING,
        (
            ('api_key = "{HEX:32}"', '"salt": "0{base62:20}"', 'session("signing_key", "1{base62:30}")'),
            ('"key": "Content-Type"', 'primary_key = "name"'),
        ),
        family=_HINTED,
        endings=_DOUBLE_ENDINGS,
    ),
    generic(
        "keyed-single-quoted",
        "A string given to a name that may be a secret's",
        HINTING_NAME + _TO_STRING + _SINGLE_OPEN + NO_WORD + _SINGLE_BODY + _SINGLE_CLOSE,
        HINTING,
        (("apiKey: '0{base62:31}'", "oauth_nonce: '7{hex:31}'"), ("key: 'Content-Type'", "'author': 'somebody'")),
        family=_HINTED,
        endings=_SINGLE_ENDINGS,
    ),
    generic(
        "assigned-back-quoted",
        "A string between back quotes given to a telling name",
        ANY_NAME + _TO_STRING + r"`{1,3}(?P<secret>[^`\r\n ]{3,})`",
        _ALL,
        (("apiKey := `{base62:32}`", "Consumer Secret: ``{base62:16}``"), ("password: `see below`", "key: ``")),
    ),
    generic(
        "assigned-bare",
        "A word given to a telling name",
        TELLING_NAME + CLOSERS + _TO_WORD + _WORD + _WORD_END,
        TELLING,
        (
            ("DB_PASSWORD={base62:12}", "password: {base62:12}\n", "?access_token={base62:30}&x=1", "Pwd={base62:8};"),
            ("password=", "password: $PASSWORD", "password = getpass()"),
        ),
    ),
    generic(
        "keyed-bare",
        "A word given to a name that may be a secret's",
        HINTING_NAME + CLOSERS + _TO_WORD + _NO_PLAIN_WORD + _WORD + _WORD_END,
        HINTING,
        (("API_KEY=0{base62:30}", "nkey: {HEX:50}1\n"), ("primary_key: name", "key = value")),
    ),
    generic(
        "assigned-object",
        "An object in a string given to a telling name",
        TELLING_NAME + CLOSERS + OPERATOR + r"\"(?P<secret>\{\\\"\w{1,40}\\\"\s?:\s?\\\"(?:[^\"\\\r\n]|\\\")+\})\"",
        TELLING,
        (
            (
                '"Apitoken": "{{\\"id\\":\\"7\\",\\"key\\":\\"{hex:30}\\"}}"',
                '"token": "{{\\"t\\": \\"{base62:20}\\"}}"',
            ),
            ('"token": "{{}}"', '"token": {{"t": 1}}'),
        ),
    ),
    generic(
        "element-text",
        "The text of an XML element with a telling name",
        r"<[\w:.\-]{0,40}"
        + ANY_NAME
        + r"[^<>\r\n]{0,80}>\s{0,40}(?:<!\[CDATA\[)?(?P<secret>[^\s<>][^<>\r\n]{2,300})(?:</|\]\]>)",
        _ALL,
        (
            ("<password>{base62:12}</password>", "<apiKey><![CDATA[{base62:20}]]></apiKey>"),
            ("<password></password>", "<user>{base62:12}</user>"),
        ),
    ),
    generic(
        "attribute-named-text",
        "The text of an XML element whose attribute is a telling name",
        r"=\s?[\"'][\w:.\- /]{0,60}"
        + ANY_NAME
        + r"[\"'][^<>\r\n]{0,80}>\s{0,40}(?:<!\[CDATA\[)?(?P<secret>[^\s<>][^<>\r\n]{2,300})(?:</|\]\]>)",
        _ALL,
        (
            (
                '<property name="connection.password">{base62:12}</property>',
                "<string name='api_key'>{base62:39}</string>",
            ),
            ('<property name="connection.user">{base62:12}</property>', '<string name="api_key"></string>'),
        ),
    ),
    generic(
        "named-value",
        "The value beside a telling name",
        ANY_NAME
        + r"[\"'\])]{0,3}\s{0,3}(?:,|=>?|/>)?[\s{]{1,60}(?:<|-\s)?[\"']?(?i:value|val|default|with)[\"']?"
        + r"\s{0,4}[=:>]\s{0,4}[\"']?(?P<secret>[^\s\"'<>{}\[\],]{3,})[\"'\s,/<]",
        _ALL,
        (
            ('<add key="SmtpPassword" value="{base62:12}" />', "- name: API_TOKEN\n  value: {base62:30}\n"),
            ('<add key="SmtpHost" value="{base62:12}" />', "value: {base62:30}\n"),
        ),
    ),
    generic(
        "second-argument",
        "The second argument of a call with a telling name",
        TELLING_NAME
        + r"\s?\(\s{0,4}[\"'][^\"'\r\n]{0,60}[\"']\s{0,3},\s{0,3}[\"'](?P<secret>[^\"'\\\r\n]{2,200})[\"']",
        TELLING,
        (
            ('new GitCredential("alice", "{base62:10}")', "set_secret('db', '{base62:10}')"),
            ('new Account("alice", "{base62:10}")', "get_secret('db', name)"),
        ),
    ),
    generic(
        "bytes-list",
        "A list of bytes given to a telling name",
        ANY_NAME
        + r"[\])]{0,2}\s{0,10}(?::=|[=:])[^\"'\r\n\d]{0,40}[{\[(]\s{0,40}"
        + r"(?P<secret>(?:"
        + _BYTE
        + r"){7}[0-9a-fA-Fx,\s]{0,600})[}\])]",
        _ALL,
        (
            (
                "authData := []byte{{12, 34, 56, 78, 90, 12, 34, 56, 78}}",
                "KEY = [0x1f, 0x2e, 0x3d, 0x4c, 0x5b, 0x6a, 0x79, 0x88]",
            ),
            ("keys = [1, 2, 3]", "sizes = [12, 34, 56, 78, 90, 12, 34, 56]"),
        ),
        reach=900,
    ),
)
