"""Functions of consul-template's that are refused, and why, so that whoever brings such a template learns what to do."""

from __future__ import annotations

from collections.abc import Mapping

from strongroom.agent.template.errors import BadTemplate

_ENVIRONMENT = "templates do not see the agent's environment"
_FILES = "templates read and write no files but their destination"
_CONSUL = "there is no Consul here, and secrets alone are read"
_TIME = "a template that shows the time would change without an end"
_PATTERNS = "regular expressions can take very long; use contains, replaceAll, trimPrefix or split"
_NESTED = "a template is one text, so that what it does can be seen"
_YAML = "use toJSON, which every reader of YAML reads"

REASONS: Mapping[str, str] = {
    **dict.fromkeys(("env", "envOrDefault", "mustEnv"), _ENVIRONMENT),
    **dict.fromkeys(("file", "writeToFile"), _FILES),
    **dict.fromkeys(
        (
            *("byKey", "byMeta", "byTag", "byPort", "caLeaf", "caRoots", "connect", "datacenters", "exportedServices"),
            *("key", "keyExists", "keyExistsGet", "keyOrDefault", "ls", "node", "nodes", "partitions", "peerings"),
            *("safeLs", "safeTree", "service", "services", "tree", "nomadServices", "nomadService", "nomadVarList"),
            *("nomadVarListSafe", "nomadVar", "nomadVarExists"),
        ),
        _CONSUL,
    ),
    "timestamp": _TIME,
    **dict.fromkeys(("regexMatch", "regexReplaceAll"), _PATTERNS),
    **dict.fromkeys(("executeTemplate", "scratch"), _NESTED),
    **dict.fromkeys(("toYAML", "toTOML"), _YAML),
    **dict.fromkeys(("parseYAML",), "use parseJSON"),
    "plugin": "a template starts no program",
    "call": "there are no functions as values",
}


def refuse(name: str, line: int) -> BadTemplate:
    """The error for a function that is not to be called."""
    shown = name if len(name) <= 64 else name[:64] + "…"
    if name in REASONS:
        return BadTemplate(line, f"{shown} is not supported: {REASONS[name]}")
    if name.startswith(("sprig_", "spew_")):
        return BadTemplate(line, f"{shown} is not supported: only consul-template's own functions are")
    return BadTemplate(line, f"there is no function {shown}")
