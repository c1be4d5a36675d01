"""Where random numbers come from: the rule that there is one place, and every other way to come by them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tidy.source import Module

_SOURCES = frozenset(["_random", "random", "secrets", "numpy.random", "Crypto.Random", "Cryptodome.Random"])
"""Modules that are nothing but sources, so that importing one is enough."""
_WITHIN = tuple(f"{source}." for source in _SOURCES)
_BANNED = frozenset(
    [
        *("os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4", "uuid.getnode", "tempfile.mktemp"),
        *("ssl.RAND_bytes", "ssl.RAND_pseudo_bytes", "argon2.PasswordHasher"),
    ]
)
_NAMES = frozenset([name.rpartition(".")[2] for name in _BANNED if name != "argon2.PasswordHasher"])
# What makes keys and numbers by itself, whoever's it is; and what the C library and OpenSSL have for it.
_MAKERS = frozenset(["generate_key", "generate_private_key", "generate_parameters", "random_serial_number"])
_FOREIGN = frozenset(["arc4random", "drand48", "getentropy", "getrandom", "rand", "rand_r", "RAND_bytes", "srand"])
_DEVICE = re.compile(r"/dev/(u?random|hwrng)\b")
_IMPORTERS = frozenset(["__import__", "importlib.import_module", "importlib.__import__"])


def draws_by_itself(module: Module) -> Iterator[tuple[int, str]]:
    """Any mention of a source of random numbers, by whatever way it is come by."""
    for node in ast.walk(module.tree):
        for name in _sources_in(module, node):
            yield getattr(node, "lineno", 1), f"{name} is banned here"


def _sources_in(module: Module, node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names if _is_source(alias.name))
        case ast.ImportFrom(module=str(source), names=names):
            whole = [source, *(f"{source}.{alias.name}" for alias in names)]
            yield from (name for name in whole if _is_source(name) or name in _BANNED)
            yield from (f"{source}.*" for alias in names if alias.name == "*" and source in {"os", "ssl", "uuid"})
        case ast.Attribute(attr=name) if name in _MAKERS | _FOREIGN:
            yield name
        case ast.Attribute(value=owner, attr="generate") if module.origin(owner).endswith("PrivateKey"):
            yield f"{module.origin(owner)}.generate"
        case ast.Name() | ast.Attribute() if (name := module.origin(node)) in _BANNED or name.startswith(_WITHIN):
            yield name
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if module.origin(function) in _IMPORTERS:
            yield from (name,) if _is_source(name) else ()
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            yield from (name,) if name in _NAMES | _MAKERS | _FOREIGN else ()
        case ast.Constant(value=str(text)) if _DEVICE.fullmatch(text):
            yield text


def _is_source(name: str) -> bool:
    return name in _SOURCES or name.startswith(_WITHIN)
