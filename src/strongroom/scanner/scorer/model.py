"""The weights of the judge, as they are committed: whole numbers in JSON, made by `tools/train_scorer.py`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from strongroom.scanner.scorer.features import NUMBERED
from strongroom.scanner.scorer.vocabulary import Vocabulary

_FILE = "weights.json"


@dataclass(frozen=True, slots=True)
class Model:
    """What each feature weighs, in units of which `scale` make one natural logarithm of the odds.

    `bias` is what is there before any feature. A sum of 0 is an even chance, which is where the default level draws the line.
    """

    scale: int
    bias: int
    weights: Mapping[str, Mapping[str | int, int]]
    vocabulary: Vocabulary

    @classmethod
    def from_json(cls, text: str) -> Model:
        """The model that `text` describes."""
        stored = json.loads(text)
        weights: dict[str, Mapping[str | int, int]] = {
            group: {int(key): weight for key, weight in keys.items()} if group in NUMBERED else keys
            for group, keys in stored["weights"].items()
        }
        trigrams = {
            (first + third).encode(): int(digit)
            for first, row in stored["trigrams"].items()
            for third, digit in zip(stored["alphabet"], row, strict=True)
            if digit != "0"
        }
        return cls(stored["scale"], stored["bias"], weights, Vocabulary(stored["words"].split(), trigrams))


def committed_model() -> Model:
    """The model that comes with Strongroom."""
    from importlib.resources import files

    return Model.from_json((files(__package__) / _FILE).read_text(encoding="ascii"))
