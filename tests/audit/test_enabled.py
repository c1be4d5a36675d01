from __future__ import annotations

from collections.abc import Mapping

import pytest
from tests.audit.scene import MemoryDevice

from strongroom.audit.devices import Device
from strongroom.audit.enabled import Declaration, make_enabled
from strongroom.audit.options import Limits
from strongroom.logical.errors import InvalidRequest

CONFIGURED = Limits(from_api=False)


def open_memory(options: Mapping[str, str], limits: Limits) -> Device:
    if limits.from_api and options.get("place") == "forbidden":
        raise InvalidRequest("not there")
    return MemoryDevice()


TYPES = {"memory": open_memory}


def test_a_declaration_becomes_a_device() -> None:
    declaration = Declaration(
        name="main", type="memory", description="d", options={"hmac_accessor": "false", "prefix": "p "}, local=True
    )
    made = make_enabled(declaration, TYPES, CONFIGURED)
    assert (made.name, made.type, made.description, made.local) == ("main", "memory", "d", True)
    assert made.options == {"hmac_accessor": "false", "prefix": "p "}
    assert not made.form.hmac_accessor
    assert made.prefix == "p "
    assert made.from_configuration


def test_the_limits_of_today_hold_for_what_was_stored_yesterday() -> None:
    declaration = Declaration(name="main", type="memory", options={"place": "forbidden"})
    assert make_enabled(declaration, TYPES, CONFIGURED).from_configuration
    with pytest.raises(InvalidRequest, match="not there"):
        make_enabled(declaration, TYPES, Limits(from_api=True))


def test_an_unknown_type_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InvalidRequest, match="there is: memory") as caught:
        make_enabled(Declaration(name="main", type="CANARY"), TYPES, CONFIGURED)
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    "options", [{str(number): "" for number in range(33)}, {"a": "x" * 1025}], ids=["too many", "too long"]
)
def test_options_are_bounded(options: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="at most"):
        make_enabled(Declaration(name="main", type="memory", options=options), TYPES, CONFIGURED)
