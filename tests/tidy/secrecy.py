"""What an expression is about: whether it holds a secret, by how it is named and made. For the rules of constant time."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.tidy.source import Module

SENSITIVE_WORDS = frozenset(
    [
        "accessor",
        "bearer",
        "code",
        "credential",
        "digest",
        "fingerprint",
        "hmac",
        "jwt",
        "mac",
        "nonce",
        "otp",
        "pad",
        "passphrase",
        "passwd",
        "password",
        "pin",
        "pwd",
        "secret",
        "seed",
        "share",
        "signature",
        "tag",
        "token",
        "verifier",
    ]
)
SENSITIVE_NAMES = re.compile(
    r"(^|_)((api|coming|data|private|recovery|root|seal|session|signing|unseal)_key|secret_id)s?$"
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
HARMLESS_NAMES = frozenset(["exit_code", "local_secret_ids", "status_code"])
_WORD = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")
# What these answer is as secret as what they are given, or what they are called on.
_MAKERS = frozenset(["bytes", "bytearray", "memoryview", "repr", "str", "sorted", "tuple", "list", "set", "frozenset"])
_FORMS = frozenset(
    [
        *(
            "casefold",
            "decode",
            "encode",
            "format",
            "hex",
            "lower",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "replace",
        ),
        *("rstrip", "strip", "title", "tobytes", "translate", "upper", "zfill"),
    ]
)
_REVEALERS = frozenset(["digest", "hexdigest", "reveal"])
_PARTIAL = frozenset(["endswith", "startswith"])
_OPERATORS = frozenset(f"operator.{name}" for name in ("eq", "ne", "contains", "countOf", "indexOf"))
_DUNDERS = frozenset(["__eq__", "__ne__", "__contains__"])


def is_named_like_a_secret(name: str) -> bool:
    """``client_token``, ``clientToken`` and ``passwords`` are; ``token_type`` is not, nor a constant."""
    if name in HARMLESS_NAMES or name.isupper():
        return False
    words = [word.lower() for word in _WORD.findall(name)]
    if not words:
        return False
    singular = set(words) | {word.removesuffix("s") for word in words}
    if SENSITIVE_NAMES.search("_".join(words)):
        return True
    return bool(SENSITIVE_WORDS & singular) and words[-1] not in HARMLESS_ENDINGS


def secret_in(node: ast.expr) -> str:
    """The name of the secret that ``node`` is, or is made of; empty where there is none."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name if is_named_like_a_secret(name) else ""
        case (
            ast.Subscript(value=inner)
            | ast.Starred(value=inner)
            | ast.Await(value=inner)
            | ast.FormattedValue(value=inner)
        ):
            return secret_in(inner)
        case ast.NamedExpr(target=target, value=inner):
            return secret_in(target) or secret_in(inner)
        case ast.BoolOp(values=parts) | ast.JoinedStr(values=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            return _first(parts)
        case ast.Set(elts=parts):
            return _first(parts)
        case ast.BinOp(left=left, right=right):
            return _first([left, right])
        case ast.IfExp(body=body, orelse=orelse):
            return _first([body, orelse])
        case ast.Call():
            return _secret_in_call(node)
    return ""


def _secret_in_call(node: ast.Call) -> str:
    match node:
        case ast.Call(func=ast.Name(id="getattr"), args=[_, ast.Constant(value=str(name)), *_]):
            return name if is_named_like_a_secret(name) else ""
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name if is_named_like_a_secret(name) else ""
        case ast.Call(func=ast.Name(id=name), args=parts) if name in _MAKERS:
            return _first(parts)
        case ast.Call(func=ast.Attribute(attr=name)) if name in _REVEALERS:
            return name
        case ast.Call(func=ast.Attribute(value=inner, attr=name)) if name in _FORMS:
            return secret_in(inner)
        case ast.Call(func=ast.Attribute(attr=name)):
            return name if is_named_like_a_secret(name) else ""
    return ""


def _first(parts: list[ast.expr]) -> str:
    return next((name for part in parts if (name := secret_in(part))), "")


def _is_known(node: ast.expr) -> bool:
    """Whether everybody may know it: a literal, or a constant of a module."""
    match node:
        case ast.Tuple(elts=parts) | ast.List(elts=parts) | ast.Set(elts=parts):
            return all(map(_is_known, parts))
    return isinstance(node, ast.Constant) or ast.unparse(node).isupper()


def compares_secrets(module: Module) -> Iterator[tuple[int, str]]:
    """Comparison that ends at the first difference, where one side is a secret; comparison with a literal is no leak."""
    for node in ast.walk(module.tree):
        for line, sides in _comparisons(module, node):
            name = _first(sides)
            if name and not any(map(_is_known, sides)):
                yield line, f"{name!r} is compared as it is; use hmac.compare_digest"


def _comparisons(module: Module, node: ast.AST) -> Iterator[tuple[int, list[ast.expr]]]:
    match node:
        case ast.Compare():
            yield from ((node.lineno, sides) for sides in _sides(node))
        case ast.Call(func=function, args=args) if module.origin(function) in _OPERATORS:
            yield node.lineno, list(args)
        case ast.Call(func=ast.Attribute(value=inner, attr=name), args=[other, *_]) if name in _PARTIAL | _DUNDERS:
            yield node.lineno, [inner, other]
        case ast.Match(subject=subject, cases=cases):
            patterns = (pattern for case in cases for pattern in ast.walk(case.pattern))
            yield from ((one.lineno, [subject, one.value]) for one in patterns if isinstance(one, ast.MatchValue))


def _sides(node: ast.Compare) -> Iterator[list[ast.expr]]:
    for first, op, second in zip([node.left, *node.comparators], node.ops, node.comparators, strict=False):
        if isinstance(op, ast.Eq | ast.NotEq):
            yield [first, second]
        elif isinstance(op, ast.In | ast.NotIn) and isinstance(second, ast.Tuple | ast.List | ast.Set):
            yield from ([first, part] for part in second.elts)
