"""The server's configuration: HCL or JSON with Vault's names, read into frozen values.

Owns finding the files, merging them and checking what concerns more than one setting. Refuses an unknown or misspelt key, with
the line and the nearest key; and whatever would make the server weaker than the person who wrote the file believes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from strongroom.encoding import hcl
from strongroom.encoding.hcl import Block, Body, HclError
from strongroom.server import config_schema as schema
from strongroom.server.config_blocks import read_audit_device, read_backup, read_listener, read_seal, read_storage
from strongroom.server.config_reader import ConfigError, Findings, Problem, in_order, read_section, with_defaults
from strongroom.server.config_values import (
    AuditDeviceConfig,
    BackupConfig,
    SealConfig,
    SealType,
    ServerConfig,
    StorageConfig,
    TcpListener,
    UnixListener,
)

FILE_BYTES_MAX = 1 << 20
_BLOCKS = ("audit", "backend", "backup", "listener", "seal", "storage")
_FILE_NAMES = (".hcl", ".json")


def load_config(paths: Sequence[str]) -> ServerConfig:
    """The configuration in ``paths``: files, or folders whose ``.hcl`` and ``.json`` files are read in the order of their names.

    Raises ConfigError with every problem that was found.
    """
    texts: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for path in paths:
        for file in _files(path, problems):
            text = _read(file, problems)
            if text is not None:
                texts.append((str(file), text))
    if problems:
        raise ConfigError(problems)
    return parse_config(texts)


def parse_config(texts: Sequence[tuple[str, str]]) -> ServerConfig:
    """The configuration in ``texts``, which are pairs of a file's name and its content. Raises ConfigError."""
    merged = _Merged()
    for file, text in texts:
        findings = Findings(file)
        try:
            merged.add(hcl.parse(text), findings)
        except HclError as error:
            findings.wrong(error.line, f"column {error.column}: {error.message}")
            merged.complete = False
        merged.problems.extend(findings.problems)
        merged.warnings.extend(findings.warnings)
    return merged.result()


class _Merged:
    """What the files say together. ``complete`` is False where a file could not be read as HCL at all."""

    def __init__(self) -> None:
        self.complete = True
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._top: dict[str, Any] = {}
        self._listeners: list[tuple[Findings, Block]] = []
        self._storage: list[StorageConfig | None] = []
        self._seals: list[SealConfig] = []
        self._audit: list[AuditDeviceConfig] = []
        self._backups: list[BackupConfig | None] = []

    def add(self, body: Body, findings: Findings) -> None:
        """Read one file."""
        values, lines = read_section(body, schema.TOP, findings, elsewhere=_BLOCKS)
        for name, value in values.items():
            if name in self._top:
                findings.wrong(lines[name], f"{name} is set in another file too; keep one of them")
            self._top[name] = value
        # Listeners wait for the end: their limits have defaults that another file may set.
        self._listeners += [(findings, block) for block in _sections(body, ("listener",), 1, findings)]
        for block in _sections(body, ("storage", "backend"), 1, findings):
            if self._storage:
                findings.wrong(block.line, "there is a second storage; keep one of them")
            self._storage.append(read_storage(block, findings))
        for block in _sections(body, ("seal",), 1, findings):
            self._add_seal(read_seal(block, findings), block.line, findings)
        for block in _sections(body, ("backup",), 0, findings):
            if self._backups:
                findings.wrong(block.line, "there is a second backup; keep one of them")
            self._backups.append(read_backup(block, findings))
        for block in _sections(body, ("audit",), 2, findings):
            self._add_audit(block, findings)

    def _add_seal(self, seal: SealConfig, line: int, findings: Findings) -> None:
        if any(other.disabled is seal.disabled for other in self._seals):
            advice = "" if seal.disabled else ', or set disabled = "true" in the one that the vault shall leave'
            findings.wrong(line, f"there is a second seal; keep one of them{advice}")
        ids = {other.current_key_id for other in self._seals if other.type is SealType.STATIC}
        if seal.type is SealType.STATIC and seal.current_key_id in ids:
            findings.wrong(line, "both seals have the same current_key_id; give each key its own")
        self._seals.append(seal)

    def _add_audit(self, block: Block, findings: Findings) -> None:
        device = read_audit_device(block, findings)
        if any(other.path == device.path for other in self._audit):
            findings.wrong(block.line, "there is another audit device with this name; give each its own")
        self._audit.append(device)

    def result(self) -> ServerConfig:
        """The configuration, once every file was added. Raises ConfigError."""
        top = with_defaults(self._top, schema.TOP)
        defaults = {
            "max_request_size": top.pop("max_request_size"),
            "max_request_duration": top.pop("default_max_request_duration"),
        }
        listeners = [self._listener(findings, block, defaults) for findings, block in self._listeners]
        if self.complete:
            self._check_whole(top)
        storage = self._storage[0] if self._storage else None
        if self.problems or storage is None:
            raise ConfigError(self.problems)
        return ServerConfig(
            listeners=tuple(listener for listener in listeners if listener is not None),
            storage=storage,
            seal=next((seal for seal in self._seals if not seal.disabled), SealConfig()),
            leaving_seal=next((seal for seal in self._seals if seal.disabled), None),
            audit_devices=tuple(self._audit),
            backup=self._backups[0] if self._backups else None,
            warnings=tuple(str(warning) for warning in in_order(self.warnings)),
            **top,
        )

    def _check_backup(self) -> None:
        """A backup in the folder of what it shall save is none, and a store that is lost at the end has no use for any."""
        backup = self._backups[0] if self._backups else None
        storage = self._storage[0] if self._storage else None
        if backup is None or storage is None:
            return
        if not storage.path:
            self.problems.append(Problem("", 0, 'backup needs storage "sqlite": one in memory is lost at the end'))
        elif Path(backup.path).is_relative_to(storage.path):
            self.problems.append(Problem("", 0, "backup lies in the data folder; choose a folder outside of it"))

    def _listener(
        self, findings: Findings, block: Block, defaults: Mapping[str, int]
    ) -> TcpListener | UnixListener | None:
        late = Findings(findings.file)
        listener = read_listener(block, late, defaults)
        self.problems.extend(late.problems)
        self.warnings.extend(late.warnings)
        return listener

    def _check_whole(self, top: Mapping[str, Any]) -> None:
        """What can only be said once everything was read."""
        if not self._listeners:
            self.problems.append(Problem("", 0, 'listener "tcp" { ... } is missing: say where to listen'))
        if not self._storage:
            self.problems.append(
                Problem("", 0, 'storage "sqlite" { path = "..." } is missing: say where to keep records')
            )
        names = {device.path.strip("/") for device in self._audit}
        if not names.issuperset(top["audit_required"]):
            self.problems.append(
                Problem("", 0, "audit_required names an audit device that this configuration does not declare")
            )
        if top["lock_memory"] and top["disable_mlock"]:
            self.problems.append(Problem("", 0, "lock_memory and disable_mlock say the opposite; keep one of them"))
        self._check_backup()
        if top["default_lease_ttl"] > top["max_lease_ttl"]:
            self.problems.append(Problem("", 0, "default_lease_ttl is longer than max_lease_ttl"))


def _sections(body: Body, types: tuple[str, ...], label_count: int, findings: Findings) -> list[Block]:
    found: list[Block] = []
    for block_type in types:
        try:
            found += body.sections(block_type, label_count)
        except HclError as error:
            findings.wrong(error.line, error.message)
    return found


def _files(path: str, problems: list[Problem]) -> list[Path]:
    place = Path(path)
    try:
        if not place.is_dir():
            return [place]
    except OSError:
        return [place]  # why, is said where it is read
    try:
        files = sorted(file for file in place.iterdir() if file.suffix in _FILE_NAMES and file.is_file())
    except OSError:
        files = []
    if not files:
        problems.append(Problem(path, 0, "the folder holds no .hcl or .json file that can be read"))
    return files


def _read(file: Path, problems: list[Problem]) -> str | None:
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        problems.append(Problem(str(file), 0, f"cannot be read: {(error.strerror or 'unknown reason').lower()}"))
        return None
    if len(content) > FILE_BYTES_MAX:
        problems.append(Problem(str(file), 0, "is larger than 1 MiB"))
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        problems.append(Problem(str(file), 0, "is not UTF-8 text"))
        return None
