from __future__ import annotations

import pytest
from tests.engines.harness import MountedEngine

from strongroom.engines.cubbyhole import Cubbyhole
from strongroom.engines.kv_v1 import KvV1
from strongroom.engines.kv_v2 import KvV2


@pytest.fixture
def kv1() -> MountedEngine:
    return MountedEngine(KvV1())


@pytest.fixture
def kv2() -> MountedEngine:
    return MountedEngine(KvV2())


@pytest.fixture
def cubbyhole() -> MountedEngine:
    return MountedEngine(Cubbyhole())
