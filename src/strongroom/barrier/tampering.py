"""The ways in which a store can have been changed behind the barrier's back, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from strongroom.logical.errors import InvalidRequest


class Tampering(Enum):
    """A class of change. The value is its name in answers and reports."""

    ROOT_MISSING = "root-missing"
    ROOT_EDITED = "root-edited"
    ROOT_REPLAYED = "root-replayed"
    KEYRING_EDITED = "keyring-edited"
    COUNTER_SET_BACK = "counter-set-back"
    SEAL_EDITED = "seal-edited"
    EDITED = "record-edited"
    MOVED = "record-moved"
    REPLAYED = "record-replayed"
    DELETED = "record-deleted"
    INSERTED = "record-inserted"
    UNLOCATED = "records-differ"
    ROLLED_BACK = "rolled-back"
    FORKED = "forked"
    ANCHOR_EDITED = "anchor-edited"
    ANCHOR_MISSING = "anchor-missing"


SENTENCES = {
    Tampering.ROOT_MISSING: "the store's root record is missing",
    Tampering.ROOT_EDITED: "the store's root record was edited, or belongs to another store",
    Tampering.ROOT_REPLAYED: "the store's root record is older than the records",
    Tampering.KEYRING_EDITED: "the keyring is missing, was edited, or is an older one",
    Tampering.COUNTER_SET_BACK: "the counter of encryptions is missing, was edited, or was set back",
    Tampering.SEAL_EDITED: "a row of the seal is missing, was edited, or is an older one",
    Tampering.EDITED: "a record was edited, or written by somebody without the key",
    Tampering.MOVED: "a record was moved or copied from another place",
    Tampering.REPLAYED: "a record is older than it should be",
    Tampering.DELETED: "a record was deleted",
    Tampering.INSERTED: "a record is there that should not be: it was put back after its deletion, or is foreign",
    Tampering.UNLOCATED: "the records as a whole are not what was written; too many differ to say which",
    Tampering.ROLLED_BACK: "the store as a whole is older than what was recorded outside of it",
    Tampering.FORKED: "the store went another way than what was recorded outside of it: it was rolled back and written to since",
    Tampering.ANCHOR_EDITED: "the anchor file was edited, or belongs to another vault",
    Tampering.ANCHOR_MISSING: "the anchor file that the configuration names is not there",
}
"""What each class means, without a place: fit for clients and logs."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One change that was found. ``place`` is the key in the store, or empty; ``detail`` is for the operator's own screen."""

    kind: Tampering
    place: str = ""
    detail: str = ""

    @property
    def sentence(self) -> str:
        """What was found, without where."""
        return SENTENCES[self.kind]


class TamperedStore(InvalidRequest):
    """The store is not what this vault left behind, so it is not opened. The texts name the classes and no place."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        said = "; ".join(dict.fromkeys(finding.sentence for finding in findings))
        super().__init__(
            f"unseal refused: {said}. Stop the server and run 'strongroom operator verify' to see what happened"
        )
        self.findings = findings
