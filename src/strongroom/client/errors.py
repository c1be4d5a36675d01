"""What can go wrong between us and a server, as the person at the terminal reads it.

ClientError
├── BadSettings         an address, file, variable or header value that cannot be used
├── ConnectionFailed    no answer: refused, timed out, closed, or the certificate does not verify
├── BadAnswer           an answer that is not the HTTP or the JSON that it should be
└── ApiError            the server's own error
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_RAW_MESSAGE_MAX = 2000


class ClientError(Exception):
    """Root of the tree. Its text is for the person who typed the command, and holds no token and no value."""


class BadSettings(ClientError):
    """Something that was configured cannot be used. Nothing was sent."""


class ConnectionFailed(ClientError):
    """The server gave no answer. Whether it acted on the request is unknown once the request was sent."""


class BadAnswer(ClientError):
    """The answer was cut short, too large, or not what the protocol allows."""


class ApiError(ClientError):
    """The server answered with an error.

    ``errors`` are the server's texts, ``answer`` is its whole JSON object where it sent one (a 404 may carry data and
    warnings), and ``str()`` has the form that Vault's users know.
    """

    def __init__(self, status: int, method: str, url: str, body: bytes, answer: Mapping[str, Any] | None) -> None:
        super().__init__(status, method, url)
        self.status = status
        self.method = method
        self.url = url
        self.body = body
        self.answer = answer
        listed = answer.get("errors") if answer is not None else None
        self.errors: tuple[str, ...] | None = tuple(map(str, listed)) if isinstance(listed, list) else None

    def __str__(self) -> str:
        head = f"Error making API request.\n\nURL: {self.method} {self.url}\nCode: {self.status}. "
        if self.errors is not None:
            return head + "Errors:\n\n" + "\n".join(f"* {printable(text)}" for text in self.errors)
        if self.answer is not None:
            return head + "Errors:\n\n"
        return head + "Raw Message:\n\n" + printable(self.body[:_RAW_MESSAGE_MAX].decode("utf-8", "replace"))


def printable(text: str) -> str:
    """``text`` without the control characters with which a server could play tricks on a terminal."""
    return "".join(letter if letter in "\n\t" or letter.isprintable() else "�" for letter in text)
