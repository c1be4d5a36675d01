"""Where a rendered text goes: a file, a variable of the program, or a credential for systemd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from strongroom.agent.after import CommandFailed, run_after
from strongroom.agent.config_values import TemplateFile
from strongroom.agent.context import Context
from strongroom.agent.folders import OutputFolders
from strongroom.agent.output_file import OutputFile
from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.execute import ONE_STRING_BYTES_MAX
from strongroom.logical.secret import Secret

PART = "template"


class Target(Protocol):
    """One place. ``name`` is for messages."""

    name: str

    def deliver(self, content: str) -> bool:
        """Bring ``content`` there; whether it is another than before. Raises CannotWrite or CannotDeliver."""
        ...


class FileTarget:
    """A file, and the program that runs once it has changed."""

    def __init__(self, context: Context, template: TemplateFile, folders: OutputFolders) -> None:
        self.name = template.destination
        self._context = context
        self._after = template.after
        self._file = OutputFile(
            template.destination, template.mode, folders, template.backup, create_folders=template.create_folders
        )

    def deliver(self, content: str) -> bool:
        """See Target."""
        changed = self._file.write(content.encode("utf-8", "surrogatepass"))
        if changed:
            self._context.journal.info(PART, f"{self.name} was written")
            if self._after is not None:
                try:
                    run_after(self._after, self._context.environ, self._context.orphans)
                except CommandFailed as error:
                    # The file is there, and writing it again would help nobody.
                    self._context.journal.error(PART, f"after {self.name} was written: {error}")
        return changed


class ValueTarget:
    """A value in memory: ``changed`` is called with each new one. ``check`` raises CannotDeliver for what cannot be used."""

    def __init__(self, name: str, check: Callable[[str], None], changed: Callable[[Secret[str]], None]) -> None:
        self.name = name
        self._check = check
        self._changed = changed
        self._value: Secret[str] | None = None

    def deliver(self, content: str) -> bool:
        """See Target."""
        self._check(content)
        value = Secret(content)
        if value == self._value:
            return False
        self._value = value
        self._changed(value)
        return True


def check_variable(name: str, content: str) -> None:
    """Whether ``content`` can be the value of the variable ``name``. Raises CannotDeliver.

    Found here and not when the program is started: it would have been stopped for that already.
    """
    try:
        length = -1 if "\0" in content else len(f"{name}={content}\0".encode())
    except UnicodeEncodeError:
        length = -1
    if length < 0:
        raise CannotDeliver("it holds a zero byte or broken text, which no variable can carry")
    if length > ONE_STRING_BYTES_MAX:
        raise CannotDeliver(
            f"it has {length:,} bytes with its name, and the system takes {ONE_STRING_BYTES_MAX:,}: write it to a file, with a template"
        )
