"""What is looked at in a candidate: pairs of a group and a key, each of which has a weight.

All that is read of the data stands within `WINDOW` bytes around the value, and of the value itself only the first `LONGEST_VALUE` bytes: what
one judgement costs is bounded, however long the lines are. Reading is the same where the weights are made (`tools/train_scorer.py`)
and where they are used.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from strongroom.scanner.candidate import Candidate
from strongroom.scanner.scorer.shape import classes, form, signs, skeleton, skeleton_of
from strongroom.scanner.scorer.vocabulary import Vocabulary, words

LONGEST_VALUE = 256
WINDOW = 1000
GAP = 24
"""Bytes between name and value that are looked at."""
EDGE = 6
"""Bytes right after the value that are looked at."""
_LINE = 300
_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
_JOINTS = b"_-. \t"
_MARK = re.compile(rb"\A[^\w\s]{1,2}")
_FOLDER_WORD = re.compile(r"[a-z]{3,}")
_NO_FOLDER = "data"
"""A folder of any project, and the one that holds whole data sets: it says nothing."""
_EXACT_LENGTH = 12
_LENGTHS = (14, 16, 20, 24, 31, 32, 39, 40, 63, 64, 128)

Feature = tuple[str, str | int]

NUMBERED = frozenset(
    (
        "len",
        "mask",
        "masklen",
        "dig",
        "sym",
        "trans",
        "density",
        "uniq",
        "cov",
        "covmask",
        "tri",
        "trimask",
        "rep",
        "indent",
    )
)
"""The groups whose keys are numbers."""


class Place(NamedTuple):
    """What stands around a value: the whole name, what is between it and the value, and the rest of the line on both sides."""

    name: bytes
    gap: bytes
    before: bytes
    after: bytes


def place_of(data: bytes, start: int, end: int, name: bytes) -> Place:
    """What stands around the value at `start` to `end` of `data`. `name` is as much of its name as the rule knows."""
    line_start = data.rfind(b"\n", max(0, start - _LINE), start) + 1 or max(0, start - _LINE)
    before = data[line_start:start]
    line_end = data.find(b"\n", end, end + _LINE)
    after = data[end : line_end if line_end >= 0 else end + _LINE]
    if not name:
        return Place(b"", b"", before, after)
    near = data[max(0, start - _LINE) : start]
    at = near.rfind(name)
    if at < 0:
        return Place(name, b"", before, after)
    lead = near[max(0, at - 60) : at]
    stem = lead.rstrip(_NAME_BYTES)
    return Place(lead[len(stem) :] + name, near[at + len(name) :], before, after)


def path_features(path: str) -> list[Feature]:
    """What the place of a file says: its type, and the words of its folders."""
    folder, _, file = path.lower().rpartition("/")
    _, dot, extension = file.rpartition(".")
    found: list[Feature] = [("ext", extension[:12] if dot else "")]
    found += [("dir", word) for word in sorted(set(_FOLDER_WORD.findall(folder[-200:])) - {_NO_FOLDER})]
    return found


def name_features(name: bytes) -> list[Feature]:
    """What the name says."""
    found = words(name, 10)
    if not found:
        return [("last", "")]
    features: list[Feature] = [("n", word) for word in sorted(set(found))]
    features += [("last", found[-1]), ("last2", "_".join(found[-2:]))]
    return features


def edge_features(gap: bytes, after: bytes) -> list[Feature]:
    """What is between name and value, and what follows the value at once."""
    return [
        ("gap", skeleton(gap)[:12]),
        ("after", skeleton(after)[:3]),
        ("after1", after[:1].decode("latin-1")),
    ]


def words_beside(place: Place) -> set[str]:
    """The first words behind the value, on its line."""
    return set(words(place.after[:80], 10))


def word_features(place: Place) -> list[Feature]:
    """What else is said on the line."""
    return [("r", word) for word in words_beside(place)]


def beginning_of(place: Place) -> tuple[bytes, int]:
    """How the line begins: its first two bytes that are no blanks, and how far they are indented, in steps."""
    before = place.before
    text = before.lstrip()
    return text[:2], min((len(before) - len(text)) // 4, 6)


def beginning_features(text: bytes, indent: int) -> list[Feature]:
    """What a beginning of a line says."""
    mark = _MARK.search(text)
    return [("mark", mark[0].decode("latin-1") if mark else ""), ("indent", indent)]


def length_of(size: int) -> int:
    """A length in bytes, rounded up where longer ones are told apart less and less."""
    if size <= _EXACT_LENGTH:
        return size
    at = bisect_left(_LENGTHS, size)
    return _LENGTHS[at] if at < len(_LENGTHS) else 999


def value_features(rule: str, value: bytes, size: int, vocabulary: Vocabulary) -> list[Feature]:
    """What the value looks like. `value` is the beginning of what is `size` bytes long."""
    length = length_of(size)
    pattern = classes(value)
    bones = skeleton_of(pattern)
    read = len(value)
    upper, lower, digits = pattern.count(b"A"), pattern.count(b"a"), pattern.count(b"0")
    letters = upper + lower
    others = read - letters - digits
    alphabet = (upper > 0) + 2 * (lower > 0) + 4 * (digits > 0)
    quarter = min(size, 40) // 4
    found = set(words(value))
    coverage = vocabulary.coverage(found, letters)
    natural = vocabulary.naturalness(value)
    whole = form(value)
    features: list[Feature] = [
        ("rule", rule),
        ("len", length),
        ("skel", bones[:7]),
        ("skelrule", rule + bones[:3]),
        ("mask", alphabet),
        ("masklen", 1000 * alphabet + 10 * quarter + min(others, 3)),
        ("dig", 10 * digits // read),
        ("sym", min(others, 8)),
        ("trans", min(len(bones), 20)),
        ("density", 10 * len(bones) // read),
        ("uniq", 10 * len(set(value)) // read),
        ("form", whole),
        ("formrule", whole + rule),
        ("cov", coverage),
        ("covmask", 1000 * coverage + 100 * alphabet + quarter),
        ("tri", natural),
        ("trimask", 1000 * natural + 100 * alphabet + min(length, 20)),
        ("trirule", str(natural) + rule),
    ]
    features += [("sign", sign) for sign in signs(value)]
    features += [("v", word) for word in found]
    return features


def joint_features(name: bytes, value: bytes) -> list[Feature]:
    """What name and value have in common: a value that repeats its name is no secret."""
    plain_name = name.lower().translate(None, _JOINTS)
    plain_value = value.lower().translate(None, _JOINTS)
    features: list[Feature] = []
    if plain_value and plain_value in plain_name:
        features.append(("same", "value in name"))
    elif plain_name and plain_name in plain_value:
        features.append(("same", "name in value"))
    return features


def repetition(data: bytes, start: int, end: int, value: bytes) -> Feature:
    """How often the value stands around itself again."""
    again = data.count(value, max(0, start - WINDOW), start) + data.count(value, end, end + WINDOW)
    return ("rep", min(again, 4))


def features_of(candidate: Candidate, vocabulary: Vocabulary) -> list[Feature]:
    """All features of a candidate."""
    data, start, end = candidate.data, candidate.start, candidate.end
    place = place_of(data, start, end, candidate.name)
    value = data[start : min(end, start + LONGEST_VALUE)]
    return [
        *path_features(candidate.path),
        *name_features(place.name),
        *edge_features(place.gap[:GAP], place.after[:EDGE]),
        *word_features(place),
        *beginning_features(*beginning_of(place)),
        *value_features(candidate.rule.id, value, end - start, vocabulary),
        *joint_features(place.name, value),
        repetition(data, start, end, value),
    ]
