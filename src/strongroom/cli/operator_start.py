"""``operator init|unseal|seal``."""

from __future__ import annotations

from typing import Any

from strongroom.cli.errors import REMOTE, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import switch, text, whole
from strongroom.cli.pgp_files import read_pgp_key, read_pgp_keys
from strongroom.cli.prompts import given_or_hidden
from strongroom.cli.session import Session
from strongroom.cli.status import show_seal, with_leader

_SHAMIR = (5, 3)
_ENCRYPTED = (
    "",
    "Each key above is a PGP message in base64, in the order of the PGP keys. Its keeper reads",
    "it with: base64 -d | gpg -d",
)


@command(
    "init",
    "",
    switch("-status", help="Only tell whether the server is initialized: exit code 0 yes, 2 no."),
    whole("-key-shares", "-n", help="Number of shares of the root key (5)."),
    whole("-key-threshold", "-t", help="Number of shares that unseal (3)."),
    whole("-recovery-shares", help="Number of recovery shares, where the server unseals itself (5).", default=5),
    whole("-recovery-threshold", help="Number of recovery shares that count as a quorum (3).", default=3),
    text(
        "-pgp-keys",
        help="Files with public PGP keys, with commas between them: each share is encrypted to one of them.",
    ),
    text("-root-token-pgp-key", help="File with the public PGP key to which the root token is encrypted."),
    text("-recovery-pgp-keys", help="As -pgp-keys, for the recovery shares."),
    output=Output.FORMAT,
)
def init(session: Session, arguments: tuple[str, ...], status: bool, **shares: Any) -> int:  # noqa: FBT001 -- a flag
    """Initializes a server: makes its keys and its first token, which are shown once and never again.

    strongroom operator init -key-shares=3 -key-threshold=2 -pgp-keys=ada.asc,ben.asc,eve.asc -root-token-pgp-key=ada.asc
    """
    expect(arguments, 0)
    client = session.client
    seal = client.ask("sys/seal-status") or {}
    if status:
        return _show_initialized(session, initialized=bool(seal.get("initialized")))
    recovery = bool(seal.get("recovery_seal"))
    default_shares, default_threshold = (0, 0) if recovery else _SHAMIR
    body: dict[str, Any] = {
        "secret_shares": _or(shares["key_shares"], default_shares),
        "secret_threshold": _or(shares["key_threshold"], default_threshold),
        "recovery_shares": shares["recovery_shares"] if recovery else 0,
        "recovery_threshold": shares["recovery_threshold"] if recovery else 0,
    }
    body |= {name: keys for name in ("pgp_keys", "recovery_pgp_keys") if (keys := read_pgp_keys(shares[name]))}
    if shares["root_token_pgp_key"]:
        body["root_token_pgp_key"] = read_pgp_key(shares["root_token_pgp_key"])
    with reporting("Error initializing"):
        answer = client.write("sys/init", body) or {}
    if session.printer.is_table:
        session.say(_init_text(answer, body))
    else:
        session.printer.data(_init_data(answer, body))
    return 0


@command(
    "unseal",
    "[KEY]",
    switch("-reset", help="Throw away the shares that were given so far."),
    switch("-migrate", help="The share belongs to the migration to another seal."),
    output=Output.FIELD,
)
def unseal(session: Session, arguments: tuple[str, ...], reset: bool, migrate: bool) -> None:  # noqa: FBT001 -- flags
    """Gives one share of the key to a sealed server. Asks for it; KEY - reads it from standard input."""
    expect(arguments, 0, 1)
    if reset:
        with reporting("Error resetting unseal process"):
            seal = session.client.write("sys/unseal", {"reset": True}) or {}
            show_seal(session, with_leader(session.client, seal))
        return
    share = given_or_hidden(
        session,
        arguments[0] if arguments else None,
        "Unseal Key",
        "Pipe it in: strongroom operator unseal - <share.txt",
    )
    with reporting("Error unsealing"):
        seal = session.client.write("sys/unseal", {"key": share, "reset": False, "migrate": migrate}) or {}
        show_seal(session, with_leader(session.client, seal))


@command("seal", "")
def seal(session: Session, arguments: tuple[str, ...]) -> None:
    """Seals a server: it forgets its keys and answers nothing until it is unsealed."""
    expect(arguments, 0)
    with reporting("Error sealing"):
        session.client.write("sys/seal")
    session.say("Success! Vault is sealed.")


def _show_initialized(session: Session, *, initialized: bool) -> int:
    if session.printer.is_table:
        session.say("Vault is initialized" if initialized else "Vault is not initialized")
    else:
        session.printer.data({"Initialized": initialized})
    return 0 if initialized else REMOTE


def _init_text(answer: dict[str, Any], body: dict[str, Any]) -> str:
    keys, recovery = answer.get("keys_base64") or [], answer.get("recovery_keys_base64") or []
    encrypted = bool(body.get("pgp_keys") or body.get("recovery_pgp_keys"))
    lines = [f"Unseal Key {number}: {key}" for number, key in enumerate(keys, 1)]
    lines += [f"Recovery Key {number}: {key}" for number, key in enumerate(recovery, 1)]
    lines += ["", f"Initial Root Token: {answer.get('root_token', '')}", ""]
    if recovery:
        shares, threshold = body["recovery_shares"], body["recovery_threshold"]
        lines += [
            "Success! Vault is initialized",
            "",
            f"Recovery key initialized with {shares} key shares and a key threshold of {threshold}. Please",
            "securely distribute the key shares printed above.",
        ]
        return "\n".join([*lines, *(_ENCRYPTED if encrypted else ())])
    shares, threshold = body["secret_shares"], body["secret_threshold"]
    lines += [
        f"Vault initialized with {shares} key shares and a key threshold of {threshold}. Please securely",
        "distribute the key shares printed above. When the vault is sealed again, restarted",
        f"or stopped, at least {threshold} of these keys must be given to unseal it.",
        "",
        "The root key is stored nowhere. Without enough of these shares the vault stays",
        "sealed for ever.",
    ]
    return "\n".join([*lines, *(_ENCRYPTED if encrypted else ())])


def _init_data(answer: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    return {
        "unseal_keys_b64": answer.get("keys_base64") or [],
        "unseal_keys_hex": answer.get("keys") or [],
        "unseal_shares": body["secret_shares"],
        "unseal_threshold": body["secret_threshold"],
        "recovery_keys_b64": answer.get("recovery_keys_base64") or [],
        "recovery_keys_hex": answer.get("recovery_keys") or [],
        "recovery_keys_shares": body["recovery_shares"],
        "recovery_keys_threshold": body["recovery_threshold"],
        "root_token": answer.get("root_token", ""),
    }


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
