from __future__ import annotations

import io

import dotenv
import pytest
from dotenv.parser import parse_stream
from hypothesis import example, given
from hypothesis import strategies as st

from strongroom.delivery.dotenv import BadLine, parse

LINES = st.lists(
    st.sampled_from(
        [
            *(
                "A",
                "B_2",
                "'C'",
                "export ",
                "=",
                " = ",
                "=  # c",
                "\n",
                "\r\n",
                "\r",
                " ",
                "\t",
                "#",
                "# note",
                "\\",
                "\\n",
            ),
            *(
                "'",
                '"',
                "'x y'",
                '"x\\ny"',
                "'it\\'s'",
                '"a\nb"',
                "${A}",
                "${A:-d}",
                "${NO:-d}",
                "$",
                "{",
                "}",
                "é",
                "==",
            ),
        ]
    ),
    max_size=12,
).map("".join)


def ours(text: str) -> dict[str, str]:
    return {entry.name: entry.value.reveal() for entry in parse(text)}


@given(LINES)
@example("A=1\nB=${A}${A:-x}\n")
@example("\ufeffA=1")
@example("A='${B:-x}'")
@example("A\nB=2")
@example("A=1 # c\nB=1# c\n")
@example("A==b\n")
@example("A= #x\nB=#x")
def test_python_dotenv_reads_the_same_values(text: str) -> None:
    theirs = list(parse_stream(io.StringIO(text, newline="")))
    is_broken = any(binding.error for binding in theirs)
    try:
        found = ours(text)
    except BadLine:
        # What it skips is an error, and so is a variable that the file itself does not set.
        assert is_broken or "${" in text
        return
    assert not is_broken
    with pytest.MonkeyPatch.context() as patch:
        for name in ("A", "B_2", "C", "NO"):
            patch.delenv(name, raising=False)
        values = dotenv.dotenv_values(stream=io.StringIO(text, newline=""))
    assert found == {name: value for name, value in values.items() if value is not None}


@given(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=30).filter(lambda value: "${" not in value)
)
def test_what_python_dotenv_writes_is_read_back(value: str) -> None:
    quoted = value.replace("\\", "\\\\").replace("'", "\\'")
    assert ours(f"A='{quoted}'\n") == {"A": value}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\n=2\n", 2),
        ("A='CANARY\nB=2\n", 1),
        ('A="1" CANARY\n', 1),
        ("A=1\nexport B C\n", 2),
        ("\n\nA=${UNSET_THING}CANARY\n", 3),
    ],
)
def test_a_line_that_cannot_be_read_is_named_and_not_shown(text: str, line: int) -> None:
    with pytest.raises(BadLine, match=f"line {line}:") as caught:
        parse(text)
    assert "CANARY" not in str(caught.value)


def test_values_do_not_show_themselves() -> None:
    assert "CANARY" not in repr(parse("A=CANARY\n"))


def test_the_last_of_two_values_stands() -> None:
    assert ours("A=1\nA=2\n") == {"A": "2"}
