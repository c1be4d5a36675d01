from __future__ import annotations

import unicodedata

import pygohcl  # type: ignore[import-untyped]  # it has no types
import pytest
from hypothesis import example, given
from tests.delivery.export.values import VALUES, exported

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.terraform import check_name, tfvars


@given(VALUES)
@example({"A": "${A} $${B} %{if} %%{ $$ %", "b-c": "\ufeff\u2028😀", "null": "x", "for": '"\\"'})
def test_hashicorps_own_reader_gives_every_value_back(values: dict[str, str]) -> None:
    wanted = {name: value for name, value in values.items() if unicodedata.is_normalized("NFC", value)}
    content = tfvars(exported(wanted))
    assert content.isascii()
    assert pygohcl.loads(content.decode()) == wanted


@pytest.mark.parametrize(("value", "reason"), [("e\u0301CANARY", "normal form C"), ("CANARY\0", "a zero byte")])
def test_what_terraform_would_change_is_refused(value: str, reason: str) -> None:
    with pytest.raises(CannotDeliver, match=f"the value of A .*{reason}") as caught:
        tfvars(exported({"A": value}))
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("name", ["1a", "a.b", "-a", "a b", "", "é"])
def test_a_name_that_no_variable_of_terraform_has_is_refused(name: str) -> None:
    with pytest.raises(CannotDeliver, match="here cannot be the name of a Terraform variable"):
        check_name(name, "here")
