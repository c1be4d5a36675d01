"""What every writer gets, and how it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from strongroom.delivery.environment import CannotDeliver, Variable
from strongroom.logical.ambient import Entropy, SystemEntropy


class Export(NamedTuple):
    """The variables in order, and what some formats need besides: the name of the object that they make, and chance."""

    variables: Sequence[Variable]
    name: str = ""
    entropy: Entropy = SystemEntropy()

    def pairs(self) -> list[tuple[str, str]]:
        """Names and values. Raises CannotDeliver for text that UTF-8 cannot hold."""
        return [(item.name, text_of(item)) for item in self.variables]


def text_of(item: Variable) -> str:
    """The value, known to be text that UTF-8 can hold. Raises CannotDeliver."""
    value = item.value.reveal()
    for text, what in ((item.name, "name"), (value, "value")):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise CannotDeliver(f"the {what} of {item.name!a} holds half a character, which is no text") from None
    return value


def refused(name: str, cause: str) -> CannotDeliver:
    """That the value of ``name`` cannot be held, because it ``cause``."""
    return CannotDeliver(f"the value of {name} {cause}")


def escaped(text: str) -> str:
    r"""``text`` in double quotes and in ASCII alone, with the escapes that YAML, TOML and HCL have in common.

    They are ``\\``, ``\"``, ``\n``, ``\r``, ``\t``, ``\uXXXX`` and ``\UXXXXXXXX``. In a file of ASCII no reader finds a byte
    order mark, a line separator or a letter that could be written in two ways.
    """
    return '"' + "".join(_ESCAPES.get(letter) or _letter(letter) for letter in text) + '"'


_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _letter(letter: str) -> str:
    code = ord(letter)
    if 0x20 <= code < 0x7F:
        return letter
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
