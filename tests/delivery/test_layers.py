from __future__ import annotations

from strongroom.delivery.layers import wishes
from strongroom.delivery.project import Project, read_project

COMMITTED = read_project(
    'secrets = ["sr:///app"]\n[variables]\nA = "sr:///base#a"\n'
    '[environments.dev]\nsecrets = ["sr:///more"]\nvariables = { A = "sr:///own#a" }\n'
)
PERSONAL = read_project('[variables]\nA = "sr://mine/x#a"', personal=True)


def told(project: Project, *environments: str) -> list[tuple[str, str | None, str]]:
    return [(wish.layer, wish.name, str(wish.reference)) for wish in wishes(project, environments)]


def test_the_parts_stand_from_the_weakest_to_the_strongest() -> None:
    assert told(COMMITTED._replace(personal=PERSONAL), "dev") == [
        ("import", None, "sr://dev/app"),
        ("import", None, "sr://dev/more"),
        ("base", "A", "sr://dev/base#a"),
        ("environment", "A", "sr://dev/own#a"),
        ("personal override", "A", "sr://mine/x#a"),
    ]


def test_of_several_environments_the_later_is_stronger() -> None:
    assert [reference for _, _, reference in told(COMMITTED, "dev", "other")] == [
        *("sr://dev/app", "sr://dev/more", "sr://dev/base#a", "sr://dev/own#a"),
        *("sr://other/app", "sr://other/base#a"),
    ]


def test_without_an_environment_the_references_stay_as_they_are() -> None:
    assert told(COMMITTED)[0] == ("import", None, "sr:///app")
