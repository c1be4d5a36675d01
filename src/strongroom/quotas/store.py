"""Quotas in the storage: ``core/quotas/rate-limit/NAME`` and ``core/quotas/config``."""

from __future__ import annotations

import msgspec

from strongroom.logical.storage import Storage
from strongroom.quotas.rule import Config, Rule

_RULES = "core/quotas/rate-limit/"
_CONFIG = "core/quotas/config"

_encode = msgspec.json.Encoder().encode
_decode_rule = msgspec.json.Decoder(Rule).decode
_decode_config = msgspec.json.Decoder(Config).decode


def rules(storage: Storage) -> list[Rule]:
    """Every stored quota, by name."""
    stored = (storage.get(key) for key in storage.scan(_RULES))
    return sorted((_decode_rule(rule) for rule in stored if rule is not None), key=lambda rule: rule.name)


def rule(storage: Storage, name: str) -> Rule | None:
    """The quota with this name."""
    stored = storage.get(_RULES + name)
    return None if stored is None else _decode_rule(stored)


def put_rule(storage: Storage, changed: Rule) -> None:
    """Store a quota, in place of one with the same name."""
    storage.put(_RULES + changed.name, _encode(changed))


def delete_rule(storage: Storage, name: str) -> None:
    """Remove a quota; nothing happens if it is not there."""
    storage.delete(_RULES + name)


def config(storage: Storage) -> Config:
    """The configuration, or what holds where nobody wrote one."""
    stored = storage.get(_CONFIG)
    return Config() if stored is None else _decode_config(stored)


def put_config(storage: Storage, changed: Config) -> None:
    """Store the configuration."""
    storage.put(_CONFIG, _encode(changed))
