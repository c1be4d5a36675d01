"""The rules of style that no linter knows, as data. Each carries an example it must find and one it must leave alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.tidy.randomness import draws_by_itself
from tests.tidy.secrecy import compares_secrets
from tests.tidy.source import Finding, Module

Check = Callable[[Module], Iterator[tuple[int, str]]]


@dataclass(frozen=True)
class Rule:
    """``sentence`` is what holds. ``exempt`` names files, or folders with a final slash, that may break it, each with the reason."""

    sentence: str
    check: Check
    finds: str | tuple[str, ...]
    ignores: str | tuple[str, ...]
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


def compares_text(module: Module) -> Iterator[tuple[int, str]]:
    """``compare_digest`` of texts: it raises for letters beyond ASCII, and tells the length of what is not a digest."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or module.origin(node.func) != "hmac.compare_digest":
            continue
        for side in node.args:
            is_text = isinstance(side, ast.JoinedStr) or isinstance(getattr(side, "value", None), str)
            if is_text or (_method(side) in {"reveal", "hexdigest", "hex", "lower"}):
                yield side.lineno, "compare bytes of one length: digests, or texts that were encoded"


def _method(node: ast.expr) -> str:
    match node:
        case ast.Call(func=ast.Attribute(attr=name)):
            return name
    return ""


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
        draws_by_itself,
        finds=(
            "import secrets as s\nx = s.token_hex()",
            "import random",
            "from random import *",
            "from os import urandom as draw",
            "from os import *",
            "import os\ndraw = os.urandom",
            "import os\ngetattr(os, 'urandom')(4)",
            "import importlib\nimportlib.import_module('random')",
            "__import__('secrets')",
            "from uuid import uuid4",
            "import ssl\nssl.RAND_pseudo_bytes(4)",
            "from pathlib import Path\nPath('/dev/urandom').read_bytes()",
            "import ctypes\nctypes.CDLL(None).getrandom(place, 4, 0)",
            "from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305 as C\nC.generate_key()",
            "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as K\nK.generate()",
            "from cryptography import x509\nx509.random_serial_number()",
            "from argon2 import PasswordHasher",
        ),
        ignores=(
            "def draw(entropy): return entropy.bytes(16)",
            "def answer(tools): return tools.random(16)",
            "class Tsk: ...\nTsk.generate('ada')",
        ),
        exempt={
            **AMBIENT,
            "src/strongroom/server/dev_certificate.py": "OpenSSL draws the key of a certificate that is thrown away",
        },
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
        bans(
            "eval",
            "exec",
            "pickle.",
            "marshal.load",
            "marshal.loads",
            "shelve.",
            "yaml.load",
            "os.system",
            "ctypes.pythonapi",
        ),
        finds=(
            "import pickle\npickle.loads(b'')",
            "from marshal import loads\nloads(b'')",
            "import marshal\nmarshal.load(f)",
        ),
        ignores=("import json\njson.loads('1')", "import marshal\nmarshal.dumps(1)"),
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
        finds=(
            "def f(given, entry): return given == entry.token",
            "def f(given, entry): return bytes(entry.token) != given",
            "def f(given, token): return (token or '')[:8] == given.strip()",
            "def f(given, token): return given in (token, '')",
            "def f(given, entry): return entry.get('token') == given",
            "def f(given, entry): return entry['clientToken'] == given",
            "def f(given, entry): return getattr(entry, 'password') == given",
            "def f(user, given, name, token): return (user, given) == (name, token)",
            "def f(given, hasher): return hasher.hexdigest() == given",
            "def f(given, box): return box.reveal() == given",
            "def f(given, passwords): return passwords[0] == given",
            "def f(given, root_key): return root_key == given",
            "def f(given, token): return f'Bearer {token}' == given",
            "def f(given, token): return given.startswith(token)",
            "def f(given, token): return token.__eq__(given)",
            "import operator as o\ndef f(given, token): return o.eq(given, token)",
            "def f(token, entry):\n    match token:\n        case entry.other: ...",
        ),
        ignores=(
            "def f(token, token_type, other): return token == '' or token_type == other",
            "def f(token, TOKENS): return token in TOKENS or len(token) == other",
            "def f(token): return token.startswith('hvs.') or token in ('', None)",
            "def f(tokens, name): return tokens.find(name)",
        ),
        exempt={
            "src/strongroom/cli/operator_backup.py": "the checksum of what is at hand is no secret",
            "src/strongroom/scanner/baseline.py": "which kind of fingerprints a file has is no secret",
            "src/strongroom/scanner/sources/git.py": "the names of objects in a repository are no secrets",
        },
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
