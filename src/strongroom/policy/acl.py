"""The decision: may whoever holds these policies do this on that path? Pure and immutable.

Rules of the same path are merged: capabilities add up, and a deny takes them all away. Of several paths that match, one rule
decides alone: the exact path, or else the one of the highest priority by five criteria in this order (Vault's and OpenBao's):

1. the first ``+`` or ``*`` stands later; 2. it does not end in ``*``; 3. it has fewer ``+``; 4. it is longer;
5. it is greater in the order of text.

A list asks about the path with its trailing slash and about the path without it. The former decides where a rule matches it,
and the latter otherwise; a deny of the more specific of the two beats both (SECURITY INV-6, row 2).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from strongroom.logical.operation import Capability
from strongroom.policy.constraints import Constraints
from strongroom.policy.decision import Decision, Question
from strongroom.policy.rule import CAPABILITY_BITS, SUDO_BIT, PathRule, PolicyDocument
from strongroom.policy.table import FILLER, Entry, Table
from strongroom.policy.templating import render

__all__ = ["ACL", "Decision", "Question", "compile_acl"]

_BITS = {capability: CAPABILITY_BITS[capability.value] for capability in Capability}
# To ask for "deny" is to ask for nothing that a rule could give.
_BITS[Capability.DENY] = 1 << len(CAPABILITY_BITS)
# What parameters mean something to: those of a read say which version of a secret is given out.
_WITH_PARAMETERS = frozenset({Capability.CREATE, Capability.UPDATE, Capability.PATCH, Capability.READ})


_ROOT = Decision(allowed=True, is_root=True, reasons=("root",))
_NO_RULE = Decision(allowed=False)
# Beyond any instant that a date can name.
_FOREVER = 1 << 100


class ACL:
    """The rules of all policies of one token, compiled. Made by :func:`compile_acl`; safe to share between threads."""

    __slots__ = ("_barred", "_boundaries", "_current", "_rules", "is_root")

    def __init__(self, documents: Iterable[PolicyDocument], *, is_root: bool) -> None:
        # What still holds a template was not rendered, and so fails closed here.
        documents = tuple(render(document, None) for document in documents)
        self.is_root = is_root
        self._rules: tuple[PathRule, ...] = tuple(rule for document in documents for rule in document.rules)
        self._barred: tuple[str, ...] = tuple(prefix for document in documents for prefix in document.barred)
        self._boundaries: list[int] = sorted(
            {rule.expiration_ns for rule in self._rules if rule.expiration_ns is not None}
        )
        # The rules in force from one instant until another. It is replaced whole, so that a reader never sees half of it.
        self._current: tuple[int, int, Table] = self._in_force(0)

    def decide(self, question: Question) -> Decision:
        """The answer to ``question``, at the time that it names."""
        if self.is_root:
            return _ROOT
        path = question.path
        capability = question.capability
        is_list = capability is Capability.LIST
        if self._barred and self._bars(path, is_list=is_list):
            return _NO_RULE
        table = self._at(question.now_ns)
        entry = table.find_list(path) if is_list else table.find(path)
        if entry is None:
            return _NO_RULE
        needed = _BITS[capability] | SUDO_BIT if question.needs_sudo else _BITS[capability]
        if entry.bits & needed != needed:
            return entry.denied
        if entry.constraints is None:
            return entry.allowed
        return _constrain(question, entry, entry.constraints)

    def capabilities(self, path: str, *, now_ns: int) -> tuple[str, ...]:
        """The names of what is granted on ``path``, sorted: ``("deny",)`` where nothing is, ``("root",)`` for root."""
        if self.is_root:
            return ("root",)
        path = path.lstrip("/")
        is_folder = path.endswith("/")
        if self._barred and self._bars(path, is_list=is_folder):
            return ("deny",)
        table = self._at(now_ns)
        entry = table.find_list(path) if is_folder else table.find(path)
        if entry is None or not entry.grants:
            return ("deny",)
        return tuple(sorted(name for name, bit in CAPABILITY_BITS.items() if entry.bits & bit))

    def has_any_access(self, prefix: str, *, now_ns: int) -> bool:
        """Whether anything at all is granted on ``prefix`` (a mount's path with its slash) or on some path below it."""
        if self.is_root:
            return True
        table = self._at(now_ns)
        if self._is_granted(table, prefix) or self._is_granted(table, prefix + FILLER):
            return True
        return any(self._is_granted(table, witness) for witness in table.witnesses(prefix))

    def in_force(self, now_ns: int) -> Table:
        """The merged rules that are in force; :attr:`barred` stands above all of them."""
        return self._at(now_ns)

    @property
    def barred(self) -> tuple[str, ...]:
        """Prefixes below which nothing is allowed, whatever the rules say."""
        return self._barred

    def _is_granted(self, table: Table, path: str) -> bool:
        is_folder = path.endswith("/")
        if self._barred and self._bars(path, is_list=is_folder):
            return False
        entry = table.find_list(path) if is_folder else table.find(path)
        return entry is not None and entry.grants

    def _bars(self, path: str, *, is_list: bool) -> bool:
        if is_list and not path.endswith("/"):
            path += "/"
        return path.startswith(self._barred)

    def _at(self, now_ns: int) -> Table:
        since, until, table = self._current
        if not since <= now_ns < until:
            self._current = since, until, table = self._in_force(now_ns)
        return table

    def _in_force(self, now_ns: int) -> tuple[int, int, Table]:
        passed = bisect_right(self._boundaries, now_ns)
        since = self._boundaries[passed - 1] if passed else -_FOREVER
        until = self._boundaries[passed] if passed < len(self._boundaries) else _FOREVER
        rules = (rule for rule in self._rules if rule.expiration_ns is None or rule.expiration_ns > now_ns)
        return since, until, Table(rules)


def _constrain(question: Question, entry: Entry, constraints: Constraints) -> Decision:
    if not constraints.permit_wrapping(question.wrap_ttl):
        return entry.denied
    if question.capability in _WITH_PARAMETERS:
        return entry.allowed if constraints.permit_body(question.body) else entry.denied
    if question.capability is Capability.LIST and constraints.pagination_limit:
        limit = constraints.list_limit(question.body)
        if limit is None:
            return entry.denied
        return Decision(allowed=True, reasons=(entry.path,), pagination_limit=limit)
    return entry.allowed


def compile_acl(documents: Iterable[PolicyDocument], *, is_root: bool = False) -> ACL:
    """The ACL of a token with these policies, already rendered. ``is_root`` is an attribute of the token, never a policy."""
    return ACL(documents, is_root=is_root)
