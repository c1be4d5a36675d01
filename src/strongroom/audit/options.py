"""The options that every audit device has, whatever its type: how its records are written.

Owns reading them from the texts of a configuration or a request; refuses what it does not know. The device's own options (a path,
a mode) are read by the device's module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from strongroom.logical.errors import InvalidRequest

COMMON_OPTIONS = ("elide_list_responses", "format", "hmac_accessor", "log_raw", "prefix")
_PREFIX_LENGTH_MAX = 64
_TRUTHS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False, "": False}


class Format(NamedTuple):
    """How one device wants its records. Devices with equal formats share the work of formatting.

    ``log_raw`` writes values as they are. ``hmac_accessor`` false leaves token accessors readable. ``elide_list_responses`` writes how
    many keys a list returned instead of their hashes.
    """

    log_raw: bool = False
    hmac_accessor: bool = True
    elide_list_responses: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration file lets a device do, and whether the device comes from that file or from the API.

    ``allowed_folders`` are absolute paths below which devices from the API may write. A device from the API may neither
    write raw values nor put a prefix before its records (SECURITY row 95).
    """

    from_api: bool
    allowed_folders: tuple[str, ...] = ()


def read_format(options: Mapping[str, str], limits: Limits) -> tuple[Format, str]:
    """The format and the prefix of each line. Raises InvalidRequest."""
    if options.get("format", "json") != "json":
        raise InvalidRequest("audit option 'format' must be json")
    prefix = options.get("prefix", "")
    if prefix and limits.from_api:
        raise InvalidRequest("audit option 'prefix' can only be set for a device in the server's configuration file")
    if len(prefix) > _PREFIX_LENGTH_MAX or not (prefix.isascii() and prefix.isprintable()):
        raise InvalidRequest(f"audit option 'prefix' must be printable ASCII, {_PREFIX_LENGTH_MAX} characters at most")
    log_raw = _read_truth(options, "log_raw", default=False)
    if log_raw and limits.from_api:
        raise InvalidRequest("audit option 'log_raw' can only be set for a device in the server's configuration file")
    return (
        Format(
            log_raw=log_raw,
            hmac_accessor=_read_truth(options, "hmac_accessor", default=True),
            elide_list_responses=_read_truth(options, "elide_list_responses", default=False),
        ),
        prefix,
    )


def refuse_unknown(options: Mapping[str, str], known: tuple[str, ...]) -> None:
    """Raise InvalidRequest where ``options`` has a name that is neither common nor in ``known``."""
    names = sorted({*COMMON_OPTIONS, *known})
    if any(name not in names for name in options):
        raise InvalidRequest(f"an audit option is not known; this type of device has: {', '.join(names)}")


def _read_truth(options: Mapping[str, str], name: str, *, default: bool) -> bool:
    if name not in options:
        return default
    value = _TRUTHS.get(options[name].strip().lower())
    if value is None:
        raise InvalidRequest(f"audit option {name!r} must be true or false")
    return value
