"""The documentation is code: its commands exist, its links lead somewhere, its lists are complete, its generated parts are fresh."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from tests.tidy.source import ROOT

from strongroom.cli.main import root
from strongroom.server import config_schema
from tools import reference

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PRINCIPLES = ROOT / "docs" / "principles.md"
CLAUSES = [
    "1a",
    "1b",
    "1c",
    "2a",
    "2b",
    "2c",
    "3a",
    "3b",
    "4a",
    "4b",
    "4c",
    "4d",
    "5a",
    "5b",
    "5c",
    "6a",
    "6b",
    "6c",
    "7a",
    "7b",
    "8a",
    "8b",
    "9a",
    "9b",
    "9c",
    "10a",
    "10b",
]
MILESTONES = ["vault", "trust", "delivery", "scanner", "rotation", "response", "intake", "posture"]


def named(page: Path) -> str:
    """A page's name in test ids."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> Iterator[str]:
    """The code blocks of a page in one language."""
    return (text for kind, text in BLOCK.findall(page.read_text()) if kind == language)


def prose(page: Path) -> str:
    """The page without its code blocks."""
    return BLOCK.sub("", page.read_text())


def commands(page: Path) -> Iterator[list[str]]:
    """Every use of our command line in the page's shell blocks and in its code in text, as words after the program."""
    lines = [line for block in blocks(page, "bash") for line in block.replace("\\\n", " ").splitlines()]
    if "formats" not in page.parts:  # where the product's name begins the labels of formats
        lines += re.findall(r"`((?:sr|strongroom) [^`\n]+)`", prose(page))
    for line in lines:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
        lexer.whitespace_split = True
        words: list[str] = []
        for word in [*lexer, ";"]:
            if word.strip("|&;"):
                words.append(word)
            else:
                if words and Path(words[0]).name in {"strongroom", "sr"}:
                    yield words[1:]
                words = []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for target in LINK.findall(prose(page)):
        path, _, anchor = target.partition("#")
        if "://" in target:
            continue
        place = (page.parent / path).resolve() if path else page
        if not place.exists() or (anchor and anchor not in anchors(place)):
            dead.append(target)
    assert dead == []


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code forges make them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_command_in_the_documentation_exists(page: Path) -> None:
    for words in commands(page):
        problem = problem_with(root(), [word for word in words if word != "…"])
        assert problem is None, f"strongroom {shlex.join(words)}: {problem}"


def problem_with(command: click.Command, words: list[str]) -> str | None:
    """What is wrong with a command line: an unknown command or option; None where nothing is."""
    context = click.Context(command, info_name="strongroom", **command.context_settings)
    while isinstance(command, click.Group):
        if not words:
            return "names no command"
        name, *words = words
        found = command.get_command(context, name)
        if found is None:
            return f"there is no command {name}"
        # With its settings: a command remembers the first flag for help that it was asked for.
        command = found
        context = click.Context(found, parent=context, info_name=name, **found.context_settings)
    known = {
        option for parameter in command.get_params(context) for option in (*parameter.opts, *parameter.secondary_opts)
    }
    for word in words:
        if word == "--":
            return None
        option = word.split("=")[0]
        if (
            re.fullmatch(r"--?[a-z][\w-]*", option)
            and not {option, option.lstrip("-"), "-" + option.lstrip("-")} & known
        ):
            return f"there is no option {option}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_make_target_in_the_documentation_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    shell = "\n".join([*blocks(page, "bash"), *re.findall(r"`([^`\n]+)`", prose(page))])
    assert set(re.findall(r"^make ([a-z-]+)\b", shell, re.MULTILINE)) - set(targets) == set()


def test_the_menu_explains_every_target_in_a_line() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None
    explained = re.findall(r"^([a-z-]+): +## \S.+$", makefile, re.MULTILINE)
    assert sorted(explained) == sorted(phony[1].split())


def test_every_principle_has_its_row_with_code_test_and_posture() -> None:
    rows = [
        line.strip("| ").split(" | ")
        for line in PRINCIPLES.read_text().splitlines()
        if re.match(r"\| \d+[a-d] \|", line)
    ]
    assert [row[0] for row in rows] == CLAUSES
    for row in rows:
        number, _, *evidence = row
        assert len(evidence) == 3, number
        for cell in evidence:
            assert "](" in cell or "not yet" in cell, f"{number}: {cell}"
            assert set(re.findall(r"not yet: (\w+)", cell)) <= set(MILESTONES), f"{number}: {cell}"
            assert cell.count("not yet") == len(re.findall(r"not yet: \w+", cell)), f"{number}: {cell}"


def test_every_dependency_has_its_line_of_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        "Command line and client": project["project"]["dependencies"],
        "Server": project["project"]["optional-dependencies"]["server"],
        "Development only": project["dependency-groups"]["dev"] + project["dependency-groups"]["build"],
    }
    page = (ROOT / "docs" / "dependencies.md").read_text()
    for title, requirements in wanted.items():
        section = re.search(rf"^## {title}.*?\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
        assert section is not None, title
        reasons = re.findall(r"^\| `([^`]+)` \| \S.+ \|$", section[1], re.MULTILINE)
        assert sorted(reasons) == sorted(re.split(r"[<>=!~]", requirement)[0] for requirement in requirements)


def test_every_setting_of_the_configuration_is_explained() -> None:
    page = (ROOT / "docs" / "reference" / "configuration.md").read_text()
    missing = [s.name for section in config_schema.SECTIONS for s in section.settings if f"`{s.name}`" not in page]
    assert missing == []


GENERATED = reference.pages()


@pytest.mark.parametrize("page", GENERATED, ids=lambda page: page.path.name)
def test_the_generated_reference_is_fresh(page: reference.Page) -> None:
    assert page.path.exists(), "run: make docs"
    assert page.path.read_text() == page.rendered(), "run: make docs"


def test_every_plug_has_its_page_and_every_page_its_plug() -> None:
    folder = reference.REFERENCE / "api"
    assert sorted(folder.iterdir()) == sorted(page.path for page in GENERATED if page.path.parent == folder)


def test_every_decision_has_a_number_a_status_and_its_consequences() -> None:
    for path in sorted((ROOT / "docs" / "adr").glob("*.md")):
        text = path.read_text()
        number = int(path.name[:4])
        assert re.match(rf"# (0*{number}|NNNN)[:.] ", text), path.name
        assert re.search(r"^\*?Status: (proposed|accepted|replaced by)", text, re.MULTILINE), path.name
        for heading in ("Context", "Options", "Decision", "Consequences"):
            assert f"## {heading}" in text, f"{path.name} lacks {heading}"


def test_every_divergence_is_shown_by_a_test() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "divergences.md").read_text().splitlines()
        if re.match(r"\| (?!Vault|---)", line)
    ]
    assert len(rows) > 50
    for row in rows:
        shown = re.findall(r"\[([^\]]+)\]\(\.\./(tests/[\w/]+\.py)\)", row.rpartition(" | ")[2])
        assert shown, f"no test: {row}"
        for sentence, path in shown:
            assert f"def test_{sentence.replace(' ', '_')}(" in (ROOT / path).read_text(), (
                f"{path} has no test that {sentence}"
            )


def test_every_test_of_a_divergence_stands_in_the_list() -> None:
    page = (ROOT / "docs" / "divergences.md").read_text()
    names = {
        name
        for path in (ROOT / "tests" / "divergences").glob("test_*.py")
        for name in re.findall(r"^def test_(\w+)", path.read_text(), re.MULTILINE)
    }
    assert [name for name in sorted(names) if f"[{name.replace('_', ' ')}]" not in page] == []


def test_the_numbered_way_of_a_request_has_the_steps_of_the_pipeline() -> None:
    pipeline = (ROOT / "src" / "strongroom" / "core" / "pipeline.py").read_text()
    page = (ROOT / "docs" / "request.md").read_text()
    steps = re.findall(r"^ +# (\d+) ", pipeline, re.MULTILINE)
    assert len(steps) >= 10
    assert re.findall(r"^(\d+)\. ", page, re.MULTILINE) == steps


def test_every_room_stands_in_the_picture_of_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    picture = page.partition("```\n")[2].partition("```")[0]
    rooms = [path.parent.name for path in (ROOT / "src" / "strongroom").glob("*/__init__.py")]
    assert [room for room in sorted(rooms) if not re.search(rf"\b{room}\b", picture)] == []


def test_every_decision_is_linked_from_the_architecture() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    decisions = [path.name for path in (ROOT / "docs" / "adr").glob("*.md") if not path.name.startswith("0000")]
    assert [name for name in sorted(decisions) if name not in page] == []


def test_every_stored_format_is_linked_from_somewhere() -> None:
    everything = "\n".join(page.read_text() for page in PAGES) + "\n".join(
        path.read_text() for path in (ROOT / "src").rglob("*.py")
    )
    unlinked = [path.name for path in (ROOT / "docs" / "formats").glob("*.md") if path.name not in everything]
    assert unlinked == []


def test_pages_named_in_the_source_exist() -> None:
    named_pages = {
        name for path in (ROOT / "src").rglob("*.py") for name in re.findall(r"docs/[\w/-]+\.md", path.read_text())
    }
    assert [name for name in sorted(named_pages) if not (ROOT / name).exists()] == []
