from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.client import exact_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(value=VALUES)
def test_what_is_written_reads_back(value: Any) -> None:
    assert json.loads(exact_json.encode(value)) == value
    assert json.loads(exact_json.encode(value, indent=2)) == value


@given(value=VALUES)
def test_the_indented_form_is_laid_out_as_usual(value: Any) -> None:
    ours = exact_json.encode(value, indent=2)
    usual = json.dumps(value, indent=2, ensure_ascii=False)
    assert ours == usual.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@pytest.mark.parametrize("number", ["1.50", "1e400", "-0.0", "3.141592653589793238462643383279", "1E+2", "9" * 300])
def test_a_number_keeps_its_digits(number: str) -> None:
    assert exact_json.encode(exact_json.decode(f'{{"n":{number}}}')) == f'{{"n":{number}}}'


def test_text_that_is_too_deep_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="deep"):
        exact_json.decode("[" * 200_000)
