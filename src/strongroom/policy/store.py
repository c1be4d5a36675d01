"""Policies at rest, and the compiled ones in memory.

Texts are kept at ``core/policy/NAME`` of the root view. ``root`` has no text: it is an attribute of a token and no policy grants
it (SECURITY INV-4). The policy of wrapping tokens is built in and is never read from storage.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from strongroom.encoding.json import decode, encode
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.policy_name import DEFAULT, RESPONSE_WRAPPING, ROOT
from strongroom.logical.storage import Storage
from strongroom.policy.acl import ACL, compile_acl
from strongroom.policy.builtin import DEFAULT_TEXT, RESPONSE_WRAPPING_TEXT
from strongroom.policy.document import parse_policy
from strongroom.policy.names import check_policy_name
from strongroom.policy.rule import NOTHING, PolicyDocument
from strongroom.policy.templating import IdentityView, render

K = TypeVar("K")
V = TypeVar("V")

_PREFIX = "core/policy/"
_FIXED = frozenset({ROOT, RESPONSE_WRAPPING})
_ENTRIES_MAX = 1024


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A policy as it was written. ``text`` of ``root`` is empty."""

    name: str
    text: str


@dataclass(slots=True)
class _Compiled:
    """What was compiled from the state of one epoch.

    ``fixed`` holds the ACLs that are the same for everybody. Where a policy has templates they stand in ``by_identity``, and the
    names in ``varying``.
    """

    epoch: int
    documents: dict[str, PolicyDocument] = field(default_factory=dict)
    fixed: dict[tuple[str, ...], ACL] = field(default_factory=dict)
    varying: dict[tuple[str, ...], tuple[PolicyDocument, ...]] = field(default_factory=dict)
    by_identity: dict[tuple[tuple[str, ...], str | None], ACL] = field(default_factory=dict)


class PolicyStore:
    """Reads and writes policies in the storage that it is given, and keeps compiled ACLs for one epoch.

    The cache is safe between threads: entries are immutable, keyed by tuples and never by joined text (SECURITY row 8), and a
    newer epoch replaces all of them at once.
    """

    def __init__(self) -> None:
        self._compiled = _Compiled(epoch=-1)

    def get(self, storage: Storage, name: str) -> StoredPolicy | None:
        """The policy called ``name``, or None. Raises InvalidRequest where it is not the one spelling of a name."""
        check_policy_name(name)
        if name == ROOT:
            return StoredPolicy(ROOT, "")
        if name == RESPONSE_WRAPPING:
            return StoredPolicy(name, RESPONSE_WRAPPING_TEXT)
        content = storage.get(_PREFIX + name)
        return None if content is None else StoredPolicy(name, str(decode(content)["text"]))

    def put(self, storage: Storage, name: str, text: str) -> None:
        """Write the policy called ``name``.

        Raises InvalidRequest where the text is not a policy (with line and column), where the name is not one, and for the
        policies that the server owns. The caller bumps the security epoch in the same commit.
        """
        check_policy_name(name)
        if name in _FIXED:
            raise InvalidRequest(f'cannot update "{name}" policy')
        parse_policy(text)
        storage.put(_PREFIX + name, encode({"text": text}))

    def delete(self, storage: Storage, name: str) -> None:
        """Remove the policy called ``name``; nothing happens if there is none. Raises InvalidRequest for built-in ones."""
        check_policy_name(name)
        if name in _FIXED:
            raise InvalidRequest(f'cannot delete "{name}" policy')
        if name == DEFAULT:
            raise InvalidRequest("cannot delete default policy")
        storage.delete(_PREFIX + name)

    def names(self, storage: Storage) -> list[str]:
        """Every policy that a token can have, in order, and ``root`` at the end, as Vault lists them."""
        return [*(key.removeprefix(_PREFIX) for key in storage.scan(_PREFIX)), ROOT]

    def install_defaults(self, storage: Storage) -> None:
        """Write the ``default`` policy of a new vault; one that is there is left as it is."""
        if self.get(storage, DEFAULT) is None:
            self.put(storage, DEFAULT, DEFAULT_TEXT)

    def acl_for(self, storage: Storage, names: tuple[str, ...], identity: IdentityView | None, epoch: int) -> ACL:
        """The ACL of a token with these policies that belongs to ``identity``. A name without a policy grants nothing.

        ``storage`` must be committed state and ``epoch`` the security epoch read from that same state: what is compiled is
        kept for it. Whatever changes a policy or an identity bumps the epoch. ``root`` among the names grants nothing.
        """
        compiled = self._for_epoch(epoch)
        acl = compiled.fixed.get(names)
        if acl is not None:
            return acl
        documents = compiled.varying.get(names)
        if documents is None:
            documents = tuple(self._document(storage, name, compiled) for name in names)
            if not any(document.is_templated for document in documents):
                return _keep(compiled.fixed, names, compile_acl(documents))
            _keep(compiled.varying, names, documents)
        key = (names, None if identity is None else identity.id)
        known = compiled.by_identity.get(key)
        if known is not None:
            return known
        return _keep(compiled.by_identity, key, compile_acl(render(document, identity) for document in documents))

    def _for_epoch(self, epoch: int) -> _Compiled:
        compiled = self._compiled
        if compiled.epoch == epoch:
            return compiled
        fresh = _Compiled(epoch)
        # A reader that still works on an older snapshot compiles for itself and keeps nothing.
        if epoch > compiled.epoch:
            self._compiled = fresh
        return fresh

    def _document(self, storage: Storage, name: str, compiled: _Compiled) -> PolicyDocument:
        known = compiled.documents.get(name)
        return known if known is not None else _keep(compiled.documents, name, self._read(storage, name))

    def _read(self, storage: Storage, name: str) -> PolicyDocument:
        try:
            stored = self.get(storage, name)
        except InvalidRequest:
            return PolicyDocument()
        if stored is None:
            return PolicyDocument()
        try:
            return parse_policy(stored.text)
        except InvalidRequest:
            # It was checked when it was written, so it comes from another version. It may hold denies: nothing is safe.
            return NOTHING


def _keep(entries: dict[K, V], key: K, value: V) -> V:
    # Emptying is one step and so safe between threads, which choosing a victim would not be.
    if len(entries) >= _ENTRIES_MAX:
        entries.clear()
    entries[key] = value
    return value
