from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.http.tls import ClientCertificates, TlsSettings, TlsVersion
from strongroom.server import config_schema
from strongroom.server.config import load_config, parse_config
from strongroom.server.config_kinds import Address, KeyPlace, KeySource
from strongroom.server.config_reader import ConfigError
from strongroom.server.config_values import (
    SealType,
    ServerConfig,
    StorageConfig,
    StorageType,
    TcpListener,
    UnixListener,
)

LOCAL = 'listener "tcp" {\n  tls_disable = true\n}\nstorage "inmem" {}\n'


def read(text: str) -> ServerConfig:
    return parse_config([("server.hcl", text)])


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(text)
    return [str(problem) for problem in raised.value.problems]


def tcp(config: ServerConfig) -> TcpListener:
    listener = config.listeners[0]
    assert isinstance(listener, TcpListener)
    return listener


def test_the_smallest_configuration_has_the_defaults_that_are_documented() -> None:
    config = read(LOCAL)
    assert tcp(config).address == Address("127.0.0.1", 8200)
    assert tcp(config).tls is None
    assert config.storage == StorageConfig(type=StorageType.MEMORY)
    assert config.seal.type is SealType.SHAMIR
    assert (config.default_lease_ttl, config.max_lease_ttl) == (768 * 3600, 768 * 3600)
    assert config.audit_devices == ()
    rules = tcp(config).rules
    assert (rules.max_request_size, rules.max_request_duration) == (32 << 20, 90)
    assert rules.disable_unauthed_rekey_endpoints
    assert rules.disable_unauthed_generate_root_endpoints
    assert not config.unsafe_allow_api_audit_creation
    assert config.warnings == ()


def test_a_full_configuration_is_read() -> None:
    config = read(
        """
        // Vault's names all the way
        api_addr          = "https://vault.example:8200"
        cluster_name      = "blue"
        default_lease_ttl = "1h"
        max_lease_ttl     = 86400
        log_level         = "WARN"
        log_format        = "json"
        ui                = true
        max_request_size  = "1MiB"
        audit_paths_allowed = ["/var/log/strongroom"]

        listener "tcp" {
          address         = "[::]:8200"
          tls_cert_file   = "/tls/server.crt"
          tls_key_file    = "/tls/server.key"
          tls_min_version = "tls13"
          tls_client_ca_file = "/tls/clients.crt"
          tls_require_and_verify_client_cert = "true"
          max_request_size = 4096
          http_idle_timeout = "5m"
          disable_unauthed_rekey_endpoints = false
        }
        listener "unix" {
          address = "/run/strongroom.sock"
          socket_mode = "0660"
        }
        storage "sqlite" { path = "/var/lib/strongroom" }
        seal "static" {
          current_key_id = "2026"
          current_key = "file:///etc/strongroom/key"
          previous_key_id = "2025"
          previous_key = "credential://old-key"
        }
        audit "file" "main" {
          description = "all of it"
          options { file_path = "/var/log/strongroom/audit.log", mode = "0600", hmac_accessor = false }
        }
        """
    )
    assert tcp(config).address == Address("::", 8200)
    assert tcp(config).tls == TlsSettings(
        "/tls/server.crt", "/tls/server.key", TlsVersion.TLS_1_3, ClientCertificates.REQUIRED, "/tls/clients.crt"
    )
    assert (tcp(config).rules.max_request_size, tcp(config).rules.http_idle_timeout) == (4096, 300)
    assert not tcp(config).rules.disable_unauthed_rekey_endpoints
    local = config.listeners[1]
    assert isinstance(local, UnixListener)
    assert (local.path, local.mode, local.rules.max_request_size) == ("/run/strongroom.sock", 0o660, 1 << 20)
    assert config.storage == StorageConfig(type=StorageType.SQLITE, path="/var/lib/strongroom")
    assert (config.seal.type, config.seal.current_key_id) == (SealType.STATIC, "2026")
    assert config.seal.current_key == KeySource(KeyPlace.FILE, "/etc/strongroom/key")
    assert config.seal.previous_key == KeySource(KeyPlace.CREDENTIAL, "old-key")
    device = config.audit_devices[0]
    assert (device.type, device.path, device.description) == ("file", "main/", "all of it")
    assert device.options == {"file_path": "/var/log/strongroom/audit.log", "mode": "0600", "hmac_accessor": "false"}
    assert (config.default_lease_ttl, config.max_lease_ttl) == (3600, 86400)
    assert (config.log_level, config.log_format, config.ui) == ("warn", "json", True)
    assert config.audit_paths_allowed == ("/var/log/strongroom",)


DEVICE = 'audit "file" "main" { options { file_path = "/var/log/audit.log" } }\n'
MINIMAL = 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }\n'


@pytest.mark.parametrize(
    ("text", "required"),
    [
        ("", ()),
        ('audit_required = "any"', ()),
        ('audit_required = ["main"]', ("main",)),
        ('audit_required = "main/"', ("main",)),
    ],
)
def test_the_audit_devices_that_must_keep_a_record_are_named(text: str, required: tuple[str, ...]) -> None:
    assert read(MINIMAL + DEVICE + text).audit_required == required


def test_an_audit_device_that_is_required_must_be_declared() -> None:
    with pytest.raises(ConfigError, match="audit_required"):
        read(MINIMAL + DEVICE + 'audit_required = ["other"]')


HVAC = {
    "backend": {"inmem": {}},
    "listener": {
        "tcp": {
            "address": "127.0.0.1:8200",
            "tls_cert_file": "server-cert.pem",
            "tls_key_file": "server-key.pem",
            "disable_unauthed_rekey_endpoints": False,
            "disable_unauthed_generate_root_endpoints": False,
        }
    },
    "disable_mlock": True,
    "default_lease_ttl": "768h",
    "max_lease_ttl": "768h",
    "unsafe_allow_api_audit_creation": True,
    "allow_audit_log_prefixing": True,
}


@pytest.mark.parametrize("listed", [False, True])
def test_the_json_form_of_vaults_clients_is_read(listed: bool) -> None:  # noqa: FBT001 -- a case of the table
    content = {**HVAC, "listener": [HVAC["listener"]] if listed else HVAC["listener"]}
    config = parse_config([("vault.json", json.dumps(content))])
    tls = tcp(config).tls
    assert tls is not None
    assert tls.certificate_file == str(Path.cwd() / "server-cert.pem")
    assert tls.client_certificates is ClientCertificates.REQUESTED
    assert not tcp(config).rules.disable_unauthed_generate_root_endpoints
    assert config.unsafe_allow_api_audit_creation
    assert config.disable_mlock
    assert config.warnings == ()


def test_the_json_form_of_an_audit_device_is_read() -> None:
    text = '{"storage":{"inmem":{}},"listener":{"tcp":{"tls_disable":1}},"audit":{"file":{"a":{"options":{"x":1}}}}}'
    device = read(text).audit_devices[0]
    assert (device.type, device.path, device.options) == ("file", "a/", {"x": "1"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("defualt_lease_ttl = 1", "server.hcl:1: defualt_lease_ttl is not a setting here; did you mean default_lease_ttl?"),
        ('\nlistner "tcp" {}', "server.hcl:2: listner is not a setting here; did you mean listener?"),
        ("zzzzqqq = 1", "server.hcl:1: zzzzqqq is not a setting here; known are: see docs/reference/configuration.md"),
        ('default_lease_ttl = "soon"', 'server.hcl:1: default_lease_ttl must be a duration greater than zero: whole seconds, or a text like "30s", "15m", "768h"'),
        ("default_lease_ttl = 0", 'server.hcl:1: default_lease_ttl must be a duration greater than zero: whole seconds, or a text like "30s", "15m", "768h"'),
        ('ui = "perhaps"', "server.hcl:1: ui must be true or false"),
        ("api_addr = 1", "server.hcl:1: api_addr must be a text in quotes"),
        ('log_level = "loud"', 'server.hcl:1: log_level must be one of "trace", "debug", "info", "warn", "warning", "error", "err"'),
        ('max_request_size = "32 acres"', 'server.hcl:1: max_request_size must be a size: whole bytes, or a text like "512KiB", "32MiB"'),
        ("ui {}", "server.hcl:1: ui must be true or false, written as ui = ..."),
        ('ha_storage "consul" {}', "server.hcl:1: ha_storage is not supported: this server runs as one node"),
        ('listener "quic" {}', 'server.hcl:1: a listener is "tcp" or "unix"'),
        ('listener "unix" {}', 'server.hcl:1: listener "unix" needs address'),
        ('listener "unix" { address = "s", socket_mode = "0999" }', 'server.hcl:1: socket_mode must be a file mode as a text of octal digits, like "0600"'),
        ('listener "tcp" { tls_disable = true, adress = "x" }', "server.hcl:1: adress is not a setting here; did you mean address?"),
        ('listener "tcp" { tls_disable = true, address = "somewhere" }', 'server.hcl:1: address must be an address and port, like "127.0.0.1:8200" or "[::1]:8200"'),
        ('listener "tcp" { tls_disable = true, address = "127.0.0.1:65536" }', 'server.hcl:1: address must be an address and port, like "127.0.0.1:8200" or "[::1]:8200"'),
        ('listener "tcp" { tls_key_file = "k" }', 'server.hcl:1: listener "tcp" needs tls_cert_file; on a loopback address tls_disable = true does without'),
        ('listener "tcp" { tls_cert_file = "c", tls_key_file = "k", tls_min_version = "tls10" }', 'server.hcl:1: tls_min_version must be one of "tls12", "tls13"'),
        ('listener "tcp" { tls_cert_file = "c", tls_key_file = "k", tls_require_and_verify_client_cert = true }', "server.hcl:1: tls_require_and_verify_client_cert needs tls_client_ca_file"),
        ('listener "tcp" { tls_disable = true, x_forwarded_for_authorized_addrs = "10.0.0.0/8" }', "server.hcl:1: x_forwarded_for_authorized_addrs is not supported: put clients and server on one network path: addresses are taken from the connection only"),
        ('storage "consul" {}', 'server.hcl:1: a storage is "sqlite" (durable, in a folder) or "inmem" (lost at the end)'),
        ('backend "inmem" {}', "server.hcl:1: there is a second storage; keep one of them"),
        ('storage "sqlite" {}', 'server.hcl:1: storage "sqlite" needs path'),
        ('seal "awskms" {}', 'server.hcl:1: a seal is "shamir" (by hand, with key shares) or "static" (with a key from outside)'),
        ('seal "static" { current_key_id = "a" }', 'server.hcl:1: seal "static" needs current_key'),
        (
            f'seal "static" {{ current_key_id = "{"é" * 128}", current_key = "file:///k" }}',
            "server.hcl:1: current_key_id must be a text in quotes, of 1 to 255 bytes in UTF-8",
        ),
        ('seal "static" { current_key_id = "a", current_key = "file:///k", previous_key_id = "b" }', "server.hcl:1: previous_key_id and previous_key belong together: set both or none"),
        ('audit "file" "a b" {}', "server.hcl:1: the name of an audit device is letters, digits, '.', '_', '-', and '/' between them"),
        ('audit "file" {}', 'server.hcl:1: expected audit "..." "..." { ... }'),
        ('audit "file" "a" {}\naudit "file" "a/" {}', "server.hcl:2: there is another audit device with this name; give each its own"),
        ('audit "file" "a" { options { x = [1] } }', "server.hcl:1: x must be a text, a number, true or false"),
        ('seal "shamir" {}\nseal "shamir" {}', 'server.hcl:2: there is a second seal; keep one of them, or set disabled = "true" in the one that the vault shall leave'),
        ('max_lease_ttl = "1h"', "default_lease_ttl is longer than max_lease_ttl"),
        ("ui = ]", "server.hcl:1: column 6: expected a value: a quoted text, a number, true, false, a list or an object"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_what_was_expected(text: str, expected: str) -> None:
    whole = f"{text}\n{LOCAL}" if 'listener "tcp"' not in text else f'{text}\nstorage "inmem" {{}}'
    assert expected in problems(whole)


def test_all_mistakes_are_shown_at_once_in_the_order_of_their_lines() -> None:
    found = problems('ui = 3\nlistener "tcp" {\n  adress = "x"\n}\nstorage "raft" {}\nlog_level = 1\n')
    assert [line.split(": ")[0] for line in found] == [
        "server.hcl:1",
        "server.hcl:2",
        "server.hcl:2",
        "server.hcl:3",
        "server.hcl:5",
        "server.hcl:6",
    ]


def test_a_mistake_in_json_has_its_line_too() -> None:
    text = '{\n "storage": {"inmem": {}},\n "listener": {"tcp": {\n  "tls_disable": true,\n  "adress": "x"}}\n}'
    assert problems(text) == ["server.hcl:5: adress is not a setting here; did you mean address?"]


def test_a_file_that_is_no_hcl_has_one_mistake() -> None:
    assert len(problems("ui = ]")) == 1


def test_nothing_to_listen_on_and_nowhere_to_keep_records_are_mistakes() -> None:
    assert problems("") == [
        'listener "tcp" { ... } is missing: say where to listen',
        'storage "sqlite" { path = "..." } is missing: say where to keep records',
    ]


@pytest.mark.parametrize("address", ["0.0.0.0:8200", ":8200", "[::]:8200", "192.0.2.1:8200", "vault.example:8200"])
def test_plain_text_on_an_address_that_others_reach_must_be_said_twice(address: str) -> None:
    text = f'storage "inmem" {{}}\nlistener "tcp" {{\n  address = "{address}"\n  tls_disable = 1\n%s}}\n'
    assert [line.split(":")[1] for line in problems(text % "")] == ["4"]
    assert tcp(read(text % "  unsafe_allow_plaintext = true\n")).tls is None


@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.1.2.3:8200", "[::1]:8200", "localhost:8200"])
def test_plain_text_on_loopback_is_allowed(address: str) -> None:
    assert (
        tcp(read(f'storage "inmem" {{}}\nlistener "tcp" {{ address = "{address}", tls_disable = true }}')).tls is None
    )


@pytest.mark.parametrize("kind", ["file", "raft"])
def test_a_folder_of_vaults_is_kept_as_sqlite_with_a_warning(kind: str) -> None:
    config = read(
        f'listener "tcp" {{ tls_disable = true }}\nstorage "{kind}" {{\n  path = "/data"\n  node_id = "a"\n}}'
    )
    assert config.storage == StorageConfig(type=StorageType.SQLITE, path="/data")
    assert config.warnings == (
        f'server.hcl:2: storage "{kind}" is kept as "sqlite" in that folder; data that Vault wrote there is not read',
        "server.hcl:4: node_id has no effect: this server runs as one node",
    )


def test_a_setting_without_effect_is_accepted_and_said() -> None:
    config = read(LOCAL + 'telemetry {\n  disable_hostname = true\n}\nplugin_directory = "/plugins"\n')
    assert config.warnings == (
        "server.hcl:5: telemetry has no effect: no metrics are sent anywhere",
        "server.hcl:8: plugin_directory has no effect: no plugin is ever run",
    )


@pytest.mark.parametrize(
    "place",
    [
        "s3cr3t-canary",
        "env://KEY",
        "file://",
        "credential://a/b",
        "credential://..",
        "descriptor://2",
        "descriptor://x",
    ],
)
def test_a_key_can_only_come_from_a_file_a_credential_or_a_descriptor(place: str) -> None:
    found = problems(LOCAL + f'seal "static" {{\n  current_key_id = "a"\n  current_key = "{place}"\n}}\n')
    expected = '"file:///PATH", "credential://NAME" or "descriptor://NUMBER": a key never stands in the configuration'
    assert found == [f"server.hcl:7: current_key must be {expected} or the environment"]


def test_a_descriptor_is_a_number() -> None:
    seal = read(LOCAL + 'seal "static" { current_key_id = "a", current_key = "descriptor://3" }').seal
    assert seal.current_key == KeySource(KeyPlace.DESCRIPTOR, "3")


@given(st.text(max_size=30), st.sampled_from(["ui", "default_lease_ttl", "log_level", "max_request_size", "seal"]))
def test_no_mistake_ever_shows_a_value(value: str, name: str) -> None:
    text = json.dumps(
        {name: f"s3cr3t-canary {value}", "storage": {"inmem": {}}, "listener": {"tcp": {"tls_disable": 1}}}
    )
    assert not any("canary" in line for line in problems(text))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["tcp", "inmem", "address", "path", "options", "a"]), inner, max_size=3), max_leaves=8), st.sampled_from(["listener", "storage", "seal", "audit", "telemetry", "ui", "address"]))  # fmt: skip
def test_whatever_shape_a_value_has_the_answer_is_a_configuration_or_a_mistake(value: object, name: str) -> None:
    try:
        read(json.dumps({name: value}))
    except ConfigError as error:
        assert error.problems  # noqa: PT017 -- most inputs are mistakes, some are not


def test_files_of_a_folder_are_merged_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.hcl").write_text('storage "inmem" {}\n')
    (tmp_path / "b.json").write_text('{"listener": {"tcp": {"tls_disable": true}}, "ui": true}')
    (tmp_path / "notes.txt").write_text("not read")
    config = load_config([str(tmp_path)])
    assert config.ui
    assert config.storage.type is StorageType.MEMORY
    extra = tmp_path / "notes.txt"
    extra.write_text("ui = false")
    with pytest.raises(ConfigError, match=r"notes.txt:1: ui is set in another file too; keep one of them"):
        load_config([str(tmp_path), str(extra)])


def test_a_limit_in_one_file_is_the_default_of_listeners_in_another() -> None:
    config = parse_config([("a", LOCAL), ("b", "max_request_size = 4096\ndefault_max_request_duration = 5")])
    assert (tcp(config).rules.max_request_size, tcp(config).rules.max_request_duration) == (4096, 5)


def test_a_path_that_cannot_even_be_looked_at_is_a_mistake_like_any_other() -> None:
    with pytest.raises(ConfigError, match="cannot be read: file name too long"):
        load_config(["/" + "x" * 5000])


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    missing, binary, empty = tmp_path / "none.hcl", tmp_path / "binary.hcl", tmp_path / "empty"
    binary.write_bytes(b"\xff")
    empty.mkdir()
    with pytest.raises(ConfigError) as raised:
        load_config([str(missing), str(binary), str(empty)])
    assert {str(problem) for problem in raised.value.problems} == {
        f"{missing}: cannot be read: no such file or directory",
        f"{binary}: is not UTF-8 text",
        f"{empty}: the folder holds no .hcl or .json file that can be read",
    }


def test_paths_are_relative_to_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    config = read('listener "tcp" { tls_disable = true }\nstorage "sqlite" { path = "./data" }\npid_file = "../pid"')
    assert config.storage.path == str(tmp_path / "data")
    assert config.pid_file == str(tmp_path.parent / "pid")


PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "configure.md"


def test_the_examples_on_the_page_can_be_used() -> None:
    examples = [part.split("```")[0] for part in PAGE.read_text().split("```hcl\n")[1:]]
    assert len(examples) >= 3
    for example in examples:
        parse_config([("configure.md", example)])


def test_no_setting_is_declared_twice_or_both_known_and_ignored() -> None:
    for section in config_schema.SECTIONS:
        names = [setting.name for setting in section.settings] + [*section.ignored, *section.refused]
        assert len(names) == len(set(names))
        assert section.quiet <= set(section.ignored)
