"""Mail: the parts of messages that are encoded, and attachments. What is written plainly is read in the file itself, with its lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import TYPE_CHECKING

from strongroom.scanner.containers.limits import DamagedContainer
from strongroom.scanner.containers.member import Member, Opening, Stream, label

if TYPE_CHECKING:
    from email.message import Message

_FIELD = re.compile(
    rb"(?im)^(?:From|To|Cc|Subject|Date|Received|Return-Path|Delivered-To|Message-ID|MIME-Version|Content-Type|Reply-To"
    rb"|DKIM-Signature|X-[A-Z-]{2,40}|Content-Transfer-Encoding|List-[A-Z]{2,20}|Sender|User-Agent)[ \t]*:"
)
_FIRST = re.compile(rb"(?:From \S|[A-Za-z][A-Za-z0-9-]{1,60}[ \t]*:[ \t])")
_NEXT = re.compile(rb"(?m)^From [^\r\n]{0,200}[0-9]{4}\r?\n")
_PARTS = 2000


def is_mail(head: bytes) -> bool:
    """Whether a file that begins so is a message or a mailbox: it begins with a header of which three fields are known from mail."""
    if not _FIRST.match(head, 0):
        return False
    header = re.split(rb"\r?\n\r?\n", head, maxsplit=1)[0]
    names = {found[0].strip(b" \t:").lower() for found in _FIELD.finditer(header)}
    return len(names) >= 3 and bool(names & {b"mime-version", b"received", b"message-id", b"content-type", b"from"})


def open_mail(stream: Stream, opening: Opening) -> Iterator[Member]:
    """The encoded parts of every message, by file name or by number."""
    from email import errors, message_from_bytes

    data = stream.read(opening.limits.whole_bytes)
    starts = [found.end() for found in _NEXT.finditer(data)] or [0]
    number = 0
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        try:
            parts = list(_walk(message_from_bytes(data[start:end])))
        except (RecursionError, errors.MessageError, ValueError, LookupError, TypeError, AttributeError):
            raise DamagedContainer("a message is not well-formed: its attachments were not opened") from None
        for part in parts:
            number += 1
            if content := _content(part):
                yield Member(_name(part, number), BytesIO(content))


def _walk(message: Message) -> Iterator[Message]:
    for number, part in enumerate(message.walk()):
        if number >= _PARTS:
            return
        if not part.is_multipart():
            yield part


def _content(part: Message) -> bytes:
    """What an encoded part holds; nothing for one that is not encoded."""
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoding not in {"base64", "quoted-printable", "x-uuencode", "uuencode"}:
        return b""
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError, TypeError, AttributeError):
        return b""
    return content if isinstance(content, bytes) else b""


def _name(part: Message, number: int) -> str:
    try:
        return label(part.get_filename() or f"part {number}")
    except (ValueError, LookupError, TypeError, AttributeError):
        return f"part {number}"
