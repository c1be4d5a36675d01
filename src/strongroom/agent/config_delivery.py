"""``template``, ``env_template``, ``exec`` and ``systemd_credentials``: what the agent gives to others, and how."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from strongroom.agent import config_kinds as kinds
from strongroom.agent.config_reader import Findings, Kind, Section, Setting, Values, blocks, read, single
from strongroom.agent.config_values import (
    After,
    EnvTemplate,
    Exec,
    Source,
    SystemdCredential,
    SystemdCredentials,
    TemplateFile,
    TemplateRules,
)
from strongroom.agent.template.errors import BadTemplate
from strongroom.agent.template.template import Template
from strongroom.encoding.hcl import Block, Body

SOURCE_BYTES_MAX = 1 << 20
_OWNER = "files belong to whoever runs the agent; run it as that user"
_CREDENTIAL_NAME = re.compile(r"[A-Za-z0-9_.@:+-]{1,255}")
_UNIT_NAME = re.compile(r"[A-Za-z0-9_.@:\\+-]{1,250}\.(?:service|socket|mount|swap)")

_SOURCE = (
    Setting("source", kinds.FILE, ""),
    Setting("contents", kinds.TEXT),
    Setting("left_delimiter", kinds.NONEMPTY, "{{"),
    Setting("right_delimiter", kinds.NONEMPTY, "}}"),
    Setting("error_on_missing_key", kinds.BOOLEAN),
    Setting("function_denylist", kinds.TEXTS, ()),
    Setting("function_blacklist", kinds.TEXTS, ()),
)
_TEMPLATE = Section(
    "a template",
    (
        *_SOURCE,
        Setting("destination", kinds.OUTPUT, ""),
        Setting("create_dest_dirs", kinds.BOOLEAN, default=True),
        Setting("perms", kinds.MODE, 0o600),
        Setting("backup", kinds.BOOLEAN, default=False),
        Setting("command", kinds.COMMAND),
        Setting("command_timeout", kinds.POSITIVE_DURATION, 30),
    ),
    required=("destination",),
    blocks=("exec", "wait"),
    ignored={"error_fatal": "what goes wrong is tried again, and the file that is there stays"},
    refused={
        "user": _OWNER,
        "group": _OWNER,
        "uid": _OWNER,
        "gid": _OWNER,
        "sandbox_path": "templates read no files at all",
        "map_to_environment_variable": "use env_template",
    },
)
_AFTER = Section(
    "the exec of a template",
    (Setting("command", kinds.COMMAND), Setting("timeout", kinds.POSITIVE_DURATION, 30)),
    required=("command",),
    refused={"env": "the program gets the agent's environment without tokens", "splay": "it runs at once"},
)
_WAIT = Section("wait", (Setting("min", kinds.DURATION, 0), Setting("max", kinds.DURATION, 0)))
_ENV_TEMPLATE = Section("an env_template", _SOURCE)
_RULES = Section(
    "template_config",
    (
        Setting("static_secret_render_interval", kinds.POSITIVE_DURATION, 300),
        Setting("exit_on_retry_failure", kinds.BOOLEAN, default=False),
        Setting("lease_renewal_threshold", kinds.FRACTION, 0.9),
        Setting("error_on_missing_key", kinds.BOOLEAN),
    ),
    ignored={"max_connections_per_host": "all templates share one connection"},
)
_EXEC = Section(
    "exec",
    (
        Setting("command", kinds.COMMAND, ()),
        Setting("restart_on_secret_changes", kinds.choice("always", "never"), "always"),
        Setting("restart_stop_signal", kinds.SIGNAL, kinds.SIGNAL.decode("SIGTERM")),
        Setting(
            "kill_timeout", kinds.POSITIVE_DURATION, 30
        ),  # the name and the default of consul-template's, which Vault's agent runs
        Setting("redact", kinds.choice("auto", "on", "off"), "auto"),
    ),
    required=("command",),
)


def _credential_name(value: object) -> str:
    if not isinstance(value, str) or not _CREDENTIAL_NAME.fullmatch(value) or value in {".", ".."}:
        raise ValueError
    return value


def _units(value: object) -> frozenset[str]:
    if not isinstance(value, list) or not value:
        raise ValueError
    if not all(isinstance(item, str) and _UNIT_NAME.fullmatch(item) for item in value):
        raise ValueError
    return frozenset(value)


_SYSTEMD = Section(
    "systemd_credentials",
    (
        Setting("address", kinds.OUTPUT, ""),
        Setting("socket_mode", kinds.MODE, 0o600),
        Setting("peer_uids", kinds.NATURALS, (0,)),
    ),
    required=("address",),
    blocks=("credential",),
)
_CREDENTIAL = Section(
    "a credential",
    (*_SOURCE, Setting("units", Kind('a list of units, like ["app.service"]', _units), frozenset())),
    required=("units",),
)


def read_rules(body: Body, findings: Findings) -> tuple[TemplateRules, bool | None]:
    """``template_config``, and what it says about missing keys for all templates."""
    block = single(body, "template_config", findings)
    values = read(block.body if block else Body(), _RULES, findings, block.line if block else 0)
    rules = TemplateRules(
        values["static_secret_render_interval"], values["exit_on_retry_failure"], values["lease_renewal_threshold"]
    )
    return rules, values["error_on_missing_key"]


def read_templates(body: Body, findings: Findings, *, missing_key: bool | None) -> tuple[TemplateFile, ...]:
    """Every ``template``. Two with one destination are found."""
    found: list[TemplateFile] = []
    for block in blocks(body, "template", 0, findings):
        values = read(block.body, _TEMPLATE, findings, block.line)
        source = _source(values, values["destination"], findings, missing_key=bool(missing_key))
        if any(other.destination == values["destination"] for other in found):
            findings.wrong(block.line, "there is another template with this destination")
        if source is None or not values["destination"]:
            continue
        found.append(
            TemplateFile(
                source,
                values["destination"],
                values["perms"],
                values["backup"],
                values["create_dest_dirs"],
                _after(block, values, findings),
                _wait(block, findings),
            )
        )
    return tuple(found)


def read_env_templates(body: Body, findings: Findings, *, missing_key: bool | None) -> tuple[EnvTemplate, ...]:
    """Every ``env_template``. Two for one variable are found."""
    found: list[EnvTemplate] = []
    for block in blocks(body, "env_template", 1, findings):
        name = block.labels[0]
        values = read(block.body, _ENV_TEMPLATE, findings, block.line)
        source = _source(values, f"the variable {name}", findings, missing_key=bool(missing_key))
        try:
            kinds.VARIABLE.decode(name)
        except ValueError:
            findings.wrong(block.line, f"the label of env_template must be {kinds.VARIABLE.expected}")
            continue
        if any(other.variable == name for other in found):
            findings.wrong(block.line, f"there is another env_template for {name}")
        if source is not None:
            found.append(EnvTemplate(name, source))
    return tuple(found)


def read_exec(body: Body, findings: Findings) -> Exec | None:
    """``exec``, if it is there."""
    block = single(body, "exec", findings)
    if block is None:
        return None
    values = read(block.body, _EXEC, findings, block.line)
    when = values["restart_on_secret_changes"]
    return Exec(
        values["command"],
        when == "always",
        values["restart_stop_signal"],
        values["kill_timeout"],
        values["redact"],
    )


def read_systemd(body: Body, findings: Findings) -> SystemdCredentials | None:
    """``systemd_credentials``, if it is there."""
    block = single(body, "systemd_credentials", findings)
    if block is None:
        return None
    values = read(block.body, _SYSTEMD, findings, block.line)
    credentials: list[SystemdCredential] = []
    for inner in blocks(block.body, "credential", 1, findings):
        name = inner.labels[0]
        settings = read(inner.body, _CREDENTIAL, findings, inner.line)
        source = _source(settings, f"the credential {name}", findings, missing_key=True)
        try:
            _credential_name(name)
        except ValueError:
            findings.wrong(inner.line, "the label of a credential must be its name, as it stands in LoadCredential=")
            continue
        if any(other.name == name and other.units & settings["units"] for other in credentials):
            findings.wrong(inner.line, "there is another credential of this name for one of these units")
        if source is not None:
            credentials.append(SystemdCredential(name, settings["units"], source))
    if not credentials:
        findings.wrong(block.line, "systemd_credentials needs a credential")
    return SystemdCredentials(
        values["address"], values["socket_mode"], frozenset(values["peer_uids"]), tuple(credentials)
    )


def _source(values: Values, name: str, findings: Findings, *, missing_key: bool) -> Source | None:
    contents, file = values["contents"], values["source"]
    if (contents is None) == (not file):
        findings.wrong(values.line, "a template needs either source or contents")
        return None
    if contents is None:
        try:
            contents = _text_of(file)
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            findings.wrong(values.lines.get("source", values.line), f"the source cannot be read: {why.lower()}")
            return None
    strict = values["error_on_missing_key"]
    source = Source(
        name,
        contents,
        (values["left_delimiter"], values["right_delimiter"]),
        missing_key if strict is None else strict,
        (*values["function_denylist"], *values["function_blacklist"]),
    )
    try:
        template_of(source)
    except BadTemplate as error:
        findings.wrong(values.line, f"the template for {name}: {error}")
        return None
    return source


def template_of(source: Source) -> Template:
    """The template with the meaning that its block gives it. Raises BadTemplate."""
    return Template(source.text, delimiters=source.delimiters, strict=source.error_on_missing_key, denied=source.denied)


def _text_of(file: str) -> str:
    path = Path(file)
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("it is no file")
    with path.open("rb") as stream:
        content = stream.read(SOURCE_BYTES_MAX + 1)
    if len(content) > SOURCE_BYTES_MAX:
        raise ValueError(f"it is larger than {SOURCE_BYTES_MAX:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None


def _after(block: Block, values: Values, findings: Findings) -> After | None:
    inner = single(block.body, "exec", findings)
    if inner is None:
        return After(values["command"], values["command_timeout"]) if values["command"] else None
    settings = read(inner.body, _AFTER, findings, inner.line)
    if values["command"]:
        findings.wrong(inner.line, "a template has either a command or an exec")
    return After(settings["command"] or (), settings["timeout"])


def _wait(block: Block, findings: Findings) -> tuple[int, int]:
    inner = single(block.body, "wait", findings)
    if inner is None:
        return (0, 0)
    settings = read(inner.body, _WAIT, findings, inner.line)
    return (settings["min"], max(settings["max"] or settings["min"] * 4, settings["min"]))
