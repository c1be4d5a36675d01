"""A frozen audit log, the ways to tamper with it, and the verdict of each.

``python -m tests.formats.audit_log FILE`` writes the log of today. It is for a new format, beside the logs that are there.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.evidence.logs import LoggedVault

from strongroom.evidence.anchor import read_anchor
from strongroom.evidence.signature import PublicKey
from strongroom.evidence.verify import verify

CASES: dict[str, dict[str, Any]] = {
    "as it was written": {},
    "a member edited": {"replace": [3, '"operation":"create"', '"operation":"read"']},
    "a hash edited": {"replace": [6, '"hash":"', '"hash":"0']},
    "a line removed": {"remove": [6]},
    "the beginning removed": {"remove": [0, 1, 2]},
    "a line doubled": {"double": [6]},
    "two lines exchanged": {"exchange": [6, 8]},
    "the end cut off": {"remove": [-1, -2, -3, -4, -5, -6, -7, -8]},
    "nothing left": {"remove": "all"},
    "a signature edited": {"replace": [-1, '"signature":"', '"signature":"A']},
    "a line that is none": {"insert": [6, "not a record"]},
}


def tampered(lines: list[str], how: dict[str, Any]) -> list[str]:
    """The lines after ``how`` was done to them."""
    lines = list(lines)
    for at, old, new in [how["replace"]] if "replace" in how else []:
        assert old in lines[at]
        lines[at] = lines[at].replace(old, new, 1)
    if how.get("remove") == "all":
        return []
    for at in sorted((one % len(lines) for one in how.get("remove", [])), reverse=True):
        del lines[at]
    for at in how.get("double", []):
        lines.insert(at, lines[at])
    if "exchange" in how:
        first, second = how["exchange"]
        lines[first], lines[second] = lines[second], lines[first]
    if "insert" in how:
        lines.insert(*how["insert"])
    return lines


def judge(frozen: dict[str, Any], how: dict[str, Any], file: Path) -> dict[str, Any]:
    """What the verification says of the log after ``how``."""
    file.write_text("".join(f"{line}\n" for line in tampered(frozen["lines"], how)), encoding="ascii")
    report = verify([file], key=PublicKey.read(frozen["public_key"]), anchor=read_anchor(json.dumps(frozen["anchor"])))
    return {"verdict": report.verdict, "kinds": sorted({finding.kind.value for finding in report.findings})}


def make(folder: Path) -> dict[str, Any]:
    """The frozen log of today."""
    logged = LoggedVault(folder, "frozen log")
    vault = logged.vault
    vault.mount("secret", options={"version": "2"})
    vault.post("secret/data/app", {"data": {"password": "a value", "port": 5432}})
    vault.get("secret/data/app")
    vault.get("secret/data/app", token="unknown")
    vault.post("auth/token/create", {"ttl": "1h"})
    logged.work(2)
    frozen: dict[str, Any] = {
        "origin": "made by the first version of the format",
        "public_key": vault.get("sys/audit-key").data["public_key"],
        "anchor": vault.get("sys/audit-anchor").data,
    }
    frozen["lines"] = [line.decode().removesuffix("\n") for line in logged.log().lines()]
    frozen["cases"] = [
        {"name": name, "how": how, "expect": judge(frozen, how, folder / "judged.log")} for name, how in CASES.items()
    ]
    return frozen


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        Path(sys.argv[1]).write_text(json.dumps(make(Path(temporary)), indent=1) + "\n")
