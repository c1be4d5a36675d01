from __future__ import annotations

import pytest

from strongroom.server.config import parse_config
from strongroom.server.config_reader import ConfigError
from strongroom.server.config_values import ServerConfig


def read(inner: str, kind: str = 'listener "tcp" { tls_disable = true') -> ServerConfig:
    return parse_config([("server.hcl", f'storage "inmem" {{}}\n{kind}\n{inner}\n}}\n')])


def test_metrics_need_a_token_unless_the_listener_says_otherwise() -> None:
    assert read("").listeners[0].rules.unauthenticated_metrics_access is False
    assert read("telemetry {}").listeners[0].rules.unauthenticated_metrics_access is False


@pytest.mark.parametrize(
    "kind", ['listener "tcp" { tls_disable = true', 'listener "unix" { address = "vault.sock"'], ids=["tcp", "unix"]
)
def test_a_listener_can_be_opened_for_metrics(kind: str) -> None:
    config = read("telemetry {\n unauthenticated_metrics_access = true\n}", kind)
    assert config.listeners[0].rules.unauthenticated_metrics_access is True
    assert config.warnings == ()


def test_one_listener_that_is_open_does_not_open_another() -> None:
    opened = 'listener "tcp" {\n address = "127.0.0.1:8201"\n tls_disable = true\n telemetry { unauthenticated_metrics_access = true }\n}'
    config = read(f'}}\n{opened}\nlistener "tcp" {{\n address = "127.0.0.1:8202"\n tls_disable = true')
    assert [one.rules.unauthenticated_metrics_access for one in config.listeners] == [False, True, False]


@pytest.mark.parametrize(
    ("inner", "line", "part"),
    [
        ("telemetry { unauthenticated_metrics_acces = true }", 3, "did you mean unauthenticated_metrics_access"),
        ('telemetry { unauthenticated_metrics_access = "maybe" }', 3, "must be true or false"),
        ("telemetry = true", 3, "telemetry"),
        ('telemetry "x" {}', 3, "telemetry"),
    ],
)
def test_a_mistake_in_the_block_is_told_with_its_line(inner: str, line: int, part: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(inner)
    assert part in str(caught.value)
    assert f"server.hcl:{line}:" in str(caught.value)


def test_settings_of_vault_without_effect_are_pointed_out() -> None:
    config = read("telemetry {\n unauthenticated_pprof_access = true\n}")
    assert [str(warning) for warning in config.warnings] == [
        "server.hcl:4: unauthenticated_pprof_access has no effect: there is no profiling over the network"
    ]
