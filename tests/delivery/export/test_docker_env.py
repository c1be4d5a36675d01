"""The reader here follows Docker's own (docker/cli, pkg/kvfile/kvfile.go), in both of its ways with quotes around a value."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from tests.delivery.export.values import VALUES, exported

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.docker_env import docker_env

TOKEN_BYTES_MAX = 64 * 1024  # bufio.MaxScanTokenSize
GO_SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"


def read(content: bytes, *, trims_quotes: bool) -> dict[str, str]:
    found = {}
    lines = content.removesuffix(b"\n").split(b"\n") if content else []
    for number, raw in enumerate(lines):
        assert len(raw) < TOKEN_BYTES_MAX
        line = raw.removesuffix(b"\r").decode()
        line = (line.removeprefix("\ufeff") if number == 0 else line).lstrip(GO_SPACES)
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        assert equals
        assert name
        assert not set(name) & set(" \t")
        if trims_quotes and len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        found[name] = value
    return found


def holds(value: str) -> bool:
    try:
        docker_env(exported({"A": value}))
    except CannotDeliver:
        return False
    return True


@given(VALUES)
@example({"A": " x ", "B": "# c", "C": "a=b", "D": "", "E": "'a", "F": "a\rb", "G": "\ufeff"})
@example({"A": "x" * (TOKEN_BYTES_MAX - 4)})
def test_dockers_reader_gives_every_value_back(values: dict[str, str]) -> None:
    wanted = {name: value for name, value in values.items() if holds(value)}
    content = docker_env(exported(wanted))
    assert read(content, trims_quotes=True) == read(content, trims_quotes=False) == wanted


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("CANARY\nx", "has several lines"),
        ("CANARY\r", "ends with a carriage return"),
        ("'CANARY'", "stands in quotes"),
        ('"CANARY"', "stands in quotes"),
        ("CANARY" * 11_000, "is longer than the 64 KiB"),
    ],
)
def test_what_a_line_cannot_hold_is_refused_with_the_reason(value: str, reason: str) -> None:
    with pytest.raises(CannotDeliver, match=f"the value of A {reason}") as caught:
        docker_env(exported({"A": value}))
    assert "CANARY" not in str(caught.value)
