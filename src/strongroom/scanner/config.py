r"""`.strongroom-scan.toml`: what a repository wants of its scans, and rules of its own.

level = "default"
baseline = ".strongroom-baseline.json"
exclude = ["vendor/**"]
disable = ["generic-password"]

[[rules]]
id = "acme-key"
title = "Acme service key"
pattern = '\bacme_(?P<secret>[A-Za-z0-9]{32})\b'
keywords = ["acme_"]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from strongroom.scanner.levels import Level
from strongroom.scanner.regex import BadPattern, compile_regex
from strongroom.scanner.rule import Kind, Rule, Severity, is_rule_id
from strongroom.scanner.seen import Ignores

FILE_NAME = ".strongroom-scan.toml"
_LARGEST = 16 * 1024 * 1024
_TEXT_LISTS = ("exclude", "include", "disable")
_KEYS = {"level", "baseline", "rules", *_TEXT_LISTS}
_RULE_KEYS = {"id", "title", "pattern", "keywords", "severity", "kind", "reach", "entropy", "provider", "revoke"}
_MOST_REACH = 65536


class BadConfig(ValueError):
    """A configuration that cannot be read. The text names what is wrong."""


@dataclass(frozen=True, slots=True)
class ScanConfig:
    """What the file says; empty where it says nothing."""

    level: Level | None = None
    baseline: str = ""
    """The file of what is known already, relative to the folder of this one."""
    exclude: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    ignores: tuple[Ignores, ...] = ()
    """What a configuration of gitleaks allows."""


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises BadConfig."""
    import tomllib

    try:
        if not path.is_file():  # a device or a pipe would never end
            raise BadConfig(f"{path.name} is no file")
        if path.stat().st_size > _LARGEST:
            raise BadConfig(f"{path.name} is larger than {_LARGEST} bytes")
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadConfig(f"{path.name} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadConfig):
            raise
        raise BadConfig(f"{path.name} is not TOML") from None


def own_file(folder: Path, name: str) -> Path | None:
    """The file `name` of a repository whose root is `folder`, if it is a file of its own, and no link that leads out of it."""
    path = folder / name
    return path if path.is_file() and path.resolve().is_relative_to(folder.resolve()) else None


def parse_config(values: Mapping[str, Any], name: str, within: Path | None = None) -> ScanConfig:
    """The configuration in `values`; `name` is that of its file. What it extends stands `within` that folder, if one is given. Raises BadConfig."""
    from strongroom.scanner.gitleaks.rules import is_gitleaks

    if is_gitleaks(values):
        return _of_gitleaks(values, name, within)
    unknown = sorted(set(values) - _KEYS)
    if unknown:
        raise BadConfig(f"{name}: there is no setting {unknown[0]}; there are {', '.join(sorted(_KEYS))}")
    level = values.get("level")
    if level is not None and level not in {one.value for one in Level}:
        raise BadConfig(f"{name}: level is one of {', '.join(one.value for one in Level)}")
    baseline = values.get("baseline", "")
    if not isinstance(baseline, str) or baseline.startswith("/") or ".." in baseline.split("/"):
        raise BadConfig(f"{name}: baseline is the name of a file beside or below this one")
    rules = values.get("rules", [])
    if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
        raise BadConfig(f"{name}: rules are written as [[rules]]")
    lists = {key: _texts(values.get(key, []), f"{name}: {key}") for key in _TEXT_LISTS}
    return ScanConfig(
        Level(level) if level else None,
        baseline,
        lists["exclude"],
        lists["include"],
        lists["disable"],
        tuple(_rule(rule, name) for rule in rules),
    )


def _of_gitleaks(values: Mapping[str, Any], name: str, within: Path | None) -> ScanConfig:
    """A configuration of gitleaks. Its rules join ours, whether it extends the default ones of gitleaks or not."""
    from strongroom.scanner.gitleaks.rules import BadGitleaksConfig, parse_gitleaks

    def extended(path: str) -> dict[str, Any]:
        if within is not None and not (within / path).resolve().is_relative_to(within.resolve()):
            raise BadConfig(
                f"{name}: what it extends leads out of the repository; name the configuration with -config if you trust it"
            )
        return read_toml(within / path if within is not None else Path(path))

    try:
        config = parse_gitleaks(values, extended)
    except BadGitleaksConfig as error:
        raise BadConfig(f"{name}: {error}") from None
    return ScanConfig(disable=tuple(sorted(config.disabled)), rules=config.rules, ignores=(config.allows,))


def _rule(values: Mapping[str, Any], name: str) -> Rule:
    identifier = values.get("id")
    if not isinstance(identifier, str) or not is_rule_id(identifier):
        raise BadConfig(f"{name}: each rule has an id of up to 200 characters, which are all seen")
    place = f"{name}: rule {identifier}"
    unknown = sorted(set(values) - _RULE_KEYS)
    if unknown:
        raise BadConfig(f"{place} has no setting {unknown[0]}; there are {', '.join(sorted(_RULE_KEYS))}")
    texts = {key: values.get(key, "") for key in ("id", "title", "pattern", "provider", "revoke")}
    if not all(isinstance(text, str) for text in texts.values()) or not texts["pattern"]:
        raise BadConfig(f"{place} needs a pattern, and its other words are texts")
    reach, entropy = values.get("reach", 512), values.get("entropy", 0.0)
    if not isinstance(reach, int) or isinstance(reach, bool) or not 1 <= reach <= _MOST_REACH:
        raise BadConfig(f"{place}: reach is a number of bytes from 1 to {_MOST_REACH}")
    if not isinstance(entropy, (int, float)) or isinstance(entropy, bool):
        raise BadConfig(f"{place}: entropy is a number of bits for each byte")
    try:
        if compile_regex(texts["pattern"]).fullmatch(b"") is not None:
            raise BadConfig(f"{place}: its pattern matches nothing at all, and so it matches everywhere")
    except BadPattern as error:
        raise BadConfig(f"{place}: its pattern is not one of RE2's syntax: {error}") from None
    return Rule(
        texts["id"],
        texts["title"] or texts["id"],
        texts["pattern"],
        tuple(word.lower() for word in _texts(values.get("keywords", []), f"{place}: keywords")),
        _choice(Kind, values.get("kind", "provider"), f"{place}: kind"),
        _choice(Severity, values.get("severity", "high"), f"{place}: severity"),
        texts["provider"],
        texts["revoke"],
        reach=reach,
        entropy=float(entropy),
    )


def _choice(kind: Any, value: object, place: str) -> Any:
    names = [member.value for member in kind]
    if value not in names:
        raise BadConfig(f"{place} is one of {', '.join(names)}")
    return kind(value)


def _texts(values: object, place: str) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(text, str) for text in values):
        raise BadConfig(f"{place} is a list of texts")
    return tuple(values)
