"""R-4: damaged files of a vault at rest. ``python -m reliability.bit_rot --runs 500``.

A bit is flipped, a page emptied, swapped with another or written over, or a file cut off, in the database, its write-ahead log or the audit file. Whatever the
vault answers afterwards must be what was written, or an error. A store that is older than it should be but whole in itself, as a log
that was cut off leaves it, must be noticed through the anchor.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reliability.lab import Asked, Lab, copy_vault
from reliability.result import Figure, Result, run
from strongroom.crypto.aead import Damaged
from strongroom.logical.errors import LogicalError
from strongroom.physical.store import Unavailable

PAGE = 4096
SECRETS = 40
ROUNDS = 3
_ANCHOR = 'integrity_anchor = "{folder}/anchor"'


@dataclass
class Base:
    """An intact vault in ``folder``, and what it holds."""

    folder: Path
    token: str = ""
    unseal_key: str = ""
    values: dict[str, list[str]] = field(default_factory=dict)
    """By path: every value that the secret ever had, the present one last."""
    tokens: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)


def prepare(folder: Path) -> Base:
    """A vault that was copied while it was open, so that the last changes are in the write-ahead log alone."""
    base = Base(folder)
    live = folder.with_name("live")
    live.mkdir(mode=0o700)
    lab = Lab(live, more=_ANCHOR)
    base.token, base.unseal_key = lab.initialize()
    lab.node.submit_unseal_share(base.unseal_key)
    lab.must("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}}, base.token)
    for number in range(ROUNDS):
        for secret in range(SECRETS):
            _write(lab, base, f"s{secret}", f"{number}-{secret}")
        made = lab.must("POST", "auth/token/create", {"policies": ["default"], "ttl": "10h"}, base.token)
        base.tokens.append(made["auth"]["client_token"])
    lab.must("POST", "auth/token/revoke", {"token": base.tokens[0]}, base.token)
    base.revoked.append(base.tokens.pop(0))
    unsealed = lab.node.require()
    lab.node.integrity.move_anchor(unsealed.barrier, unsealed.cluster_id)
    copy_vault(live, folder)
    lab.close()
    return base


def _write(lab: Lab, base: Base, path: str, text: str) -> None:
    lab.must("POST", f"kv/data/{path}", {"data": {"text": text * 40}}, base.token)
    base.values.setdefault(path, []).append(text * 40)


# Damage


def flip_a_bit(content: bytearray, chance: random.Random) -> None:
    """One bit, anywhere."""
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)


def empty_a_page(content: bytearray, chance: random.Random) -> None:
    """Zeros where a page was."""
    start = chance.randrange(0, max(1, len(content) // PAGE)) * PAGE
    length = len(content[start : start + PAGE])
    content[start : start + length] = bytes(length)


def swap_pages(content: bytearray, chance: random.Random) -> None:
    """A page in the place of another."""
    pages = len(content) // PAGE
    if pages < 2:
        return
    one, other = (number * PAGE for number in chance.sample(range(pages), 2))
    content[one : one + PAGE], content[other : other + PAGE] = content[other : other + PAGE], content[one : one + PAGE]


def scribble(content: bytearray, chance: random.Random) -> None:
    """A sector of noise."""
    start = chance.randrange(0, max(1, len(content) // 512)) * 512
    noise = chance.randbytes(len(content[start : start + 512]))
    content[start : start + len(noise)] = noise


def cut_off(content: bytearray, chance: random.Random) -> None:
    """The end is missing."""
    del content[chance.randrange(len(content)) :]


DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip_a_bit,
    empty_a_page,
    swap_pages,
    scribble,
    cut_off,
)
FILES = ("data/strongroom.db", "data/strongroom.db-wal", "audit.log")


class Judge:
    """Opens damaged vaults and counts what they answer."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.runs = self.silent = self.unnoticed = 0
        self.outcomes: Counter[str] = Counter()
        self.findings: list[str] = []

    def judge(self, folder: Path, what: str) -> None:
        """Open the vault in ``folder``, ask it everything, and compare."""
        self.runs += 1
        # Every second one opens in spite of what it notices, so that everything is asked of it.
        more = _ANCHOR + '\non_tamper = "alarm"' if self.runs % 2 else _ANCHOR
        try:
            lab = Lab(folder, more=more)
        except (Unavailable, LogicalError):
            self.outcomes["refused at the start"] += 1
            return
        try:
            lab.node.submit_unseal_share(self.base.unseal_key)
            outcomes = self._ask_everything(lab)
            is_noticed = bool(lab.node.integrity.findings) or any(one.is_tampered for one in lab.node.broker.health)
        except (Unavailable, LogicalError, Damaged, LookupError):
            self.outcomes["refused at the unsealing"] += 1
            return
        finally:
            lab.close()
        self._count(outcomes, what, is_noticed=is_noticed)

    def _count(self, outcomes: set[str], what: str, *, is_noticed: bool) -> None:
        if "wrong" in outcomes:
            self.silent += 1
            self.findings.append(f"a wrong answer without an error: {what}")
        elif "older" in outcomes and not is_noticed:
            self.unnoticed += 1
            self.findings.append(f"an older state that nobody notices: {what}")
        elif "older" in outcomes:
            self.outcomes["older, and noticed"] += 1
        else:
            self.outcomes["errors for what is damaged" if "error" in outcomes else "intact"] += 1

    def _ask_everything(self, lab: Lab) -> set[str]:
        outcomes = {self._ask_secret(lab, path, values) for path, values in self.base.values.items()}
        for token in self.base.tokens:
            outcomes.add(self._ask_token(lab, token, good=200, older=403))
        for token in self.base.revoked:
            outcomes.add(self._ask_token(lab, token, good=403, older=200))
        return outcomes

    def _ask_secret(self, lab: Lab, path: str, values: list[str]) -> str:
        told = lab.ask(Asked("GET", f"kv/data/{path}", None, self.base.token))[0]
        if told.status >= 500:
            return "error"
        if told.status in {403, 404}:
            return "older"  # of a time before the secret, or the token, was there
        found = told.body["data"]["data"].get("text")
        if found == values[-1]:
            return "right"
        return "older" if found in values else "wrong"

    def _ask_token(self, lab: Lab, token: str, *, good: int, older: int) -> str:
        status = lab.ask(Asked("GET", "auth/token/lookup-self", None, token))[0].status
        if status >= 500:
            return "error"
        return {good: "right", older: "older"}.get(status, "wrong")


def prove(arguments: argparse.Namespace) -> Result:
    """Damage after damage."""
    chance = random.Random(arguments.seed)
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="rot-", dir=memory if memory.is_dir() else None) as scratch:
        judge = Judge(prepare(Path(scratch) / "base"))
        for _ in range(arguments.runs):
            folder = Path(scratch) / "run"
            copy_vault(judge.base.folder, folder)
            damage, name = chance.choice(DAMAGES), chance.choice(FILES)
            content = bytearray((folder / name).read_bytes())
            damage(content, chance)
            (folder / name).write_bytes(content)
            judge.judge(folder, f"{damage.__name__} of {name}")
    figures: dict[str, Figure] = {
        "n": judge.runs,
        "silent_wrong_answers": judge.silent,
        "older_and_unnoticed": judge.unnoticed,
        **{name.replace(" ", "_").replace(",", ""): count for name, count in sorted(judge.outcomes.items())},
    }
    return Result("R-4 bit rot", figures, ("silent_wrong_answers", "older_and_unnoticed"), {}, judge.findings)


if __name__ == "__main__":
    run(prove, runs=500)
