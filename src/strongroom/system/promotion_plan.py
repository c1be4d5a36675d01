"""What a promotion would do, decided before anything is done: pure but for reading what is there.

A value is copied, drawn anew, or left. What the guard against reuse would refuse below, once it is in use above, is not copied.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from strongroom.crypto.keyed_hash import KeyedHash
from strongroom.encoding.json import encode
from strongroom.environments.environment import Environment, Reuse
from strongroom.environments.forms import forms_in
from strongroom.logical.inventory import SecretState
from strongroom.system.secret_access import SecretMount


class Action(Enum):
    """What happens to one key in the target."""

    ADD = "add"
    CHANGE = "change"
    GENERATE = "generate"
    SAME = "same"
    """It has the value already."""
    KEPT = "kept"
    """It has another value, which stays: the key was not named."""
    REFUSED = "refused"
    """The value may not be in use in both environments."""

    @property
    def writes(self) -> bool:
        """Whether the target changes."""
        return self in {Action.ADD, Action.CHANGE, Action.GENERATE}


@dataclass(frozen=True, slots=True)
class Wish:
    """What of each secret is to be promoted. ``keys`` empty means all; ``generate`` maps keys to kinds of values."""

    keys: frozenset[str]
    generate: Mapping[str, str]
    overwrite: bool

    def covers(self, key: str) -> bool:
        """Whether the key is asked for."""
        return not self.keys or key in self.keys or key in self.generate

    def replaces(self, key: str) -> bool:
        """Whether a value of the key that is there already gives way."""
        return self.overwrite or key in self.keys or key in self.generate


@dataclass(slots=True)
class Step:
    """One secret: its place in both environments, what both hold, and what is done about each key."""

    label: str
    source: tuple[SecretMount, str]
    target: tuple[SecretMount, str]
    source_state: SecretState
    target_state: SecretState | None
    may_read_target: bool
    actions: dict[str, Action] = field(default_factory=dict)

    @property
    def is_write(self) -> bool:
        """Whether the secret in the target changes."""
        return any(action.writes for action in self.actions.values())

    @property
    def held(self) -> Mapping[str, Any]:
        """What the target holds now."""
        return (self.target_state.values if self.target_state else None) or {}

    def described(self) -> dict[str, Any]:
        """For the answer: never a value."""
        return {
            "path": self.label,
            "source_version": self.source_state.version,
            "target_version": self.target_state.version if self.target_state else 0,
            "keys": {key: action.value for key, action in self.actions.items()},
        }


def decide(step: Step, wish: Wish, source: Environment, shared: frozenset[str]) -> None:
    """Fill in the actions of ``step``. ``shared`` are the forms of values that the source may have in common with others."""
    for key, value in (step.source_state.values or {}).items():
        if wish.covers(key):
            step.actions[key] = _action(step, wish, key, value, source, shared)


def is_compared(key: str, value: Any, environment: Environment, shared: frozenset[str]) -> bool:
    """Whether the guard would refuse the value in ``environment``, once it is in use above."""
    if environment.reuse is Reuse.ALLOW:
        return False
    length = environment.reuse_minimum_length
    return any(form not in shared and len(form) >= length for form in forms_in({key: value}))


def check_of(index_key: KeyedHash, asked: Sequence[Any], steps: Sequence[Step]) -> str:
    """What stands for this plan and the state of everything that it rests on. A keyed hash: nothing can be guessed from it."""
    seen = [[step.label, *_digest(step.source_state), *_digest(step.target_state), step.described()] for step in steps]
    digest = hashlib.sha256(encode([asked, seen])).digest()
    return index_key.hexdigest(b"strongroom promotion\0" + digest)


def _action(step: Step, wish: Wish, key: str, value: Any, source: Environment, shared: frozenset[str]) -> Action:
    is_there = key in step.held
    if key in wish.generate:
        return Action.GENERATE
    if is_there and step.may_read_target and encode(step.held[key]) == encode(value):
        return Action.SAME
    if is_there and not wish.replaces(key):
        return Action.KEPT
    if source.reuse is Reuse.DENY and is_compared(key, value, source, shared):
        return Action.REFUSED
    return Action.CHANGE if is_there else Action.ADD


def _digest(state: SecretState | None) -> tuple[int, str]:
    if state is None:
        return -1, ""
    return state.version, hashlib.sha256(encode(state.values)).hexdigest()
