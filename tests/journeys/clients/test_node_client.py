"""A service in node, with node-vault."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.journeys.clients.conftest import Service

from tools import clients

pytestmark = pytest.mark.xdist_group("clients")
SCRIPT = Path(__file__).parent / "node" / "journey.js"


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
@pytest.mark.skipif(
    not clients.is_there(clients.NODE_STAMP, clients.NODE_LOCK), reason="no node-vault: run make clients"
)
def test_a_service_with_node_vault(service: Service) -> None:
    environment = service.environment() | {"NODE_PATH": str(clients.NODE_MODULES)}
    done = subprocess.run(
        ["node", str(SCRIPT)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["is_same"]
    assert (seen["sealed"], seen["version"], seen["path"]) == (False, 1, "auth/approle/login")
    assert "node" in seen["keys"]
    assert (seen["denied"], seen["missing"], seen["conflict"], seen["revoked"]) == (403, 404, 400, 403)
    assert 600 < seen["renewed"] <= 1200
    assert service.is_revoked(seen["accessor"])
