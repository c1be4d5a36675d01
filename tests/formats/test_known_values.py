"""The frozen conversation about known values: today's server gives the same answers, and today's forms are the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.formats.known_values import PATH, answerer

from strongroom.scanner.known.held import strings_for

FROZEN: dict[str, Any] = json.loads(PATH.read_text())


def test_the_frozen_questions_get_the_answers_that_they_got() -> None:
    server = answerer()

    for one in FROZEN["conversation"]:
        found = server.answer(one["message"], one["question"], "caller", lambda holder: holder.place != "secret/s2")
        assert found == one["answer"]
    assert [one["message"] for one in FROZEN["conversation"]] == ["open", "look", "prove"]


@pytest.mark.parametrize("value", FROZEN["forms"])
def test_a_value_has_the_forms_that_it_had(value: str) -> None:
    assert [form.decode("latin-1") for form in strings_for(value.encode())] == FROZEN["forms"][value]
