"""Why a candidate was judged as it was, in sentences that are written here: no byte of what was scanned gets into one."""

from __future__ import annotations

from collections.abc import Iterable

FAMILIES = {
    "n": "name",
    "last": "name",
    "last2": "name",
    "gap": "place",
    "after": "place",
    "after1": "place",
    "mark": "place",
    "indent": "place",
    "r": "place",
    "ext": "file",
    "dir": "folder",
    "rule": "rule",
    "len": "shape",
    "skel": "shape",
    "skelrule": "shape",
    "mask": "shape",
    "masklen": "shape",
    "dig": "shape",
    "sym": "shape",
    "trans": "shape",
    "density": "shape",
    "uniq": "shape",
    "cov": "letters",
    "covmask": "letters",
    "tri": "letters",
    "trimask": "letters",
    "trirule": "letters",
    "form": "form",
    "formrule": "form",
    "sign": "form",
    "v": "words",
    "same": "same",
    "rep": "repetition",
}
"""The family of each group of features: its weights are told in one sentence."""

_FOR = {
    "name": "its name promises a secret",
    "place": "it stands where secrets are given",
    "file": "files of this type often hold secrets",
    "folder": "folders of this name often hold secrets",
    "rule": "what this rule finds is mostly secret",
    "shape": "its length and alphabet are those of secrets",
    "letters": "its letters spell no words",
    "form": "it has the form of a secret",
    "words": "its words are common in passwords",
    "same": "it does not repeat its name",
    "repetition": "it stands only here",
}
_AGAINST = {
    "name": "its name is one that things have which are no secret",
    "place": "what stands around it does not give a secret",
    "file": "files of this type seldom hold secrets",
    "folder": "folders of this name seldom hold real secrets",
    "rule": "what this rule finds is mostly no secret",
    "shape": "its length and alphabet are those of words and numbers",
    "letters": "its letters spell words",
    "form": "it has the form of an expression, a reference or a placeholder",
    "words": "its words are those of examples and descriptions",
    "same": "it repeats its own name",
    "repetition": "the same value stands around it again",
}
_MOST = 3


def reasons_for(contributions: Iterable[tuple[str, int]], least: int, *, secret: bool) -> tuple[str, ...]:
    """The most telling reasons of a verdict. `contributions` are the weights by group, `least` the smallest one worth a word."""
    totals: dict[str, int] = {}
    for group, weight in contributions:
        family = FAMILIES[group]
        totals[family] = totals.get(family, 0) + weight
    ranked = sorted(totals.items(), key=lambda item: (-abs(item[1]), item[0]))
    told = [(family, total) for family, total in ranked if abs(total) >= least and (total > 0) is secret]
    return tuple((_FOR if total > 0 else _AGAINST)[family] for family, total in told[:_MOST])
