"""What the judge's weights are besides numbers: the words that many repositories share, and their letters. And how it is all written down."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCALE = 1000
KNOWN_IN = 6
"""Repositories in which a word must stand to be one that everybody uses."""
LETTERS_FROM = 4
_ALPHABET = "abcdefghijklmnopqrstuvwxyz$"
_WORD = re.compile(rb"[A-Z]?[a-z]{2,}|[A-Z]{3,}(?![a-z])")
_LONGEST = 24


def learn_words(root: Path) -> tuple[list[str], dict[bytes, int]]:
    """The words that many of the repositories use, and how likely three letters follow each other in those."""
    counts: Counter[bytes] = Counter()
    for repository in sorted((root / "data").iterdir()):
        seen: set[bytes] = set()
        for path in sorted(path for path in repository.rglob("*") if path.is_file()):
            seen.update(_WORD.findall(path.read_bytes()))
        counts.update({word.lower() for word in seen if len(word) <= _LONGEST})
    words = sorted(word.decode() for word, count in counts.items() if count >= KNOWN_IN)
    return words, _trigrams({word: count for word, count in counts.items() if count >= LETTERS_FROM})


def _trigrams(counts: Mapping[bytes, int]) -> dict[bytes, int]:
    """How likely each letter follows two others, from 0, as good as never, to 9."""
    following: Counter[bytes] = Counter()
    for word, count in sorted(counts.items()):
        padded = b"^" + word + b"$"
        for at in range(len(word)):
            following[padded[at : at + 3]] += round(1000 * math.log(count))
    before: Counter[bytes] = Counter()
    for letters, weight in following.items():
        before[letters[:2]] += weight
    likely = {
        letters: math.log((weight + 500) / (before[letters[:2]] + 13500)) for letters, weight in following.items()
    }
    return {letters: max(0, min(9, int((chance + 7) * 1.6))) for letters, chance in likely.items()}


def to_json(
    bias: float, weights: Mapping[tuple[str, str | int], Any], words: list[str], trigrams: Mapping[bytes, int]
) -> str:
    """The model as text that can be reviewed line by line."""
    groups: dict[str, dict[str, int]] = {}
    for (group, key), weight in weights.items():
        whole = round(float(weight) * SCALE)
        if abs(whole) >= SCALE // 100:
            groups.setdefault(group, {})[str(key)] = whole
    firsts = sorted({letters[:2].decode() for letters in trigrams})
    rows = {first: "".join(str(trigrams.get((first + third).encode(), 0)) for third in _ALPHABET) for first in firsts}
    stored = {
        "scale": SCALE,
        "bias": round(bias * SCALE),
        "weights": {group: dict(sorted(keys.items())) for group, keys in sorted(groups.items())},
        "alphabet": _ALPHABET,
        "trigrams": rows,
        "words": " ".join(words),
    }
    return json.dumps(stored, indent=0, ensure_ascii=True) + "\n"
