"""``docker run --env-file``: ``NAME=value`` lines, nothing quoted and nothing escaped.

The rules are those of Docker's own reader (``pkg/kvfile``): UTF-8, one line for each variable up to its line feed, of which a
carriage return at the end is taken off, less than 64 KiB. Old versions keep a pair of quotes around a value and new ones take it off.
"""

from __future__ import annotations

from strongroom.delivery.export.document import Export, refused

_LINE_BYTES_MAX = 64 * 1024 - 1


def docker_env(export: Export) -> bytes:
    """The lines. Raises CannotDeliver."""
    lines = []
    for name, value in export.pairs():
        if "\n" in value:
            raise refused(name, f"has several lines, and a docker env file holds one for each variable: {_OTHERWISE}")
        if value.endswith("\r"):
            raise refused(
                name, f"ends with a carriage return, which docker takes for a part of the line's end: {_OTHERWISE}"
            )
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            raise refused(
                name, f"stands in quotes, which some versions of docker take off and others do not: {_OTHERWISE}"
            )
        line = f"{name}={value}\n".encode()
        if len(line) > _LINE_BYTES_MAX:
            raise refused(name, f"is longer than the 64 KiB that a line of a docker env file may have: {_OTHERWISE}")
        lines.append(line)
    return b"".join(lines)


_OTHERWISE = "give it as a file, encode it (base64), or leave it out with -exclude"
