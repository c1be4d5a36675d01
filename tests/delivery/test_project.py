from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.delivery.project import BadProject, Environment, is_protected, read_project
from strongroom.delivery.reference import Reference

WHOLE = """
environment = "dev"
secrets = ["sr:///app", "sr://shared/base"]

[variables]
A = "sr:///app#a"

[environments.dev]
path = "secret/dev/"

[environments.production]
path = "secret/prod"
protected = true
secrets = ["sr:///extra"]
variables = { B = "sr://production/partner?version=2#key" }
"""


def test_a_whole_project_is_read() -> None:
    project = read_project(WHOLE)
    assert (project.environment, project.secrets) == ("dev", (Reference("", "app"), Reference("shared", "base")))
    assert project.variables == {"A": Reference("", "app", "a")}
    assert project.place("dev") == Environment("secret/dev", None, (), {})
    production = project.place("production")
    assert (production.path, production.protected) == ("secret/prod", True)
    assert production.variables == {"B": Reference("production", "partner", "key", 2)}
    assert project.place("unknown") == Environment()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('\nenviroment = "dev"', r"line 2: enviroment is no setting of this file; did you mean environment\?"),
        ('[environments.dev]\npath = "a"\npotected = true', r"line 3: potected .* did you mean protected\?"),
        ("[environments.dev]\nvariables = 1", "line 2: variables must be a table"),
        ('address = "https://evil.example"', "line 1: address is no setting"),
        ('[variables]\nA = "sr:///app#a"\nB = "CANARY"', "line 3: B must be a reference"),
        ("[variables]\nA = 5", "line 2: A must be a reference"),
        ('[variables]\nA = "sr:///app"', "line 2: A must name a key"),
        ('[variables]\n"A b" = "secret/app#a"', "line 2: A b must be a reference"),
        ('secrets = ["sr:///app#a"]', "line 1: secrets names whole secrets"),
        ('secrets = "sr:///app"', "line 1: secrets must be a list"),
        ("environment = 5", "line 1: environment must be the name"),
        ('environment = "A B"', "line 1: environment must be the name"),
        ("environments = 1", "line 1: environments must be a table"),
        ('[environments."a b"]\npath = "x"', "a b the name of an environment"),
        ("environments.dev = 1", "dev must be a table"),
        ("[environments.dev]\npath = 5", "line 2: path must be a path"),
        ('[environments.dev]\npath = "a/../b"', "line 2: path must be a path"),
        ('[environments.dev]\npath = "a"\nprotected = "yes"', "line 3: protected must be true or false"),
        ("a = 'CANARY", "is not TOML"),
        ("environment = CANARY", "is not TOML"),
    ],
)
def test_what_cannot_be_used_is_told_by_its_line_and_not_shown(text: str, complaint: str) -> None:
    with pytest.raises(BadProject, match=complaint) as caught:
        read_project(text)
    assert "CANARY" not in str(caught.value)


def test_a_personal_file_says_nothing_about_environments() -> None:
    with pytest.raises(BadProject, match="environments is no setting"):
        read_project("[environments.dev]\npath = 'a'", personal=True)


@given(st.text(max_size=80) | st.lists(st.sampled_from(WHOLE.split()), max_size=20).map(" ".join))
def test_no_text_does_more_than_fail(text: str) -> None:
    with contextlib.suppress(BadProject):
        read_project(text)


def test_production_is_protected_where_nobody_said_anything() -> None:
    assert is_protected("production", known=None)
    assert not is_protected("production", known=False)
    assert not is_protected("development", known=None)
