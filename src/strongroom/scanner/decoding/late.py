"""Regular expressions that are compiled when they are first used: a scan of one small file decodes nothing."""

from __future__ import annotations

import re
from typing import Any, cast


class _Late:
    """Stands for a compiled pattern, and takes its methods over at the first look for one."""

    def __init__(self, source: bytes) -> None:
        self._source = source

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._source)
        for method in ("search", "match", "fullmatch", "finditer", "findall", "sub"):
            self.__dict__[method] = getattr(compiled, method)
        return getattr(compiled, name)


def late_pattern(source: bytes) -> re.Pattern[bytes]:
    """The pattern `source`, to be compiled when it is used."""
    return cast("re.Pattern[bytes]", _Late(source))
