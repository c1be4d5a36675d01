from __future__ import annotations

import csv
import io
import json
import tomllib

import pytest
import yaml as pyyaml  # type: ignore[import-untyped]  # its stubs are another package
from hypothesis import example, given
from ruamel.yaml import YAML
from tests.delivery.export.values import DATA, VALUES, exported

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.data_documents import as_json, toml, yaml
from strongroom.delivery.export.data_documents import csv as write_csv

AMBIGUOUS = {
    word: word for word in ("y", "No", "ON", "null", "~", "<<", "1.5", "0o7", "=", "", "- a", "a: b", "#", "'", '"')
}


@given(DATA)
def test_json_comes_back(values: dict[str, str]) -> None:
    content = as_json(exported(values))
    assert content.isascii()
    assert json.loads(content) == values


@given(DATA)
@example(AMBIGUOUS)
@example({"A": "1e5", "B": "2026-01-01", "C": "0123", "D": "\x7f\x85\u2028\ufeff😀"})
def test_both_versions_of_yaml_come_back(values: dict[str, str]) -> None:
    content = yaml(exported(values))
    assert content.isascii()
    assert pyyaml.safe_load(content) == values
    assert YAML(typ="safe", pure=True).load(content) == values


@given(DATA)
@example(AMBIGUOUS)
def test_toml_comes_back(values: dict[str, str]) -> None:
    assert tomllib.loads(toml(exported(values)).decode()) == values


@given(VALUES)
@example(AMBIGUOUS)
def test_csv_comes_back(values: dict[str, str]) -> None:
    rows = list(csv.reader(io.StringIO(write_csv(exported(values)).decode(), newline=""), strict=True))
    assert rows == [["name", "value"], *([name, value] for name, value in values.items())]


def test_what_csv_cannot_hold_is_refused() -> None:
    with pytest.raises(CannotDeliver, match="the value of 'A' holds a zero byte") as caught:
        write_csv(exported({"A": "CANARY\0"}))
    assert "CANARY" not in str(caught.value)


def test_a_key_that_no_yaml_reader_takes_is_refused() -> None:
    with pytest.raises(CannotDeliver, match="a key that is longer than 1000 characters"):
        yaml(exported({"k" * 1001: "v"}))
    assert pyyaml.safe_load(yaml(exported({"k" * 1000: "v"}))) == {"k" * 1000: "v"}


def test_half_a_character_is_refused_everywhere() -> None:
    for values, what in (({"A": "CANARY\ud800"}, "value"), ({"\ud800": "CANARY"}, "name")):
        for write in (as_json, yaml, toml, write_csv):
            with pytest.raises(CannotDeliver, match=f"the {what} of .* holds half a character") as caught:
                write(exported(values))
            assert "CANARY" not in str(caught.value)
