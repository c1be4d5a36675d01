from __future__ import annotations

from importlib.resources import files

from strongroom.scanner.generic.catalogue import GENERIC_RULES
from strongroom.scanner.scorer.model import Model, committed_model
from strongroom.scanner.scorer.reasons import FAMILIES, reasons_for

MOST_BYTES = 300_000
LONGEST_KEY = 40


def text() -> str:
    return (files("strongroom.scanner.scorer") / "weights.json").read_text(encoding="ascii")


def test_the_committed_weights_are_small_whole_numbers_of_known_groups() -> None:
    assert len(text()) < MOST_BYTES
    model = committed_model()
    assert set(model.weights) <= set(FAMILIES)
    assert all(isinstance(weight, int) for keys in model.weights.values() for weight in keys.values())


def test_the_weights_hold_no_value_of_anybody() -> None:
    model = committed_model()
    known = set(model.vocabulary.known())
    for group in ("n", "last", "v", "r"):
        assert {key for key in model.weights[group] if key} <= known, group
    assert all(len(str(key)) <= LONGEST_KEY for keys in model.weights.values() for key in keys)


def test_every_rule_that_is_weighed_exists() -> None:
    ids = {rule.id for rule in GENERIC_RULES}
    assert set(committed_model().weights["rule"]) <= ids


def test_reading_the_weights_twice_gives_the_same_model() -> None:
    first, second = Model.from_json(text()), Model.from_json(text())
    assert (first.scale, first.bias, first.weights) == (second.scale, second.bias, second.weights)


def test_reasons_are_those_that_speak_for_the_verdict_strongest_first() -> None:
    told = reasons_for([("n", 900), ("last", 300), ("ext", -700), ("tri", 500), ("rep", 10)], 250, secret=True)
    assert told == ("its name promises a secret", "its letters spell no words")
    assert reasons_for([("ext", -700), ("n", 900)], 250, secret=False) == ("files of this type seldom hold secrets",)
