"""The rules of style that no linter knows, as data. Each carries an example it must find and one it must leave alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.tidy.source import Finding, Module

Check = Callable[[Module], Iterator[tuple[int, str]]]


@dataclass(frozen=True)
class Rule:
    """``sentence`` is what holds. ``exempt`` names files, or folders with a final slash, that may break it, each with the reason."""

    sentence: str
    check: Check
    finds: str
    ignores: str
    exempt: Mapping[str, str] = field(default_factory=dict)
    also_tests: bool = False

    def findings(self, module: Module) -> list[Finding]:
        """Where the module breaks the rule."""
        if any(module.path == path or (path.endswith("/") and module.path.startswith(path)) for path in self.exempt):
            return []
        return [Finding(module.path, line, what) for line, what in self.check(module)]


def bans(*names: str) -> Check:
    """A check for any mention of these dotted names; ``secrets.`` with a final dot means everything in it."""
    exact = {name for name in names if not name.endswith(".")}
    prefixes = tuple(name for name in names if name.endswith("."))

    def check(module: Module) -> Iterator[tuple[int, str]]:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Name | ast.Attribute):
                origin = module.origin(node)
                if origin in exact or (prefixes and origin.startswith(prefixes)):
                    yield node.lineno, f"{origin} is banned here"

    return check


def bans_text(pattern: str, why: str) -> Check:
    """A check for lines that a regular expression finds."""
    compiled = re.compile(pattern)

    def check(module: Module) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(module.lines, 1):
            if compiled.search(line):
                yield number, why

    return check


SENSITIVE_WORDS = frozenset(
    [
        "accessor",
        "code",
        "digest",
        "fingerprint",
        "hmac",
        "mac",
        "otp",
        "passphrase",
        "password",
        "secret",
        "share",
        "signature",
        "tag",
        "token",
    ]
)
# A name with such a word is harmless where it ends in one of these: what it holds is about the secret, not the secret.
HARMLESS_ENDINGS = frozenset(
    [
        "type",
        "id",
        "ids",
        "ttl",
        "count",
        "shares",
        "threshold",
        "cidrs",
        "policies",
        "period",
        "path",
        "paths",
        "name",
        "names",
        "kind",
        "length",
        "limit",
        "uses",
        "class",
    ]
)
HARMLESS_NAMES = frozenset(["exit_code", "status_code"])


def identifier(node: ast.expr) -> str:
    """The last word-group of a name: ``entry.token`` is ``token``, ``fields["token"]`` too."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=function) if not isinstance(function, ast.Name):
            return identifier(function)
    return ""


def compares_secrets(module: Module) -> Iterator[tuple[int, str]]:
    """Equality between two things of which one is named like a secret; comparison with a literal is no leak."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Compare) or not any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) or ast.unparse(side).isupper() for side in sides):
            continue
        for name in map(identifier, sides):
            words = name.lower().split("_")
            is_harmless = words[-1] in HARMLESS_ENDINGS or name in HARMLESS_NAMES or name.isupper()
            if SENSITIVE_WORDS & set(words) and not is_harmless:
                yield node.lineno, f"{name!r} is compared with == or !=; use hmac.compare_digest"


def compares_text(module: Module) -> Iterator[tuple[int, str]]:
    """``compare_digest`` of texts: it raises for letters beyond ASCII, and tells the length of what is not a digest."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or module.origin(node.func) != "hmac.compare_digest":
            continue
        for side in node.args:
            is_text = isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str)
            if is_text or (isinstance(side, ast.Call) and identifier(side) in {"reveal", "hexdigest", "hex", "lower"}):
                yield side.lineno, "compare bytes of one length: digests, or texts that were encoded"


def matches_a_beginning(module: Module) -> Iterator[tuple[int, str]]:
    """``match`` accepts whatever follows, and ``$`` a line break. A scanner says from where it matches, and may."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        origin = module.origin(node.func)
        if origin in {"re.match", "re.search", "re.compile"} and node.args:
            pattern = node.args[0]
            if isinstance(pattern, ast.Constant) and str(pattern.value).rstrip("b'").endswith(("$", r"\Z")):
                yield node.lineno, "a pattern that ends with $ accepts a final line break; use fullmatch"
        is_method = isinstance(node.func, ast.Attribute) and node.func.attr == "match" and len(node.args) == 1
        if origin == "re.match" or (is_method and ast.unparse(node.func).split(".")[0].strip("_").isupper()):
            yield node.lineno, "match accepts any text that begins so; use fullmatch"


def verifies_by_bool(module: Module) -> Iterator[tuple[int, str]]:
    """A result that can be ignored is one that will be."""
    for node in ast.walk(module.tree):
        match node:
            case ast.FunctionDef(name=name, returns=ast.Name(id="bool")) if name.startswith("verify"):
                yield node.lineno, f"{name} returns a bool; let it raise"


def holds_state(module: Module) -> Iterator[tuple[int, str]]:
    """Module-level containers that are not constants, and functions that rebind module-level names."""
    for node in module.tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.List | ast.Dict | ast.Set):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and not target.id.lstrip("_").isupper() and target.id != "__all__":
                yield node.lineno, f"{target.id} is mutable and lives at module level"
    for inner in ast.walk(module.tree):
        if isinstance(inner, ast.Global):
            yield inner.lineno, "global state"


def waits_or_wishes(module: Module) -> Iterator[tuple[int, str]]:
    """To-do notes without an issue, and the other words for them."""
    note, others = "TO" + "DO", "FIX" + "ME|XX" + "X|HA" + "CK"
    yield from bans_text(rf"\b{note}\b(?!\(#\d+\): \S)|\b({others})\b", f"write {note}(#n): what and why")(module)


_AEAD = "cryptography.hazmat.primitives.ciphers.aead"
AMBIENT = {"src/strongroom/logical/ambient.py": "the one place that asks the operating system"}

RULES = (
    Rule(
        "time comes in as an argument",
        bans("time.time", "time.time_ns", "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today"),
        finds="from time import time_ns\nstart = time_ns()",
        ignores="def now(clock): return clock.now_ns()",
        exempt=AMBIENT,
    ),
    Rule(
        "randomness comes in as an argument",
        bans(
            "os.urandom",
            "os.getrandom",
            "secrets.",
            "random.",
            "uuid.uuid1",
            "uuid.uuid4",
            "uuid.getnode",
            "ssl.RAND_bytes",
            f"{_AEAD}.AESGCM.generate_key",
        ),
        finds="import secrets as s\nx = s.token_hex()",
        ignores="def draw(entropy): return entropy.bytes(16)",
        exempt=AMBIENT,
    ),
    Rule(
        "nothing prints",
        bans("print"),
        finds="print(1)",
        ignores="import click\nclick.echo(1)",
        exempt={"src/strongroom/cli/": "the command line is what speaks to a person"},
    ),
    Rule(
        "no data is executed",
        bans("eval", "exec", "pickle.", "marshal.", "shelve.", "yaml.load", "os.system", "ctypes.pythonapi"),
        finds="import pickle\npickle.loads(b'')",
        ignores="import json\njson.loads('1')",
    ),
    Rule(
        "nothing is cached at module level",
        bans("functools.lru_cache", "functools.cache"),
        finds="import functools\n@functools.lru_cache\ndef f(): ...",
        ignores="import functools\nfunctools.partial(int)",
    ),
    Rule(
        "modules hold no mutable state",
        holds_state,
        finds="cache = {}",
        ignores="TABLE = {'a': 1}\ndef f(): local = []",
        exempt={"src/strongroom/failpoints.py": "what a test arms, before there is a server; never in the product"},
    ),
    Rule(
        "secrets are compared in constant time",
        compares_secrets,
        finds="def f(given, entry): return given == entry.token",
        ignores="def f(token, token_type, other): return token == '' or token_type == other",
    ),
    Rule(
        "what is compared in constant time is bytes",
        compares_text,
        finds="import hmac\nhmac.compare_digest(given.reveal(), stored)",
        ignores="from hmac import compare_digest\ncompare_digest(hmac.digest(key, a, 'sha256'), stored)",
    ),
    Rule(
        "patterns match whole strings",
        matches_a_beginning,
        finds="import re\nre.search(r'[a-z]+$', 'x')",
        ignores="import re\nre.fullmatch(r'[a-z]+', 'x')\n_SPACE.match(text, at)",
    ),
    Rule(
        "no pattern is matched at the beginning alone",
        matches_a_beginning,
        finds="import re\n_NAME = re.compile('[a-z]+')\n_NAME.match('x')",
        ignores="import re\n_NAME = re.compile('[a-z]+')\n_NAME.fullmatch('x')",
    ),
    Rule(
        "alternatives are not repeated possessively",
        bans_text(
            r"re\.compile\(.*\([^()]*\|.*\)[*+?]\+",
            "steps too far where an alternative fails half-way, up to Python 3.11.4",
        ),
        finds="import re\nre.compile(r'(?:ab|cd)*+')",
        ignores="import re\nre.compile(r'(?:ab|cd)*[a-z]*+')",
        exempt={"src/strongroom/encoding/json.py": "an alternative can only fail at its first byte or at the very end"},
    ),
    Rule(
        "verification raises",
        verifies_by_bool,
        finds="def verify_share(x) -> bool: return True",
        ignores="def verify_share(x) -> None: ...",
    ),
    Rule(
        "every silenced rule has a reason",
        bans_text(r"#\s*noqa(?!: [A-Z0-9, ]+ -- \S)", "write: noqa: CODE -- reason"),
        finds="import os  # no" + "qa: F401",
        ignores="import os  # no" + "qa: F401 -- the name is part of the interface",
        also_tests=True,
    ),
    Rule(
        "every silenced type has a reason",
        bans_text(r"#\s*type: ignore(?!\[[\w, -]+\]\s+# \S)", "write: type: ignore[code]  # reason"),
        finds="x = 1  # type" + ": ignore[misc]",
        ignores="x = 1  # type" + ": ignore[misc]  # the stub is wrong",
        also_tests=True,
    ),
    Rule(
        "what is to be done stands in an issue",
        waits_or_wishes,
        finds="# TO" + "DO: later",
        ignores="# TO" + "DO(#12): later, when the store can",
        also_tests=True,
    ),
)
