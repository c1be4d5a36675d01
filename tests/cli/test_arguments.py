from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine


def written(quick: CommandLine, *words: str, stdin: str = "") -> object:
    quick.value("write", "cubbyhole/arguments", *words, stdin=stdin)
    return json.loads(quick("read", "-format=json", "cubbyhole/arguments").out)["data"]


def test_values_come_from_arguments_files_and_standard_input(quick: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "value").write_text("from a file\n")
    got = written(quick, "a=b=c", f"file=@{tmp_path}/value", "in=-", r"at=\@home", "empty=", stdin="typed\n")
    assert got == {"a": "b=c", "file": "from a file\n", "in": "typed\n", "at": "@home", "empty": ""}


def test_json_comes_from_files_and_standard_input_with_its_types(quick: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "data.json").write_text('{"n": 1, "list": [true, null]}')
    assert written(quick, f"@{tmp_path}/data.json", "-", stdin='{"m": 2}') == {"n": 1, "list": [True, None], "m": 2}


def test_a_key_given_twice_becomes_a_list(quick: CommandLine) -> None:
    assert written(quick, "a=1", "a=2", "a=3") == {"a": ["1", "2", "3"]}


@pytest.mark.parametrize(
    ("words", "stdin", "text"),
    [
        (["bare"], "", 'invalid key/value pair "bare": format must be key=value'),
        (["=CANARY"], "", "a key is empty"),
        (["-"], "CANARY", "standard input does not hold valid JSON"),
        (["-"], '["CANARY"]', "standard input must hold a JSON object"),
        (["a=-", "b=-"], "CANARY", '"-" can be given only once'),
        (["a=@no-such-file"], "", '"a": error reading file: no such file or directory'),
        (["a=@/"], "", '"a": error reading file: is a directory'),
    ],
)
def test_what_cannot_be_read_is_said_without_the_value(
    quick: CommandLine, words: list[str], stdin: str, text: str
) -> None:
    done = quick("write", "cubbyhole/arguments", *words, stdin=stdin)
    assert (done.exit_code, done.out) == (1, "")
    assert text in done.err
    assert "CANARY" not in done.err


def test_a_file_that_is_no_text_is_refused(quick: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    done = quick("kv", "put", "secret/arguments", f"a=@{tmp_path}/binary")
    assert done.exit_code == 1
    assert "base64" in done.err
