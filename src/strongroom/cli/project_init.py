# ruff: noqa: PTH100, PTH108, PTH109, PTH113, PTH114, PTH119 -- names of files as a person gives them
"""``init``: what stands in a ``.env`` file moves into the vault, and the project file says where to find it."""

from __future__ import annotations

import os
from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.git_ignore import ignore
from strongroom.cli.grammar import command, expect
from strongroom.cli.options import switch, text
from strongroom.cli.prompts import confirmed
from strongroom.cli.run_sources import read_text, reference_to
from strongroom.cli.secret_reader import Found, SecretReader
from strongroom.cli.session import Session
from strongroom.delivery.dotenv import BadLine, Entry, parse
from strongroom.delivery.environment import steers_code
from strongroom.delivery.private_file import CannotWrite, write_private
from strongroom.delivery.project import read_project
from strongroom.delivery.project_file import FILE_NAME, PERSONAL_FILE_NAME
from strongroom.delivery.reference import BadReference, checked_environment
from strongroom.logical.secret import Secret

_READABLE_BY_ALL = 0o644


@command(
    "init",
    "",
    text("-from", help="The .env file to move, in the grammar of python-dotenv.", default=""),
    text("-env", help="Environment that the values belong to.", default="development"),
    text("-root", help="Where this environment is on the server; secret/ENVIRONMENT without it."),
    text("-path", help="Path of the secret within the environment; the name of this folder without it."),
    switch("-yes", "-y", help="Do not ask whether to go on."),
    switch("-replace", help="Replace values in the vault that differ from those in the file."),
    switch("-remove", help="Remove the file once its values are in the vault."),
)
def init(session: Session, arguments: tuple[str, ...], env: str, path: str, root: str, **flags: Any) -> None:
    """Moves the values of a .env file into the vault and writes the project file, which holds references only.

    Nothing that exists is replaced without asking: no project file, no other value in the vault. The file itself stays unless you
    want it removed; in a git repository it is entered in .gitignore.

        strongroom init -from .env
        strongroom init -from .env -env staging -path shop -yes -remove
    """
    expect(arguments, 0)
    file = flags["from"]
    if not file:
        raise CommandFailed("name the file to move: strongroom init -from .env")
    text = read_text(file)
    entries = _entries(file, text)
    reference = _reference(env, path or os.path.basename(os.getcwd()))
    root = (root or f"secret/{env}").strip("/")
    project = _project_text(env, root, reference.path, entries)
    is_written = _is_written(project)
    session.note(f"{len(entries)} values of {file} go to {root}/{reference.path}: {', '.join(e.name for e in entries)}")
    if not flags["yes"] and not confirmed(session, "Go on?", "Say -yes to go on without being asked."):
        raise CommandFailed("nothing was changed")
    _store(session, f"{root}/{reference.path}", entries, replace=flags["replace"])
    try:
        if not is_written:
            write_private(FILE_NAME, project.encode(), mode=_READABLE_BY_ALL, replace=False)
    except CannotWrite as error:
        raise CommandFailed(f"the values are in the vault, but: {error}") from None
    session.note(f"Wrote {FILE_NAME}: references only, so commit it.")
    for line in ignore(os.path.abspath(file), PERSONAL_FILE_NAME):
        session.note(line)
    _offer_removal(session, file, text, wanted=flags["remove"])
    session.say("Success! Run your program with: strongroom run -- COMMAND")


def _entries(file: str, text: str) -> list[Entry]:
    try:
        entries = parse(text)
    except BadLine as error:
        raise CommandFailed(f"{file}: {error}") from None
    if not entries:
        raise CommandFailed(f"{file} sets no variable")
    for entry in entries:
        if not (entry.name.isascii() and entry.name.isidentifier()):
            raise CommandFailed(
                f"{file}: line {entry.line}: {entry.name!r} cannot be the name of a variable (letters, digits and _)"
            )
        if steers_code(entry.name):
            raise CommandFailed(
                f"{file}: line {entry.line}: {entry.name} decides which code a program runs, so it is no matter of the "
                "vault; set it where the program is started, and take the line out"
            )
    return entries


def _is_written(project: str) -> bool:
    """Whether the project file is there already, with this text: by this command, which was cut off. Raises CommandFailed for another one."""
    if not os.path.lexists(FILE_NAME):
        return False
    if os.path.isfile(FILE_NAME) and not os.path.islink(FILE_NAME) and read_text(FILE_NAME) == project:
        return True
    raise CommandFailed(f"{FILE_NAME} exists already; change it by hand, or move it away to start anew")


def _reference(env: str, path: str) -> Any:
    try:
        return reference_to(checked_environment(env), path)
    except BadReference as error:
        raise CommandFailed(str(error)) from None


def _project_text(env: str, root: str, path: str, entries: list[Entry]) -> str:
    from strongroom.client.exact_json import text_of
    from strongroom.delivery.reference import Reference

    lines = [
        "# The values that this project needs. References only: it can be committed.",
        f"environment = {text_of(env)}",
        "",
        "[variables]",
        *(f"{entry.name} = {text_of(str(Reference('', path, entry.name)))}" for entry in entries),
        "",
        f"[environments.{env}]",
        f"path = {text_of(root)}",
    ]
    written = "\n".join(lines) + "\n"
    read_project(written)
    return written


def _store(session: Session, path: str, entries: list[Entry], *, replace: bool) -> None:
    reader = SecretReader(session.client)
    place = reader.place(path, "")
    before = _present(reader, path)
    values = dict(before.values) if before else {}
    new = {entry.name: entry.value for entry in entries}
    others = sorted(name for name, value in new.items() if name in values and _differs(values[name], value))
    question = f"The vault has other values for {', '.join(others)}. Replace them?"
    if others and not replace and not confirmed(session, question, "Say -replace if that is wanted."):
        raise CommandFailed("nothing was changed")
    wanted = {**values, **{name: value.reveal() for name, value in new.items()}}
    if wanted != values:
        cas = {"cas": before.version if before else 0}
        session.client.write(place.api("data"), {"data": wanted, "options": cas} if place.versioned else wanted)
    stored = _present(SecretReader(session.client), path)
    if stored is None or any(_differs(stored.values.get(name), value) for name, value in new.items()):
        raise CommandFailed(f"what {path} holds is not what was written; look at it before you go on")
    session.note(f"Stored at {place.api('data')}" + (f" as version {stored.version}." if stored.version else "."))


def _differs(stored: Any, value: Secret[str]) -> bool:
    return not isinstance(stored, str) or Secret(stored) != value


def _present(reader: SecretReader, path: str) -> Found | None:
    api_path = reader.place(path, "").api("data")
    answer = reader.client.read(api_path)
    data = (answer or {}).get("data")
    if not reader.place(path, "").versioned:
        return Found(api_path, data, 0, "") if isinstance(data, dict) else None
    metadata = data.get("metadata") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(metadata, dict):
        return None
    return Found(api_path, data.get("data") or {}, int(metadata.get("version") or 0), "")


def _offer_removal(session: Session, file: str, text: str, *, wanted: bool) -> None:
    kept = f"{file} still holds the values. Remove it when your program runs without it."
    if not wanted and not (session.can_ask and confirmed(session, f"Remove {file}?", "")):
        session.note(kept)
        return
    if os.path.islink(file):
        session.note(
            f"{file} is a link, so it stays: remove {os.path.realpath(file)}, which holds the values, and then the link."
        )
        return
    try:
        if not os.path.isfile(file):
            raise CommandFailed(f"{file} is no file that could be removed; the values are in the vault")
        if read_text(file) != text:
            raise CommandFailed(f"{file} was changed meanwhile, so it stays: what is new in it is not in the vault")
        os.unlink(file)
    except OSError as error:
        session.note(f"{file} could not be removed ({(error.strerror or '').lower()}). {kept}")
        return
    session.note(f"Removed {file}. If it was ever committed or copied, its values are known: replace them.")
