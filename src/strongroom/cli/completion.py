"""``completion``: the script that makes a shell complete our words, and the answers that the script gets.

The shell calls this program at every press of the tab key, so it never prints an error.
"""

from __future__ import annotations

import click

from strongroom.cli.grammar import command, expect
from strongroom.cli.session import Session
from strongroom.cli.words import COMPLETION_VARIABLE

SHELLS = ("bash", "zsh", "fish")
NAMES = ("strongroom", "sr")
_STAY_AT_FOLDER = (
    "    return 0\n",
    "    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace\n    return 0\n",
)
"""In bash: no space behind a folder, where one goes on typing."""


@command("completion", "bash|zsh|fish", remote=False)
def completion(session: Session, arguments: tuple[str, ...]) -> None:
    """Prints the script that completes commands, flags and paths in a shell.

    strongroom completion bash > ~/.local/share/bash-completion/completions/strongroom
    """
    expect(arguments, 1)
    if arguments[0] not in SHELLS:
        raise click.UsageError(f"there is completion for {', '.join(SHELLS)}")
    session.say("".join(script(arguments[0], name) for name in NAMES), end="")


def answer(root: click.Command, instruction: str) -> str:
    """What a shell is told: with ``bash_complete`` the words that may stand at the cursor, with ``bash_source`` the script."""
    from click.shell_completion import get_completion_class

    shell, _, wanted = instruction.partition("_")
    kind = get_completion_class(shell)
    if kind is None or shell not in SHELLS:
        return ""
    if wanted == "source":
        return "".join(script(shell, name) for name in NAMES)
    try:
        return kind(root, {}, NAMES[0], COMPLETION_VARIABLE).complete()
    except Exception:  # noqa: BLE001 -- half a command line may be wrong in any way; then there is nothing to offer
        return ""


def script(shell: str, name: str) -> str:
    """The script that makes ``shell`` complete the program called ``name``."""
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    if kind is None:
        raise LookupError(shell)
    one = kind(click.Command(name), {}, name, COMPLETION_VARIABLE)
    return (one.source_template % one.source_vars()).replace(*_STAY_AT_FOLDER)
