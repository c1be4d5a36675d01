"""``completion``: the script that makes a shell complete our words, and the completion of paths by asking the server.

The shell calls this program at every press of the tab key. So nothing here ever prints an error, and the server gets a moment
only: where it does not answer at once, there is nothing to offer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from strongroom.cli.grammar import command, expect
from strongroom.cli.lazy import COMPLETION_VARIABLE
from strongroom.cli.session import Session

if TYPE_CHECKING:
    from strongroom.client.client import Client

SHELLS = ("bash", "zsh", "fish")
NAMES = ("strongroom", "sr")
_STAY_AT_FOLDER = (
    "    return 0\n",
    "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace\n    return 0\n",
)
"""In bash: no space behind a folder, where one goes on typing."""
PATIENCE_SECONDS = 0.07
"""For each step of asking the server, of which there are three at most: a person waits for the whole of it."""

_OTHER_PATHS = frozenset({"auth", "audit", "lease"})
"""Groups whose paths are not those of secrets."""


@command("completion", "bash|zsh|fish", remote=False)
def completion(session: Session, arguments: tuple[str, ...]) -> None:
    """Prints the script that completes commands, flags and paths in a shell.

    strongroom completion bash > ~/.local/share/bash-completion/completions/strongroom
    """
    expect(arguments, 1)
    if arguments[0] not in SHELLS:
        raise click.UsageError(f"there is completion for {', '.join(SHELLS)}")
    session.say(_script(arguments[0]), end="")


def answer(root: click.Command, instruction: str) -> str:
    """What a shell is told: with ``bash_complete`` the words that may stand at the cursor, with ``bash_source`` the script."""
    from click.shell_completion import get_completion_class

    shell, _, wanted = instruction.partition("_")
    kind = get_completion_class(shell)
    if kind is None or shell not in SHELLS:
        return ""
    if wanted == "source":
        return _script(shell)
    try:
        return kind(root, {}, NAMES[0], COMPLETION_VARIABLE).complete()
    except Exception:  # noqa: BLE001 -- half a command line may be wrong in any way; then there is nothing to offer
        return ""


def _script(shell: str) -> str:
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise LookupError(shell)
    scripts = [kind(click.Command(name), {}, name, COMPLETION_VARIABLE) for name in NAMES]
    return "".join((one.source_template % one.source_vars()).replace(*_STAY_AT_FOLDER) for one in scripts)


def paths(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """The mounts, secrets and folders that start with ``incomplete``, where a path is asked for."""
    group = context.parent.info_name if context.parent else ""
    if context.params.get("arguments") or group in _OTHER_PATHS:
        return []
    session = Session({**context.params, "non_interactive": True})
    settings = session.settings._replace(timeout_seconds=PATIENCE_SECONDS, max_retries=0, wrap_ttl="")
    client = session.client_with(settings)
    is_kv = context.parent is not None and "kv" in context.parent.command_path.split()
    mount = str(context.params.get("mount") or "")
    try:
        if is_kv and (mount or "/" in incomplete):
            return _below(client, mount, incomplete)
        return _mounts(client, incomplete, only_kv=is_kv)
    finally:
        session.close()


def _mounts(client: Client, incomplete: str, *, only_kv: bool) -> list[str]:
    answer = client.ask("sys/internal/ui/mounts") or {}
    mounts = answer["data"]["secret"]
    return _starting(incomplete, (path for path in mounts if not only_kv or mounts[path]["type"] == "kv"))


def _below(client: Client, mount: str, incomplete: str) -> list[str]:
    from strongroom.cli.kv_mount import locate

    folder = incomplete[: incomplete.rfind("/") + 1]
    answer = client.list(locate(client, folder, mount).api("metadata")) or {}
    return _starting(incomplete, (folder + name for name in answer["data"]["keys"]))


def _starting(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
