from __future__ import annotations

import io
import json

import dotenv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.delivery.documents import FORMATS, as_dotenv
from strongroom.delivery.environment import CannotDeliver, Variable
from strongroom.logical.secret import Secret

VALUES = st.dictionaries(
    st.from_regex(r"[A-Z_][A-Z0-9_]{0,8}", fullmatch=True),
    st.text(st.characters(codec="utf-8", exclude_characters="\0")),
)


def variables(values: dict[str, str]) -> list[Variable]:
    return [Variable(name, "s", Secret(value)) for name, value in values.items()]


@given(VALUES)
def test_readers_of_both_formats_get_every_value_back(values: dict[str, str]) -> None:
    assert json.loads(FORMATS["json"](variables(values))) == values
    if not any("${" in value for value in values.values()):
        written = as_dotenv(variables(values)).decode()
        assert dotenv.dotenv_values(stream=io.StringIO(written, newline="")) == values


def test_a_value_that_the_reader_would_change_is_refused_with_the_reason() -> None:
    with pytest.raises(CannotDeliver, match=r"the value of A holds \$\{.*-mount-format=json") as caught:
        as_dotenv(variables({"A": "CANARY${B}"}))
    assert "CANARY" not in str(caught.value)
