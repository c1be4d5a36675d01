"""Names and values that writers meet: usual ones, hostile ones, and those that a single reader takes amiss."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st

from strongroom.delivery.environment import Variable
from strongroom.delivery.export.document import Export
from strongroom.logical.ambient import SystemEntropy
from strongroom.logical.secret import Secret

PIECES = (
    *(
        "\n",
        "\r",
        "\r\n",
        "\t",
        " ",
        "'",
        '"',
        "`",
        "$",
        "\\",
        "\\\\",
        "\\n",
        "\\'",
        "'\\''",
        "${A}",
        "$(id)",
        "$A",
        "%{",
        "%",
        "!",
    ),
    *(
        "#",
        " # c",
        "=",
        "==",
        ";",
        "&",
        "|",
        "<",
        ">",
        "*",
        "?",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "~",
        "^",
        ",",
        ":",
        "-",
        "--",
        "@",
    ),
    *(
        "\u2018",
        "\u2019",
        "\u201a",
        "\u201b",
        "\u201c",
        "\u201d",
        "\u2028",
        "\u2029",
        "\x85",
        "\xa0",
        "\ufeff",
        "\x0b",
        "\x0c",
    ),
    *(
        "\x01",
        "\x1b[31m",
        "\x7f",
        "\u0301",
        "e\u0301",
        "é",
        "ß",
        "漢",
        "😀",
        "\U0010ffff",
        "\ue000",
        "\uf600",
        "\ufdd0",
        "\uffff",
    ),
    *(
        "EOF",
        "null",
        "true",
        "yes",
        "0123",
        "1e5",
        "2026-01-01",
        "export A=1",
        "::add-mask::",
        "A<<B",
        "a",
        "word",
        "PATH",
        "=ls",
        ":=ls",
        "~root",
        ":~root",
        "%1",
        "-n",
        "^a^b",
    ),
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True).map(lambda name: f"v_{name}")
TEXTS = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)
VALUES = st.dictionaries(NAMES, TEXTS, max_size=12)
KEYS = st.one_of(
    NAMES, st.text(st.characters(codec="utf-8"), max_size=12), st.sampled_from(("y", "null", "<<", "1.5", "a.b", ""))
)
DATA = st.dictionaries(KEYS, st.one_of(TEXTS, st.just("\0")), max_size=8)


class Drawn(SystemEntropy):
    """Gives what it was told to, in turn."""

    def __init__(self, *given: bytes) -> None:
        self._given = list(given)

    def bytes(self, count: int) -> bytes:
        """The next."""
        del count
        return self._given.pop(0)


def exported(values: Mapping[str, str], name: str = "") -> Export:
    """``values`` as a writer gets them."""
    return Export([Variable(key, "s", Secret(value)) for key, value in values.items()], name)
