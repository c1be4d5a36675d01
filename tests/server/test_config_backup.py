from __future__ import annotations

import pytest

from strongroom.server.assemble import audit_folders
from strongroom.server.config import parse_config
from strongroom.server.config_reader import ConfigError
from strongroom.server.config_values import BackupConfig, ServerConfig

BASE = 'storage "sqlite" { path = "/data" }\nlistener "tcp" { tls_disable = true }\n'


def read(text: str, base: str = BASE) -> ServerConfig:
    return parse_config([("test.hcl", base + text)])


def problems(text: str, base: str = BASE) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text, base)
    return str(caught.value)


def test_a_schedule_has_defaults() -> None:
    assert read("").backup is None
    assert read('backup { path = "/backups" }').backup == BackupConfig(path="/backups", interval=86400, keep=7)


def test_a_schedule_is_read() -> None:
    text = 'backup {\n path = "/backups/./here"\n interval = "90m"\n keep = 2\n}'
    assert read(text).backup == BackupConfig(path="/backups/here", interval=5400, keep=2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("backup {}", "backup needs path"),
        ('backup { path = "" }', "path must be the path of a folder"),
        ('backup { path = "/b"\n keep = 0 }', "keep must be a whole number greater than zero"),
        ('backup { path = "/b"\n interval = "0s" }', "interval must be a duration greater than zero"),
        ('backup { path = "/b"\n kepe = 3 }', "did you mean keep?"),
        ('backup { path = "/b" }\nbackup { path = "/c" }', "there is a second backup"),
        ('backup { path = "/data" }', "backup lies in the data folder"),
        ('backup { path = "/data/x/../backups" }', "backup lies in the data folder"),
        ('backup "sqlite" { path = "/b" }', "backup"),
    ],
)
def test_a_schedule_that_cannot_work_is_refused(text: str, said: str) -> None:
    assert said in problems(text)


def test_a_store_in_memory_has_no_schedule() -> None:
    base = 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }\n'
    assert "lost at the end" in problems('backup { path = "/b" }', base)


def test_audit_files_of_the_store_lie_where_the_configuration_says_and_nowhere_else() -> None:
    assert audit_folders(read("")) == ()
    assert audit_folders(read('audit_paths_allowed = ["/logs"]')) == ("/logs",)
    assert "/var/log" in audit_folders(read("unsafe_allow_api_audit_creation = true"))
    both = read('unsafe_allow_api_audit_creation = true\naudit_paths_allowed = ["/logs"]')
    assert audit_folders(both) == ("/logs",)
