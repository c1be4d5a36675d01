"""A play of Ansible, with the collection that speaks to Vault."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from tests.journeys.clients.conftest import Service

from tools import clients

pytestmark = pytest.mark.xdist_group("clients")
PLAYBOOK = Path(__file__).parent / "ansible" / "playbook.yml"


@pytest.mark.skipif(not clients.is_there(clients.ANSIBLE_STAMP, clients.PINNED), reason="no Ansible: run make clients")
def test_a_play_with_the_collection_for_vault(service: Service, tmp_path: Path) -> None:
    environment = service.environment() | {
        "SEEN": str(tmp_path / "seen.json"),
        "ANSIBLE_HOME": str(tmp_path / "home"),
        "ANSIBLE_LOCAL_TEMP": str(tmp_path / "local"),
        "ANSIBLE_REMOTE_TEMP": str(tmp_path / "remote"),
        "ANSIBLE_COLLECTIONS_PATH": str(clients.COLLECTIONS),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "ANSIBLE_NOCOLOR": "true",
        "LC_ALL": "C.UTF-8",
    }
    command = [str(clients.ANSIBLE_PLAYBOOK), "-i", "localhost,", str(PLAYBOOK)]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=150, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    seen = json.loads((tmp_path / "seen.json").read_text())
    assert seen["is_same"]
    assert (seen["version"], seen["changed_again"]) == (1, False)
    assert 600 < seen["renewed"] <= 1200
    assert service.is_revoked(seen["accessor"])
