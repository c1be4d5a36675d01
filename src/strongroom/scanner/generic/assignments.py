"""Values that are given to a name: by code, by configuration, by markup."""

from __future__ import annotations

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
from strongroom.scanner.rule import Kind, Rule, Severity

TO_STRING = CLOSERS + TYPE + OPERATOR + WRAPPING


def generic(identifier: str, title: str, pattern: str, keywords: tuple[str, ...] = TELLING + HINTING, reach: int = 700) -> Rule:
    return Rule(identifier, title, pattern, keywords, Kind.GENERIC, Severity.MEDIUM, reach=reach)

DOUBLE=(r"(?:\\{0,3}\"{1,3}|&quot;|&#34;|\xe2\x80\x9c)(?P<secret>",r"(?:[^\"\\\r\n&\xe2]|\\[^\"\r\n]|&[^q#\"\r\n]){2,}",r")(?:\"|\\\"|&quot;|&#34;|\xe2\x80\x9d)")
SINGLE=(r"(?:\\{0,3}'{1,3}|&#39;|\xe2\x80\x98)(?P<secret>",r"(?:[^'\\\r\n&\xe2]|\\[^'\r\n]|&[^#'\r\n]){2,}",r")(?:'|\\'|&#39;|\xe2\x80\x99)")
BARE=r"[ \t]{0,40}(?:=>|:=|={1,2}|:)[ \t]{0,40}(?P<secret>"
BODY=r"[^\s\"'`<>(){}\[\],;|&\\:$%=*/][^\s\"'`<>(){}\[\],;|&\\]{2,}"
BARE_END=r")(?:[\s\"'`<,;|&\\)}\]]|\z)"
ASSIGNMENT_RULES = (
    generic("assigned-double-quoted", "A string given to a telling name", TELLING_NAME+TO_STRING+"".join(DOUBLE),TELLING),
    generic("assigned-single-quoted", "A string given to a telling name", TELLING_NAME+TO_STRING+"".join(SINGLE),TELLING),
    generic("keyed-double-quoted", "A string given to a hinting name", HINTING_NAME+TO_STRING+DOUBLE[0]+NO_WORD+DOUBLE[1]+DOUBLE[2],HINTING),
    generic("keyed-single-quoted", "A string given to a hinting name", HINTING_NAME+TO_STRING+SINGLE[0]+NO_WORD+SINGLE[1]+SINGLE[2],HINTING),
    generic("assigned-back-quoted", "A string given to a telling name", ANY_NAME+TO_STRING + r"`{1,3}(?P<secret>[^`\r\n ]{3,})`"),
    generic("assigned-bare", "A word given to a telling name", TELLING_NAME + CLOSERS + BARE+BODY+BARE_END,TELLING),
    generic("keyed-bare", "A word given to a hinting name", HINTING_NAME + CLOSERS + BARE+r"(?:[A-Za-z_\-.]{0,20}[0-9+/@#!?~%]|[A-Z]{10}|[a-z]{13})"+BODY+BARE_END,HINTING),
    generic("assigned-object", "An object in JSON given to a telling name", TELLING_NAME + CLOSERS + OPERATOR+r"\"(?P<secret>\{(?:\\\"|[^\"\\\r\n]){12,400}\})\"",TELLING),
    generic(
        "element-text",
        "The text of an XML element with a telling name",
        r"<[\w:.\-]{0,40}"+ANY_NAME + r"[^<>\r\n]{0,80}>\s{0,40}(?:<!\[CDATA\[)?(?P<secret>[^\s<>][^<>\r\n]{2,300})(?:</|\]\]>)",
    ),
    generic(
        "named-value",
        "The value beside a telling name",
        ANY_NAME + r"[\"'\])]{0,3}\s{0,3}(?:,|=>?|/>)?[\s{]{1,60}(?:<|-\s)?[\"']?(?i:value|val|default)[\"']?\s{0,4}[=:>]\s{0,4}[\"']?(?P<secret>[^\s\"'<>{}\[\],]{3,})[\"'\s,/<]",
    ),
    generic(
        "second-argument",
        "The second argument of a call with a telling name",
        TELLING_NAME + r"\s?\(\s{0,4}[\"'][^\"'\r\n]{0,60}[\"']\s{0,3},\s{0,3}[\"'](?P<secret>[^\"'\\\r\n]{2,200})[\"']",
    ),
    generic(
        "bytes-list",
        "A list of bytes given to a telling name",
        ANY_NAME + r"[\])]{0,2}\s{0,10}(?::=|[=:])[^\"'\r\n\d]{0,40}[{\[(]\s{0,40}(?P<secret>(?:(?:0x[0-9a-fA-F]{1,2}|\d{1,3})\s{0,40},\s{0,40}){7}[0-9a-fA-Fx,\s]{0,300})[}\])]",
        reach=900,
    ),
)
