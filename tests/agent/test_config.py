"""The configuration of Vault's agent is read with its meaning; what has none here is refused by name, with a reason."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from strongroom.agent.config import load_config, parse_config
from strongroom.agent.config_reader import BadConfig
from strongroom.agent.config_values import After, Approle, Cert, Jwt, TokenFile

LOGIN = """
auto_auth {
  method "approle" {
    mount_path = "auth/approle"
    config = { role_id_file_path = "/etc/app/role-id"  secret_id_file_path = "/etc/app/secret-id" }
  }
  %s
}
"""
SINK = 'sink "file" { config = { path = "/run/app/token" } }'
WHOLE = """
pid_file = "/run/app/pid"
vault {
  address = "https://vault.example.org:8200"
  ca_cert = "/etc/ssl/ca.pem"
  retry { num_retries = 5 }
}
auto_auth {
  method {
    type = "approle"
    min_backoff = "2s"
    max_backoff = "1m"
    exit_on_err = true
    config = {
      role_id_file_path = "/etc/app/role-id"
      secret_id_file_path = "/etc/app/secret-id"
      remove_secret_id_file_after_reading = false
      secret_id_response_wrapping_path = "auth/approle/role/app/secret-id"
    }
  }
  sinks {
    sink {
      type = "file"
      wrap_ttl = "5m"
      config = { path = "/run/app/token"  mode = 0640 }
    }
  }
}
cache {}
api_proxy { use_auto_auth_token = "force" }
listener "unix" { address = "/run/app/agent.sock"  tls_disable = true  require_request_header = true }
listener "tcp" { address = "127.0.0.1:8100"  tls_disable = true }
template_config { static_secret_render_interval = "10m"  exit_on_retry_failure = true }
template {
  contents = "{{ with secret \\"secret/data/app\\" }}{{ .Data.data.password }}{{ end }}"
  destination = "/run/app/config"
  perms = "0400"
  error_on_missing_key = true
  exec { command = ["systemctl", "reload", "app"]  timeout = "10s" }
}
"""


def problems(text: str) -> str:
    with pytest.raises(BadConfig) as caught:
        parse_config(text, "agent.hcl")
    return str(caught.value)


def test_a_whole_configuration_of_vaults_agent_is_read() -> None:
    config = parse_config(WHOLE)
    assert config.pid_file == "/run/app/pid"
    assert (config.vault.address, config.vault.tls.ca_cert, config.vault.num_retries) == (
        "https://vault.example.org:8200",
        "/etc/ssl/ca.pem",
        5,
    )
    assert config.auto_auth is not None
    method = config.auto_auth.method
    assert (method.kind, method.mount_path, method.min_backoff, method.max_backoff) == (
        "approle",
        "auth/approle",
        2,
        60,
    )
    assert method.settings == Approle(
        "/etc/app/role-id", "/etc/app/secret-id", False, "auth/approle/role/app/secret-id"
    )
    assert [(sink.path, sink.mode, sink.wrap_ttl) for sink in config.auto_auth.sinks] == [
        ("/run/app/token", 0o640, 300)
    ]
    assert config.cache is not None
    assert config.api_proxy is not None
    assert config.api_proxy.force
    assert [(item.kind, item.address) for item in config.listeners] == [
        ("unix", "/run/app/agent.sock"),
        ("tcp", "127.0.0.1:8100"),
    ]
    assert config.rules.static_interval == 600
    template = config.templates[0]
    assert (template.destination, template.mode, template.source.error_on_missing_key) == (
        "/run/app/config",
        0o400,
        True,
    )
    assert template.after == After(("systemctl", "reload", "app"), 10)


def test_the_json_form_is_read_as_well() -> None:
    config = parse_config(
        """{"auto_auth": {"method": {"jwt": {"config": {"path": "/run/jwt", "role": "app"}}},
        "sink": [{"file": {"config": {"path": "/run/app/token"}}}]}}"""
    )
    assert config.auto_auth is not None
    assert config.auto_auth.method.settings == Jwt("/run/jwt", "app")
    assert [sink.path for sink in config.auto_auth.sinks] == ["/run/app/token"]


@pytest.mark.parametrize(
    ("kind", "body", "settings", "mount"),
    [
        ("token_file", 'token_file_path = "/t"', TokenFile("/t"), "auth/token"),
        ("jwt", 'path = "/j" role = "r" remove_jwt_after_reading = false', Jwt("/j", "r", False), "auth/jwt"),
        (
            "kubernetes",
            'role = "r"',
            Jwt("/var/run/secrets/kubernetes.io/serviceaccount/token", "r", False),
            "auth/kubernetes",
        ),
        ("cert", 'name = "r" client_cert = "/c" client_key = "/k"', Cert("r", "", "/c", "/k"), "auth/cert"),
    ],
)
def test_each_method_has_its_settings_and_its_usual_mount(kind: str, body: str, settings: object, mount: str) -> None:
    config = parse_config(f'auto_auth {{ method "{kind}" {{ config {{ {body} }} }} {SINK} }}')
    assert config.auto_auth is not None
    assert config.auto_auth.method.settings == settings
    assert config.auto_auth.method.mount_path == mount


def test_a_program_with_variables_is_read() -> None:
    config = parse_config(
        LOGIN % ""
        + """
        env_template "DB_PASSWORD" { contents = "x" }
        exec { command = ["./app", "-v"]  restart_on_secret_changes = "never"  restart_stop_signal = "SIGINT" }
        """
    )
    assert config.program is not None
    assert (config.program.command, config.program.restart_on_changes, config.program.stop_signal) == (
        ("./app", "-v"),
        False,
        signal.SIGINT,
    )
    assert [(item.variable, item.source.error_on_missing_key) for item in config.env_templates] == [
        ("DB_PASSWORD", False)
    ]


def test_everything_that_is_wrong_is_told_at_once_with_its_line() -> None:
    text = problems('exit_after_auth = 7\nauto_auth {\n  method "aws" {}\n}\npid_fill = "/x"\n')
    assert "agent.hcl: line 1: exit_after_auth must be true or false" in text
    assert "agent.hcl: line 3: there is no such method here" in text
    assert "agent.hcl: line 5: pid_fill is not a setting of the configuration; did you mean pid_file?" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('vault { token = "hvs.CANARY" }', "no token stands in a configuration"),
        (LOGIN % 'sink "file" { dh_type = "curve25519" config { path = "/x/y" } }', "dh_type is not supported"),
        (LOGIN % 'sink "file" { config { path = "/x/y" mode = 0644 } }', "others read nothing"),
        (LOGIN % 'sink "file" { config { path = "/x/../y" } }', "without .. in it"),
        (LOGIN % 'sink "inmem" {}', 'the only kind of sink is "file"'),
        (LOGIN % SINK + 'template { destination = "/x/y" }', "either source or contents"),
        (
            LOGIN % SINK + 'template { contents = "" destination = "/x/y" command = "reload; rm -r /" }',
            "a shell is started only where it is named",
        ),
        (LOGIN % SINK + 'cache { persist "kubernetes" {} }', "persist is not supported"),
        (LOGIN % "", "of no use without a sink"),
        ('template { contents = "" destination = "/x/y" }', "templates need auto_auth"),
        (LOGIN % SINK + 'template { contents = "" destination = "/run/app/token" }', "two parts of this configuration"),
        ('allowed_folders = ["/srv"]' + LOGIN % SINK, "does not lie in one of allowed_folders"),
        (
            (
                'auto_auth { method "jwt" { wrap_ttl = "5m" config { path = "/j" role = "r" } } }'
                'template { contents = "" destination = "/x/y" }'
            ),
            "there can be no templates",
        ),
        (LOGIN % SINK + 'env_template "A" { contents = "" }', "env_template needs exec"),
        ("a = {", "line 1"),
    ],
)
def test_what_has_no_meaning_here_is_refused_with_a_reason(text: str, expected: str) -> None:
    told = problems(text)
    assert expected in told
    assert "CANARY" not in told


def test_settings_without_effect_are_told_and_do_no_harm() -> None:
    config = parse_config('log_file = "/var/log/agent.log"' + LOGIN % SINK)
    assert [warning.text for warning in config.warnings] == [
        "log_file has no effect: the agent writes to standard error; let whoever starts it keep that"
    ]


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o602])
def test_a_file_that_others_can_change_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "agent.hcl"
    file.write_text(LOGIN % SINK)
    file.chmod(mode)
    with pytest.raises(BadConfig, match="others can change this file"):
        load_config(str(file))


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="no such file"):
        load_config(str(tmp_path / "agent.hcl"))


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="this is no file"):
        load_config(str(tmp_path))


def test_a_file_that_fails_while_it_is_read_is_told() -> None:
    with pytest.raises(BadConfig, match="input/output error"):
        load_config("/proc/self/mem")


def test_a_template_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "app.tpl").write_text("text")
    config = parse_config(LOGIN % SINK + f'template {{ source = "{tmp_path}/app.tpl" destination = "/x/y" }}')
    assert config.templates[0].source.text == "text"


# The two forms of each list, as OpenBao's documentation shows them under "Auto auth examples".
TWO_SINKS = (
    """
    auto_auth {
      method { type = "approle"  config = { role_id_file_path = "/etc/roleid"  secret_id_file_path = "/etc/secretid" } }
      sink { type = "file"  config = { path = "/tmp/file-foo" } }
      sink { type = "file"  config = { path = "/tmp/file-bar" } }
    }
    """,
    """
    {
      "auto_auth" : {
        "method" : [
          { type = "approle"  config = { role_id_file_path = "/etc/roleid"  secret_id_file_path = "/etc/secretid" } }
        ],
        "sinks" : [
          { "sink" : { type = "file"  config = { path = "/tmp/file-foo" } } },
          { "sink" : { type = "file"  config = { path = "/tmp/file-bar" } } }
        ]
      }
    }
    """,
    """
    auto_auth {
      method "approle" { config { role_id_file_path = "/etc/roleid"  secret_id_file_path = "/etc/secretid" } }
      sinks { sink "file" { config { path = "/tmp/file-foo" } }  sink "file" { config { path = "/tmp/file-bar" } } }
    }
    """,
)


@pytest.mark.parametrize("text", TWO_SINKS, ids=["plain", "json", "labels"])
def test_every_documented_form_of_methods_and_sinks_means_the_same(text: str) -> None:
    config = parse_config(text)
    assert config.auto_auth is not None
    assert config.auto_auth.method.settings == Approle("/etc/roleid", "/etc/secretid")
    assert [sink.path for sink in config.auto_auth.sinks] == ["/tmp/file-foo", "/tmp/file-bar"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('listener "tcp" { address = "0.0.0.0:8100"  tls_disable = true }', "must be on the loopback"),
        ('listener "tcp" { address = "vault.example:8100"  tls_disable = true }', "must be on the loopback"),
        ('listener "unix" { address = "/run/a.sock" }\napi_proxy { use_auto_auth_token = true }', "needs auto_auth"),
        ('listener "unix" { address = "/run/a.sock" }\ncache { use_auto_auth_token = true }', "needs auto_auth"),
        ('listener "unix" { address = "/run/a.sock"  agent_api { quit = true } }', "not a setting of agent_api"),
        ('listener "unix" { address = "/run/a.sock"  socket_mode = "0666" }', "socket_mode must be"),
    ],
)
def test_a_listener_that_would_let_strangers_in_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadConfig, match=complaint):
        parse_config(text)


def test_a_listener_says_who_may_connect_and_whether_it_ends_the_agent() -> None:
    config = parse_config(
        'listener "unix" { address = "/run/a.sock"  peer_uids = [1]  peer_gids = [2]  agent_api { enable_quit = true } }\n'
        'listener "tcp" { address = "[::1]:8100"  tls_disable = true  peer_uids = [3] }'
    )
    unix, tcp = config.listeners
    assert (unix.peer_uids, unix.peer_gids, unix.enable_quit) == (frozenset({1}), frozenset({2}), True)
    assert (tcp.peer_uids, tcp.enable_quit) == (frozenset({3}), False)


@pytest.mark.parametrize(
    "broken",
    [
        LOGIN.replace("role_id_file_path", "role_id_file_pth") % SINK,
        LOGIN.replace('"approle"', '"aws"') % SINK,
        'listener "unix" { address = "/run/app/agent.sock" }\nlistener "unxi" {}\n',
        'auto_auth { method "approle" { config = {} } }\ntemplate { contents = "x"  destination = "/run/app/x" }',
    ],
)
def test_of_a_block_that_is_wrong_it_is_not_said_that_it_is_missing(broken: str) -> None:
    found = problems(broken)
    assert "there is nothing to do" not in found
    assert "templates need auto_auth" not in found
