from __future__ import annotations

import pytest

from strongroom.audit.options import Format, Limits, read_format, refuse_unknown
from strongroom.logical.errors import InvalidRequest

CONFIGURED = Limits(from_api=False)
FROM_API = Limits(from_api=True)


def test_without_options_values_are_hashed_and_accessors_too() -> None:
    assert read_format({}, CONFIGURED) == (Format(log_raw=False, hmac_accessor=True, elide_list_responses=False), "")


def test_the_configuration_file_may_say_everything() -> None:
    options = {
        "log_raw": "true",
        "hmac_accessor": "False",
        "elide_list_responses": "1",
        "prefix": "@cee: ",
        "format": "json",
    }
    assert read_format(options, CONFIGURED) == (Format(True, False, True), "@cee: ")


@pytest.mark.parametrize("options", [{"log_raw": "true"}, {"prefix": "#!/bin/sh "}], ids=["raw values", "prefix"])
def test_the_api_may_neither_ask_for_raw_values_nor_for_a_prefix(options: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest, match="configuration file"):
        read_format(options, FROM_API)


@pytest.mark.parametrize(
    "options",
    [
        {"log_raw": "CANARY"},
        {"hmac_accessor": "CANARY"},
        {"elide_list_responses": "CANARY"},
        {"format": "CANARY"},
        {"prefix": "CANARY\n"},
        {"prefix": "CANARY\u2028"},
        {"prefix": "CANARY" * 50},
    ],
    ids=str,
)
def test_a_wrong_value_is_refused_and_not_quoted(options: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_format(options, CONFIGURED)
    assert "CANARY" not in str(caught.value)
    assert next(iter(options)) in str(caught.value)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    refuse_unknown({"file_path": "x", "log_raw": "false"}, ("file_path",))
    with pytest.raises(InvalidRequest, match="file_path, format, hmac_accessor") as caught:
        refuse_unknown({"CANARY": "x"}, ("file_path",))
    assert "CANARY" not in str(caught.value)
