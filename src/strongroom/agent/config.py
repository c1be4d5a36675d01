"""The agent's configuration: one file in Vault's language, read into values, checked as a whole before anything starts.

The file decides which programs run and which files are written, so nobody but its owner may be able to change it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from strongroom.agent import config_kinds as kinds
from strongroom.agent.config_auth import read_auto_auth
from strongroom.agent.config_delivery import read_env_templates, read_exec, read_rules, read_systemd, read_templates
from strongroom.agent.config_proxy import read_api_proxy, read_cache, read_listeners
from strongroom.agent.config_reader import BadConfig, Findings, Problem, Section, Setting, read, single
from strongroom.agent.config_values import AgentConfig, VaultServer
from strongroom.client.settings import Tls
from strongroom.encoding.hcl import Body, HclError, parse

CONFIG_BYTES_MAX = 1 << 20
_STDERR = "the agent writes to standard error; let whoever starts it keep that"
_TOP = Section(
    "the configuration",
    (
        Setting("pid_file", kinds.OUTPUT, ""),
        Setting("exit_after_auth", kinds.BOOLEAN, default=False),
        Setting("log_level", kinds.choice("trace", "debug", "info", "warn", "error"), ""),
        Setting("allowed_folders", kinds.FOLDERS, ()),
    ),
    blocks=(
        *("vault", "auto_auth", "template", "template_config", "env_template", "exec"),
        *("systemd_credentials", "cache", "api_proxy", "listener"),
    ),
    ignored={
        **dict.fromkeys(("log_file", "log_rotate_duration", "log_rotate_bytes", "log_rotate_max_files"), _STDERR),
        "log_format": "the log is text",
        "telemetry": "the agent counts nothing",
        "disable_idle_connections": "a connection is kept while it works",
        "disable_keep_alives": "a connection is kept while it works",
    },
    refused={"plugin_directory": "nothing is loaded"},
)
_VAULT = Section(
    "vault",
    (
        Setting("address", kinds.NONEMPTY, ""),
        Setting("ca_cert", kinds.FILE, ""),
        Setting("ca_path", kinds.FILE, ""),
        Setting("client_cert", kinds.FILE, ""),
        Setting("client_key", kinds.FILE, ""),
        Setting("tls_skip_verify", kinds.BOOLEAN, default=False),
        Setting("tls_server_name", kinds.NONEMPTY, ""),
        Setting("namespace", kinds.TEXT, ""),
    ),
    blocks=("retry",),
    refused={"token": "no token stands in a configuration; log in with auto_auth"},
)
_RETRY = Section("retry", (Setting("num_retries", kinds.INTEGER, 0),))
_RETRIES = 12


def load_config(file: str) -> AgentConfig:
    """The configuration in ``file``. Raises BadConfig with everything that is wrong with it."""
    return parse_config(_content(file), file)


def parse_config(text: str, file: str = "") -> AgentConfig:
    """The configuration that ``text`` is. ``file`` is its name in messages. Raises BadConfig."""
    findings = Findings()
    try:
        body = parse(text, octal=True)
    except HclError as error:
        raise BadConfig(file, [Problem(error.line, error.message)]) from None
    config = _read(body, file, findings)
    if not findings.problems:
        # A block that is wrong by itself was left out: what is said of the whole would then not be so.
        _check(config, findings)
    _check_outputs(config, findings)
    if findings.problems:
        raise BadConfig(file, findings.problems)
    return config


def outputs(config: AgentConfig) -> Iterator[str]:
    """Every path at which the agent makes something."""
    if config.auto_auth is not None:
        yield from (sink.path for sink in config.auto_auth.sinks)
    yield from (template.destination for template in config.templates)
    yield from (listener.address for listener in config.listeners if listener.kind == "unix")
    if config.systemd_credentials is not None and config.systemd_credentials.address:
        yield config.systemd_credentials.address
    if config.pid_file:
        yield config.pid_file


def _read(body: Body, file: str, findings: Findings) -> AgentConfig:
    values = read(body, _TOP, findings)
    rules, missing_key = read_rules(body, findings)
    return AgentConfig(
        file=file,
        vault=_vault(body, findings),
        auto_auth=read_auto_auth(body, findings),
        templates=read_templates(body, findings, missing_key=missing_key),
        env_templates=read_env_templates(body, findings, missing_key=missing_key),
        rules=rules,
        program=read_exec(body, findings),
        systemd_credentials=read_systemd(body, findings),
        cache=read_cache(body, findings),
        api_proxy=read_api_proxy(body, findings),
        listeners=read_listeners(body, findings),
        allowed_folders=values["allowed_folders"],
        pid_file=values["pid_file"],
        exit_after_auth=values["exit_after_auth"],
        log_level=values["log_level"],
        warnings=tuple(findings.warnings),
    )


def _vault(body: Body, findings: Findings) -> VaultServer:
    block = single(body, "vault", findings)
    if block is None:
        return VaultServer()
    values = read(block.body, _VAULT, findings, block.line)
    retry = single(block.body, "retry", findings)
    written = read(retry.body, _RETRY, findings, retry.line)["num_retries"] if retry else 0
    tls = Tls(
        ca_cert=values["ca_cert"],
        ca_path=values["ca_path"],
        client_cert=values["client_cert"],
        client_key=values["client_key"],
        server_name=values["tls_server_name"],
        skip_verify=values["tls_skip_verify"],
    )
    # Vault's meaning: 0 is the default, and -1 none.
    return VaultServer(values["address"], values["namespace"], tls, max(0, written or _RETRIES))


def _check(config: AgentConfig, findings: Findings) -> None:
    """What the blocks mean together."""
    has_templates = bool(config.templates or config.env_templates or config.systemd_credentials)
    if has_templates and config.auto_auth is None:
        findings.wrong(0, "templates need auto_auth: without it there is no token to read secrets with")
    if has_templates and config.auto_auth is not None and config.auto_auth.method.wrap_ttl:
        findings.wrong(0, "with wrap_ttl at the method the agent itself has no token, so there can be no templates")
    if config.env_templates and config.program is None:
        findings.wrong(0, "env_template needs exec: the program that gets the variables")
    if config.program is not None and not config.env_templates:
        findings.wrong(0, "exec needs an env_template")
    if config.program is not None and config.exit_after_auth:
        findings.wrong(0, "with exec the agent ends with the program, so exit_after_auth has no meaning")
    uses_token = (config.api_proxy is not None and config.api_proxy.use_auto_auth_token) or (
        config.cache is not None and bool(config.cache.use_auto_auth_token)
    )
    if uses_token and config.auto_auth is None:
        findings.wrong(0, "use_auto_auth_token needs auto_auth: without it the agent has no token to use")
    if config.auto_auth is None and not config.listeners:
        findings.wrong(0, "there is nothing to do: auto_auth, or a listener, is missing")
    if config.auto_auth is not None and not (
        config.auto_auth.sinks or has_templates or config.listeners or config.exit_after_auth
    ):
        findings.wrong(0, "auto_auth is of no use without a sink, a template or a listener")


def _check_outputs(config: AgentConfig, findings: Findings) -> None:
    paths = list(outputs(config))
    for path in sorted({path for path in paths if paths.count(path) > 1}):
        findings.wrong(0, f"{path} would be written by two parts of this configuration")
    if config.allowed_folders:
        for path in paths:
            if not any(path.startswith(folder.rstrip("/") + "/") for folder in config.allowed_folders):
                findings.wrong(0, f"{path} does not lie in one of allowed_folders")


def _content(file: str) -> str:
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise BadConfig(file, [Problem(0, (error.strerror or "it cannot be read").lower())]) from None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)  # a folder cannot even be made a stream
        raise BadConfig(file, [Problem(0, "this is no file")])
    with os.fdopen(descriptor, "rb") as stream:
        if found.st_mode & 0o022 or found.st_uid not in {0, os.geteuid()}:
            text = "others can change this file, and it decides what runs: let it belong to you or root, with mode 0644"
            raise BadConfig(file, [Problem(0, text)])
        try:
            content = stream.read(CONFIG_BYTES_MAX + 1)
        except OSError as error:
            raise BadConfig(file, [Problem(0, (error.strerror or "it cannot be read").lower())]) from None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise BadConfig(file, [Problem(0, "this is no text in UTF-8")]) from None
    if len(content) > CONFIG_BYTES_MAX:
        raise BadConfig(file, [Problem(0, f"this is larger than {CONFIG_BYTES_MAX:,} bytes")])
    return text
