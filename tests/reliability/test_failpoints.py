from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from strongroom import failpoints
from strongroom.failpoints import NAMES

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "strongroom"


@pytest.fixture
def disarmed() -> Iterator[None]:
    before = failpoints._armed
    yield
    failpoints._armed = before


def reached() -> Counter[str]:
    """How often each point stands in the code."""
    found: Counter[str] = Counter()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="failpoints"), attr="reach"),
                    args=[ast.Constant(value=str(name))],
                ):
                    found[name] += 1
    return found


def test_every_point_stands_in_the_code_and_on_the_page() -> None:
    page = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    assert set(reached()) == set(NAMES)
    assert [name for name in NAMES if f"`{name}`" not in page] == []


def test_nothing_in_the_product_can_arm_a_point() -> None:
    callers = [
        str(path)
        for path in SOURCE.rglob("*.py")
        if path.name != "failpoints.py"
        and ("failpoints.arm" in (text := path.read_text("utf-8")) or "STRONGROOM_FAIL" in text)
    ]
    assert callers == []


@pytest.mark.usefixtures("disarmed")
def test_a_point_that_is_not_armed_does_nothing() -> None:
    happened: list[str] = []
    for name in NAMES:
        failpoints.reach(name)
    failpoints.arm({"before_commit": lambda: happened.append("commit")})
    for name in NAMES:
        failpoints.reach(name)
    failpoints.arm({})
    failpoints.reach("before_commit")
    assert happened == ["commit"]
