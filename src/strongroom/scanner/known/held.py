"""The answering side's view of a value: who holds it, and all strings that stand for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from strongroom.scanner.known.blocks import pem_blocks
from strongroom.scanner.known.forms import forms
from strongroom.scanner.known.values import Holder
from strongroom.scanner.known.worth import left_out

_PRIVATE = b"PRIVATE KEY"


class Held(NamedTuple):
    """One value and who holds it."""

    holder: Holder
    value: bytes

    def __repr__(self) -> str:
        return f"<Held by {self.holder.place}>"


@dataclass(slots=True)
class Sorted:
    """Values that are worth looking for, and the names of the others with the reason."""

    worth: list[Held] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)

    def notes(self, most: int = 10) -> Iterator[str]:
        """Sentences about what is not looked for: no more than `most` names."""
        if self.others:
            named = [f"{name} ({why})" for name, why in list(self.others.items())[:most]]
            more = f", and {len(self.others) - most} more" if len(self.others) > most else ""
            yield f"Not looked for: {', '.join(named)}{more}"


def sort(held: Iterable[Held]) -> Sorted:
    """`held`, by whether it is worth looking for. What is too weak is named, never shown."""
    found = Sorted()
    for one in held:
        name = f"{one.holder.place}: {one.holder.key}" if one.holder.key else one.holder.place
        why = left_out(name, one.value)
        if why:
            found.others.setdefault(name, why)
        else:
            found.worth.append(one)
    return found


def strings_for(value: bytes) -> Iterator[bytes]:
    """Every form by which `value` is recognised: its own, and those of private keys within. What it decodes to must be worth looking for, too."""
    made: set[bytes] = set()
    parts = [value, *(block for block in pem_blocks(value) if _PRIVATE in block[:64] and block != value)]
    for part in parts:
        for number, form in enumerate(forms(part)):
            if form.data not in made and (number == 0 or not left_out("secret", form.data)):
                made.add(form.data)
                yield form.data


def leaves(values: Mapping[str, Any]) -> Iterator[tuple[str, bytes]]:
    """The texts and numbers in a secret, at every depth, each with the outermost key: what the vault makes fingerprints of."""
    for key, value in values.items():
        for leaf in _leaves(value):
            yield key, leaf


def _leaves(value: Any) -> Iterator[bytes]:
    if isinstance(value, str):
        if value:
            yield value.encode("utf-8", "surrogatepass")
    elif isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        yield str(value).encode()
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
