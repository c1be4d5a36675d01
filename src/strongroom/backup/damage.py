"""The ways in which a file can be no good backup, and how that is said."""

from __future__ import annotations

from enum import Enum


class Damage(Enum):
    """A class of damage. The value is its name in reports."""

    FOREIGN = "not-a-backup"
    NEWER = "newer-format"
    NEWER_DATA = "newer-data"
    TRUNCATED = "truncated"
    CHANGED = "changed"
    SURPLUS = "surplus"
    WRONG_KEY = "wrong-key"
    FORGED = "forged"
    INCONSISTENT = "inconsistent"
    NOT_ALLOWED = "not-allowed"


SENTENCES = {
    Damage.FOREIGN: "the file is not a backup of a vault, or its first bytes were changed",
    Damage.NEWER: "the backup was made by a newer server, in a format that this one does not know; use that version",
    Damage.NEWER_DATA: "the backup holds data of a newer server; use that version",
    Damage.TRUNCATED: "the end of the backup is missing; copy the file again from where it was made",
    Damage.CHANGED: "the backup was changed since it was made: its checksums do not fit; use another copy",
    Damage.SURPLUS: "there is more in the file than the backup; use another copy",
    Damage.WRONG_KEY: "the keys are not the ones that the vault had when the backup was made",
    Damage.FORGED: "the backup was changed by somebody who knew how to make its checksums fit; use another copy",
    Damage.INCONSISTENT: "the backup is not what a vault stored: its records and its root record do not belong together",
    Damage.NOT_ALLOWED: "the backup holds an audit device that the server's configuration does not allow",
}
"""What each class means and what to do, without anything of the file's content."""


class BadBackup(Exception):
    """The backup is refused. ``detail`` is for the operator's own screen: numbers of ours, and never bytes of the file."""

    def __init__(self, damage: Damage, detail: str = "") -> None:
        said = SENTENCES[damage]
        super().__init__(f"{said} ({detail})" if detail else said)
        self.damage = damage
