"""A data folder without a vault where an anchor or an audit log tells of one: its disk is not there, and nobody may begin another vault."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.kit import JumpingClock, SeededEntropy

from strongroom.barrier.initialization import InitConfig
from strongroom.logical.errors import InvalidRequest
from strongroom.physical.store import Unavailable
from strongroom.server.assemble import assemble
from strongroom.server.config import parse_config
from strongroom.server.config_values import ServerConfig
from strongroom.system.node import Node

ONE = InitConfig(secret_shares=1, secret_threshold=1)


def configuration(
    folder: Path, *, storage: str = 'storage "sqlite" { path = "DATA" }', anchor: bool = False
) -> ServerConfig:
    lines = [
        storage.replace("DATA", str(folder / "data")),
        'listener "tcp" { tls_disable = true }',
        f'audit "file" "main" {{ options {{ file_path = "{folder}/audit.log" }} }}',
        f'integrity_anchor = "{folder}/anchor"' if anchor else "",
    ]
    return parse_config([("server.hcl", "\n".join(lines))])


def opened(config: ServerConfig) -> Node:
    return assemble(config, JumpingClock(), SeededEntropy())


def lived(config: ServerConfig) -> None:
    """A vault is made, opened and closed."""
    node = opened(config)
    result, _ = node.initialize(ONE)
    node.submit_unseal_share(result.shares[0].reveal().hex())
    node.close()


def test_a_log_that_a_vault_signed_keeps_anybody_from_beginning_another(tmp_path: Path) -> None:
    config = configuration(tmp_path)
    lived(config)
    shutil.rmtree(tmp_path / "data")
    with pytest.raises(
        Unavailable, match=r"holds no vault, but the file of the audit device main/ tells of one. Is its disk mounted"
    ):
        opened(config)
    (tmp_path / "audit.log").rename(tmp_path / "former.log")
    opened(config).close()


def test_an_anchor_keeps_anybody_from_beginning_another_vault(tmp_path: Path) -> None:
    config = configuration(tmp_path, anchor=True)
    lived(config)
    shutil.rmtree(tmp_path / "data")
    (tmp_path / "audit.log").unlink()
    with pytest.raises(Unavailable, match=r"holds no vault, but its anchor .*/anchor tells of one"):
        opened(config)
    (tmp_path / "anchor").unlink()
    opened(config).close()


def test_a_server_that_was_never_initialized_starts_again_whatever_it_recorded(tmp_path: Path) -> None:
    config = configuration(tmp_path, anchor=True)
    for _ in range(3):
        node = opened(config)
        with pytest.raises(InvalidRequest, match="threshold"):
            node.initialize(InitConfig(secret_shares=1, secret_threshold=2))
        node.close()
    lived(config)
    opened(config).close()


def test_what_lies_in_memory_is_expected_to_be_gone(tmp_path: Path) -> None:
    config = configuration(tmp_path, storage='storage "inmem" {}')
    lived(config)
    opened(config).close()
