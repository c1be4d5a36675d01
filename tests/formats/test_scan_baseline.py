"""What the first version of the baseline wrote is read, and written, for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.formats.whole_vault import VECTORS

from strongroom.scanner.baseline import read_baseline, write_baseline
from strongroom.scanner.finding import Finding, Occurrence
from strongroom.scanner.fingerprint import Fingerprinter
from strongroom.scanner.rule import Rule

FROZEN = json.loads((VECTORS / "scan_baseline.json").read_text())
RULE = Rule("assigned-bare", "", ".+")
each_scheme = pytest.mark.parametrize("scheme", ["sha256", "hmac-sha256"])


def fingerprinter(scheme: str) -> Fingerprinter:
    return Fingerprinter(FROZEN["key"].encode() if scheme == "hmac-sha256" else b"")


@each_scheme
def test_secrets_keep_their_fingerprints(scheme: str) -> None:
    for row in FROZEN["secrets"]:
        assert fingerprinter(scheme).fingerprint(row["secret"].encode()) == row[scheme]


@each_scheme
def test_a_frozen_baseline_is_read_and_written_again_byte_for_byte(scheme: str, tmp_path: Path) -> None:
    text = FROZEN["baselines"][scheme]
    (tmp_path / "old").write_text(text)
    known = read_baseline(tmp_path / "old", scheme)
    assert set(known) == {row[scheme] for row in FROZEN["secrets"]}
    findings = [Finding(RULE, print_, b"", 1.0, occurrences=[Occurrence("a.env", 1, 1)]) for print_ in known]
    write_baseline(tmp_path / "new", scheme, findings, known)
    assert (tmp_path / "new").read_text() == text
