"""``policy list|read|write|delete|fmt``."""

from __future__ import annotations

from pathlib import Path

from strongroom.cli.errors import LOCAL, REMOTE, CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.prompts import standard_input
from strongroom.cli.session import Session


@command("list", "", output=Output.FORMAT)
def list_policies(session: Session, arguments: tuple[str, ...]) -> None:
    """Lists the names of all policies."""
    expect(arguments, 0)
    with reporting("Error listing policies"):
        answer = session.client.list("sys/policies/acl") or {}
    names = (answer.get("data") or {}).get("keys") or []
    if session.printer.is_table:
        session.say("\n".join(map(str, names)))
    else:
        session.printer.data(names)


@command("read", "NAME", output=Output.FIELD)
def read(session: Session, arguments: tuple[str, ...]) -> None:
    """Prints a policy."""
    expect(arguments, 1)
    name = _name(arguments[0])
    with reporting(f"Error reading policy named {name}"):
        answer = session.client.read(f"sys/policies/acl/{name}")
    data = (answer or {}).get("data") or {}
    policy = data.get("policy") or data.get("rules")
    if not policy:
        raise CommandFailed(f"No policy named: {name}", REMOTE)
    if session.printer.is_table and not session.printer.field:
        session.say(str(policy).strip())
    else:
        session.printer.mapping({"policy": policy})


@command("write", "NAME FILE")
def write(session: Session, arguments: tuple[str, ...]) -> None:
    """Writes a policy from a file; FILE - reads it from standard input.

    strongroom policy write app app.hcl
    """
    expect(arguments, 2)
    name, file = _name(arguments[0]), arguments[1].strip()
    text = standard_input() if file == "-" else _file(file, REMOTE)
    if not text.strip():
        raise CommandFailed("The policy is empty")
    with reporting("Error uploading policy"):
        answer = session.client.write(f"sys/policies/acl/{name}", {"policy": text})
    session.success(f"Uploaded policy: {name}")
    session.warn_of(answer)


@command("delete", "NAME")
def delete(session: Session, arguments: tuple[str, ...]) -> None:
    """Deletes a policy; tokens that have it lose what it allowed at once."""
    expect(arguments, 1)
    name = _name(arguments[0])
    with reporting(f"Error deleting {name}"):
        session.client.delete(f"sys/policies/acl/{name}")
    session.success(f"Deleted policy: {name}")


@command("fmt", "FILE", remote=False)
def fmt(session: Session, arguments: tuple[str, ...]) -> None:
    """Formats a policy file in place."""
    expect(arguments, 1)
    from strongroom.cli.hcl_format import formatted

    path = Path(arguments[0]).expanduser()
    text = _file(str(path))
    try:
        result = formatted(text)
    except ValueError as error:
        raise CommandFailed(f"Failed to parse policy: {error}") from None
    try:
        path.write_text(result, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"Error writing result: {(error.strerror or 'cannot be written').lower()}") from None
    session.success(f"Formatted policy: {arguments[0]}")


def _name(word: str) -> str:
    return word.strip().lower()


def _file(name: str, exit_code: int = LOCAL) -> str:
    try:
        return Path(name).expanduser().read_text(encoding="utf-8")
    except OSError as error:
        raise CommandFailed(
            f"Error reading policy file: {(error.strerror or 'cannot be read').lower()}", exit_code
        ) from None
    except UnicodeDecodeError:
        raise CommandFailed("Error reading policy file: it is not UTF-8 text", exit_code) from None
