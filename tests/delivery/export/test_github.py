"""The reader here follows the runner's own (actions/runner, FileCommandManager.EnvFileKeyValuePairs), on Linux and on Windows."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from tests.delivery.export.values import VALUES, Drawn, exported

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.github import github_env, github_mask


def read(content: bytes, *, on_windows: bool) -> dict[str, str]:
    text = content.decode("utf-8-sig")
    found: dict[str, str] = {}
    at = 0

    def line() -> tuple[str | None, str | None]:
        nonlocal at
        if at >= len(text):
            return None, None
        start, end = at, text.find("\n", at)
        if end < 0:
            at = len(text)
            return text[start:], None
        at = end + 1
        if on_windows and end > start and text[end - 1] == "\r":
            return text[start : end - 1], "\r\n"
        return text[start:end], "\n"

    while (head := line()[0]) is not None:
        if not head:
            continue
        equals, here = head.find("="), head.find("<<")
        assert here >= 0
        assert not 0 <= equals < here
        name, delimiter = head.split("<<", 1)
        assert name
        assert delimiter
        start = end = at
        while True:
            body, newline = line()
            assert body is not None, "the delimiter is missing"
            if body == delimiter:
                break
            assert newline is not None
            end = at - len(newline)
        found[name] = text[start:end] if end > start else ""
    return found


def holds(value: str) -> bool:
    return not value.endswith("\r")


@given(VALUES)
@example({"A": "", "B": "\n", "C": "\n\n", "D": "x\r\ny\n", "E": "EOF\nA=1\nEOF", "F": "A<<B", "G": "\ufeff"})
def test_the_runners_reader_gives_every_value_back(values: dict[str, str]) -> None:
    wanted = {name: value for name, value in values.items() if holds(value)}
    content = github_env(exported(wanted))
    assert read(content, on_windows=False) == read(content, on_windows=True) == wanted


def test_a_delimiter_that_stands_in_the_value_is_drawn_again() -> None:
    first, second = bytes(16), bytes([1]) * 16
    value = f"a\nstrongroom_{first.hex()}\nEVIL=1"
    export = exported({"A": value})._replace(entropy=Drawn(first, second))
    content = github_env(export)
    assert content.startswith(f"A<<strongroom_{second.hex()}\n".encode())
    assert read(content, on_windows=False) == {"A": value}


@pytest.mark.parametrize("name", ["NODE_OPTIONS", "node_options", "GITHUB_TOKEN", "RUNNER_TEMP"])
def test_what_github_lets_no_step_set_is_refused(name: str) -> None:
    with pytest.raises(CannotDeliver, match=f"{name} is a variable that GitHub lets no step set"):
        github_env(exported({name: "CANARY"}))


def test_a_value_that_windows_would_shorten_is_refused() -> None:
    with pytest.raises(CannotDeliver, match="the value of A ends with a carriage return"):
        github_env(exported({"A": "CANARY\r"}))


@given(VALUES)
def test_every_value_and_every_line_of_it_is_masked_by_one_command(values: dict[str, str]) -> None:
    lines = github_mask(exported(values)).decode().split("\n")
    assert lines.pop() == ""
    masked = set()
    for line in lines:
        assert line.startswith("::add-mask::")
        data = line.removeprefix("::add-mask::")
        assert "\r" not in data
        masked.add(data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%"))
    for value in values.values():
        assert {text for text in (value, *(part.strip() for part in value.splitlines())) if len(text) > 2} <= masked
