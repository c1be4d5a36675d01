"""An enabled audit device: what was declared in the configuration file or over the API, together with the device itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from strongroom.audit.devices import Device, DeviceType
from strongroom.audit.options import Format, Limits, read_format
from strongroom.logical.errors import InvalidRequest

_TEXT_LENGTH_MAX = 1024
_OPTIONS_MAX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Enabled:
    """One enabled device, as ``sys/audit`` lists it, and how it wants its records. ``name`` has no trailing slash.

    ``from_configuration`` devices exist while the vault is sealed too, and are the only ones that get its sealed records.
    """

    name: str
    type: str
    device: Device = field(repr=False)
    description: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    local: bool = False
    form: Format = field(default_factory=Format)
    prefix: str = ""
    from_configuration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What an operator wrote about a device: the body of ``sys/audit/<name>`` or a block of the configuration file."""

    name: str
    type: str
    description: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    local: bool = False


def make_enabled(declaration: Declaration, types: Mapping[str, DeviceType], limits: Limits) -> Enabled:
    """The device that ``declaration`` describes, of one of ``types``. Opens nothing yet.

    Called again for what comes out of the store at unseal, so that the limits of today's configuration hold for it (SECURITY INV-15).
    Raises InvalidRequest.
    """
    open_device = types.get(declaration.type)
    if open_device is None:
        raise InvalidRequest(f"unknown type of audit device; there is: {', '.join(sorted(types))}")
    if len(declaration.options) > _OPTIONS_MAX:
        raise InvalidRequest(f"an audit device has at most {_OPTIONS_MAX} options")
    if any(len(value) > _TEXT_LENGTH_MAX for value in declaration.options.values()):
        raise InvalidRequest(f"each audit option must be a text of at most {_TEXT_LENGTH_MAX} characters")
    form, prefix = read_format(declaration.options, limits)
    return Enabled(
        name=declaration.name,
        type=declaration.type,
        device=open_device(declaration.options, limits),
        description=declaration.description,
        options=dict(declaration.options),
        local=declaration.local,
        form=form,
        prefix=prefix,
        from_configuration=not limits.from_api,
    )
