"""Makes the frozen vectors of known values, by `python -m tests.formats.known_values`: run once for each version of the format, never again."""

from __future__ import annotations

import base64
import json
import sys
from typing import Any

from tests.formats.whole_vault import VECTORS
from tests.kit import JumpingClock, SeededEntropy

from strongroom.scanner.known.answering import Answerer
from strongroom.scanner.known.asking import ServerValues
from strongroom.scanner.known.filter import build, key_to_text
from strongroom.scanner.known.held import Held, strings_for
from strongroom.scanner.known.values import Holder, digest_of

PATH = VECTORS / "known_values.json"
VALUES = (
    "x7Kp2mQ9vB3nR5tY8w",
    "eDdLcDJtUTl2QjNuUjV0WTh3LTI=",
    "line one\n  line two 4f9a\n",
    "ß-Wert-4711-langer-Schlüssel",
)
ASKED = (*VALUES, "x7Kp2mQ9vB3nR5tY8w-2", "line one\n  line two 4f9a", "x7Kp2mQ9vB3nR5tY8", "other")
KEY, IDENTIFIER = bytes(range(32)), bytes(range(16))
FIRST, LAST = 1_796_000_000, 1_796_086_400


def values() -> list[Held]:
    """The values, each of a secret of its own."""
    return [Held(Holder(f"secret/s{at}", "k", at, at == 1), text.encode()) for at, text in enumerate(VALUES, 1)]


def answerer() -> Answerer:
    """A server that draws the same keys each time."""
    table = {digest_of(form): (one.holder,) for one in values() for form in strings_for(one.value)}
    return Answerer(lambda: table, JumpingClock(), SeededEntropy("known values"))


def conversation() -> list[dict[str, Any]]:
    """Each question and its answer."""
    passed: list[dict[str, Any]] = []
    server = answerer()

    class Loop:
        def send(self, name: str, body: Any) -> Any:
            answer = server.answer(name, body, "caller", lambda holder: holder.place != "secret/s2")
            passed.append({"message": name, "question": body, "answer": answer})
            return answer

        def forked(self) -> None:
            pass

    ServerValues(Loop()).ask([digest_of(text.encode()) for text in ASKED])
    return passed


def vectors() -> dict[str, Any]:
    """What the file holds."""
    content = build(values(), KEY, IDENTIFIER, FIRST, LAST).content
    return {
        "filter": {
            "key": key_to_text(KEY),
            "identifier": IDENTIFIER.hex(),
            "first": FIRST,
            "last": LAST,
            "values": VALUES,
            "asked": ASKED,
            "known": [text for text in ASKED if text not in {"x7Kp2mQ9vB3nR5tY8", "other"}],
            "content": base64.b64encode(content).decode(),
        },
        "forms": {text: [form.decode("latin-1") for form in strings_for(text.encode())] for text in VALUES},
        "conversation": conversation(),
    }


if __name__ == "__main__":
    if PATH.exists():
        sys.exit(f"{PATH} is frozen")
    PATH.write_text(json.dumps(vectors(), indent=1, ensure_ascii=False) + "\n")
