"""Names of environments, as they stand in settings of mounts, tokens, roles and users."""

from __future__ import annotations

import re
from collections.abc import Iterable

from strongroom.logical.errors import InvalidRequest

CHARACTERS_MAX = 64
BINDING_MAX = 32
"""To how many environments one token can be bound."""

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def check_environment_name(name: str) -> str:
    """``name`` if it can be that of an environment. Raises InvalidRequest."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            f"the name of an environment has 1 to {CHARACTERS_MAX} of the characters a-z, 0-9, '_' and '-', "
            "and begins with a letter or a digit"
        )
    return name


def check_environment_names(names: Iterable[str]) -> tuple[str, ...]:
    """``names`` in small letters, sorted, each once. Raises InvalidRequest."""
    checked = sorted({check_environment_name(name.lower() if name.isascii() else name) for name in names})
    if len(checked) > BINDING_MAX:
        raise InvalidRequest(f"a token can be bound to {BINDING_MAX} environments at most")
    return tuple(checked)
