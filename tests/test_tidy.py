"""The style of the house as tests: what a linter cannot know, and ratchets that keep small things small."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tidy.rules import RULES, Rule
from tests.tidy.source import ROOT, SOURCE, Module, committed_files, imported_modules, load

MODULES = load(SOURCE)
TESTS = load(ROOT / "tests")
OTHERS = tuple(module for folder in ("tools", "bench", "reliability") for module in load(ROOT / folder))

LONGEST_FILE = 400
LONGEST_FUNCTION = 70
# The ratchet: what is longer today may not grow, and its line here goes when it has shrunk. Never add one.
LONG_FILES: dict[str, int] = {}
LONG_FUNCTIONS: dict[str, int] = {}

EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "shared_utils", "stuff", "base", "manager"}
# Where a name of that kind is the field's own word.
MEANT_NAMES = {"client/token_helper.py": "a token helper is a program of Vault's protocol"}

PLUG_FOLDERS = ("engines", "auth", "audit/devices", "physical", "barrier/seals")
# Modules in plug folders that are no plugs: what the plugs of one kind share.
SHARED_BY_PLUGS = {
    "engines.entries",
    "auth.identifiers",
    "auth.names",
    "auth.networks",
    "auth.policy_names",
    "auth.token_parameters",
    "audit.devices.file_options",
    "barrier.seals.seal",
    "barrier.seals.shamir",  # what every barrier has that was given no other seal
    "physical.store",
}

REGISTRY_HOSTS = r"pypi\.org|pythonhosted|registry\.npmjs|crates\.io|repo\.maven|proxy\.golang|deb\.debian"
MACHINE_PATHS = r"(?<![\w.$}])/(?:home|root|work|Users)/\w+"
PRODUCTION_NOISE = r"co-authored-by|\.\./shar" + r"ed|as an a" + r"i\b|language mod" + r"el"
ISSUERS = "aws-*,github-*,gitlab-*,google-*,npm-*,openai-*,anthropic-*,slack-*,stripe-*,*private-key*"
BINARY = {".png", ".ico", ".woff2", ".gz"}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence)
def test_the_house_rule_holds_everywhere(rule: Rule) -> None:
    modules = MODULES + (TESTS + OTHERS if rule.also_tests else ())
    found = [str(finding) for module in modules for finding in rule.findings(module)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.sentence)
def test_each_rule_finds_its_bad_example_and_leaves_its_good_one(rule: Rule) -> None:
    bad, good = ([one] if isinstance(one, str) else one for one in (rule.finds, rule.ignores))
    assert [text for text in bad if not rule.findings(Module("bad.py", text))] == []
    assert [text for text in good if rule.findings(Module("good.py", text))] == []


def test_an_exempt_file_exists() -> None:
    exempt = {path for rule in RULES for path in rule.exempt}
    assert [path for path in sorted(exempt) if not (ROOT / path).exists()] == []


def test_every_module_name_says_something() -> None:
    paths = {module.path.removeprefix("src/strongroom/") for module in MODULES}
    empty = {path for path in paths if EMPTY_NAMES & set(re.split(r"[/._]", path.removesuffix(".py")))}
    assert empty - set(MEANT_NAMES) == set()


def test_no_file_is_long_and_no_long_one_grows() -> None:
    lengths = {module.path: len(module.lines) for module in MODULES + TESTS + OTHERS}
    over = over_budget(lengths, LONGEST_FILE, LONG_FILES)
    assert not over, "\n".join(over)


def test_no_function_is_long_and_no_long_one_grows() -> None:
    lengths = {name: length for module in MODULES + TESTS + OTHERS for name, length in function_lengths(module)}
    over = over_budget(lengths, LONGEST_FUNCTION, LONG_FUNCTIONS)
    assert not over, "\n".join(over)


def over_budget(lengths: dict[str, int], longest: int, ratchet: dict[str, int]) -> list[str]:
    """What is longer than allowed, and entries of the ratchet that could be tightened or dropped."""
    limits = {name: ratchet.get(name, longest) for name in lengths}
    too_long = [
        f"{name} has {lengths[name]} lines, {limits[name]} allowed" for name in lengths if lengths[name] > limits[name]
    ]
    slack = [
        f"{name} has shrunk: tighten the ratchet" for name, limit in ratchet.items() if lengths.get(name, 0) < limit
    ]
    return too_long + slack


def function_lengths(module: Module) -> Iterator[tuple[str, int]]:
    """Each function of a module, as path and name, with the lines of its body without the docstring.

    The declarations of a backend are a table, and as long as what they list.
    """
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            is_table = node.name == "paths" or (len(body) == 1 and isinstance(body[0], ast.Return))
            if body and not is_table:
                yield f"{module.path}::{node.name}", (body[-1].end_lineno or 0) - body[0].lineno + 1


def test_the_vocabulary_imports_only_the_standard_library() -> None:
    foreign = {
        f"{module.path} imports {name}"
        for module in MODULES
        if module.name.startswith("strongroom.logical")
        for name in imported_modules(module.tree)
        if name.split(".")[0] not in sys.stdlib_module_names | {"__future__"}
        and not name.startswith("strongroom.logical")
    }
    assert foreign == set()


def test_every_plug_is_listed_in_the_registries() -> None:
    # The tables are in builtins; stores and seals, of which a server has one, are chosen where it is put together.
    registries = [SOURCE / "server" / name for name in ("builtins.py", "assemble.py")]
    listed = {name for path in registries for name in imported_modules(ast.parse(path.read_text()))}
    plugs = {plug for folder in PLUG_FOLDERS for plug in plugs_of(SOURCE / folder)}
    missing = {plug for plug in plugs if not any(name == plug or name.startswith(f"{plug}.") for name in listed)}
    assert missing - {f"strongroom.{name}" for name in SHARED_BY_PLUGS} == set()


def plugs_of(folder: Path) -> Iterator[str]:
    """The dotted names of the modules and packages directly in a folder."""
    for path in folder.iterdir() if folder.exists() else ():
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").exists():
            yield ".".join(path.with_suffix("").relative_to(SOURCE.parent).parts)


def test_every_module_is_imported_by_another() -> None:
    used = {name for module in MODULES + OTHERS for name in imported_modules(module.tree) if name != module.name}
    # A command that is loaded late is named in a string.
    used |= {part for module in MODULES for part in mentioned_modules(module)}
    unused = {module.name for module in MODULES if not module.path.endswith(("__init__.py", "__main__.py"))} - used
    assert not unused, "\n".join(sorted(unused))


def mentioned_modules(module: Module) -> Iterator[str]:
    """Modules named in string constants: ``strongroom.cli.kv``, or ``kv:command`` within ``strongroom.cli``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            name, colon, _ = node.value.partition(":")
            if name.startswith("strongroom."):
                yield name
            elif colon and name.isidentifier():
                yield f"{module.name.rpartition('.')[0]}.{name}"


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        pytest.param(REGISTRY_HOSTS, "names a package registry", id="registry hosts"),
        pytest.param(MACHINE_PATHS, "names a folder of one machine", id="machine paths"),
        pytest.param(PRODUCTION_NOISE, "speaks of how the project is made", id="how it is made"),
    ],
)
def test_committed_files_speak_of_the_product_alone(pattern: str, why: str) -> None:
    found = []
    for path in committed_files():
        if path.suffix in BINARY or path == Path(__file__):
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if re.search(pattern, line, re.IGNORECASE):
                found.append(f"{path.relative_to(ROOT)}:{number}: {why}")
    assert not found, "\n".join(found)


def test_every_pin_has_a_hash_and_no_address() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        pins = re.findall(r"^\w[^\n]*==[^\n]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+", text, re.MULTILINE)
        assert "".join(pins).strip() == re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).strip(), path.name
        assert "://" not in text


def test_the_smaller_sets_of_pins_are_parts_of_the_larger() -> None:
    pins = {
        path.stem: dict(re.findall(r"^([\w.-]+)==([\w.]+)", path.read_text(), re.MULTILINE))
        for path in (ROOT / "requirements").glob("*.txt")
    }
    assert pins["cli"].keys() == {"click"}
    for smaller, larger in (("cli", "server"), ("server", "dev"), ("build", "dev")):
        assert pins[smaller].items() <= pins[larger].items(), (smaller, larger)


def test_every_test_name_is_a_sentence() -> None:
    short = [
        f"{module.path}: {node.name}"
        for module in TESTS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_") and node.name.count("_") < 2
    ]
    assert short == []


def test_tests_wait_for_events_and_not_for_time() -> None:
    sleeping = [
        f"{module.path}:{node.lineno}"
        for module in TESTS
        if module.path != "tests/processes.py"  # it asks a process that starts until it answers
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and module.origin(node.func) == "time.sleep"
    ]
    assert sleeping == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param((".",), id="everything"),
        # What tests make up looks like passwords, and never like what these issue, but for where the scanner is tried.
        pytest.param(("tests", f"-rules={ISSUERS}", "-exclude=scanner", "-exclude=vectors"), id="tests"),
    ],
)
def test_no_secret_is_in_the_tree(words: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "strongroom", "scan", "dir", *words, "-redact"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f'{done.stdout}{done.stderr}\nOne that is none: strongroom:allow reason="made up"'
