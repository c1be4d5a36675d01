"""``operator generate-root``: a new root token, by a quorum of share holders, under a one-time pad."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import switch, text
from strongroom.cli.pgp_files import read_pgp_key
from strongroom.cli.prompts import hidden, standard_input
from strongroom.cli.quorum import ask_for_share, contents, first_known, nonce_for
from strongroom.cli.session import Session

_PATHS = ("sys/generate-root-token/attempt", "sys/generate-root/attempt")
_STATUS_MEMBERS: tuple[tuple[str, Any], ...] = (
    ("nonce", ""),
    ("started", False),
    ("progress", 0),
    ("required", 0),
    ("complete", False),
    ("encoded_token", ""),
    ("encoded_root_token", ""),
    ("pgp_fingerprint", ""),
    ("otp", ""),
    ("otp_length", 0),
)
_OTP_SHOWN = (
    "A One-Time-Password has been generated for you and is shown in the OTP field.\n"
    "You will need this value to decode the resulting root token, so keep it safe."
)


@command(
    "generate-root",
    "[KEY]",
    switch("-init", help="Begin; the server makes a one-time password unless -otp is given."),
    switch("-status", help="Show how far it is."),
    switch("-cancel", help="End it and forget the shares that were given."),
    switch("-generate-otp", help="Print a one-time password of the right length."),
    text("-otp", help="The one-time password, with -init or -decode. With -decode it is asked for without this."),
    text(
        "-pgp-key", help="With -init, instead of an -otp: file with the public PGP key to which the token is encrypted."
    ),
    text("-decode", help="Decode this token with the one-time password; - reads it from standard input."),
    text("-nonce", help="The attempt that the share is meant for."),
    output=Output.FORMAT,
)
def generate_root(session: Session, arguments: tuple[str, ...], **flags: Any) -> None:
    """Makes a new root token. Every holder gives a share in turn; KEY - reads it from standard input.

    strongroom operator generate-root -init
    strongroom operator generate-root
    strongroom operator generate-root -decode=...
    """
    expect(arguments, 0, 1)
    if flags["generate_otp"]:
        session.printer.bare(_otp(_status(session)["otp_length"]))
    elif flags["decode"]:
        _decode(session, flags["decode"], flags["otp"])
    elif flags["cancel"]:
        with reporting("Error canceling root token generation"):
            first_known(session.client, "DELETE", _PATHS)
        session.success("Root token generation canceled (if it was started)")
    elif flags["status"]:
        _show(session, _status(session))
    elif flags["init"]:
        body = {"otp": flags["otp"]}
        if flags["pgp_key"]:
            if flags["otp"]:
                raise CommandFailed("Error initializing: cannot specify both -otp and -pgp-key")
            body["pgp_key"] = read_pgp_key(flags["pgp_key"])
        with reporting("Error initializing root generation"):
            _, status = first_known(session.client, "PUT", _PATHS, body)
        if session.printer.is_table and status.get("otp"):
            session.note(_OTP_SHOWN)
        _show(session, status)
    else:
        _give(session, arguments[0] if arguments else None, flags["nonce"])


def _status(session: Session) -> dict[str, Any]:
    with reporting("Error getting root generation status"):
        _, status = first_known(session.client, "GET", _PATHS)
    return {name: status.get(name, absent) for name, absent in _STATUS_MEMBERS}


def _give(session: Session, argument: str | None, nonce: str) -> None:
    with reporting("Error getting root generation status"):
        path, status = first_known(session.client, "GET", _PATHS)
    if not status.get("started"):
        raise CommandFailed(
            'No root generation is in progress. Start one with "strongroom operator generate-root -init".'
        )
    nonce = nonce_for(nonce, status, argument)
    share = ask_for_share(session, argument, nonce)
    with reporting("Error posting unseal key"):
        target = path.removesuffix("attempt") + "update"
        _show(session, contents(session.client.write(target, {"key": share, "nonce": nonce})))


def _show(session: Session, status: dict[str, Any]) -> None:
    if not session.printer.is_table:
        session.printer.data({name: status.get(name, absent) for name, absent in _STATUS_MEMBERS})
        return
    rows: list[tuple[str, str]] = [
        ("Nonce", str(status.get("nonce", ""))),
        ("Started", "true" if status.get("started") else "false"),
        ("Progress", f"{status.get('progress', 0)}/{status.get('required', 0)}"),
        ("Complete", "true" if status.get("complete") else "false"),
    ]
    if status.get("pgp_fingerprint"):
        rows.append(("PGP Fingerprint", str(status["pgp_fingerprint"])))
    encoded = status.get("encoded_token") or status.get("encoded_root_token")
    rows += [(title, str(value)) for title, value in (("Encoded Token", encoded), ("OTP", status.get("otp"))) if value]
    if status.get("otp_length") and not status.get("complete"):
        rows.append(("OTP Length", str(status["otp_length"])))
    session.say(tables.columns(rows))


def _decode(session: Session, encoded: str, otp: str) -> None:
    if encoded == "-":
        encoded = standard_input()
    pad = (otp or hidden(session, "One-time password", "Give it with -otp")).strip().encode()
    try:
        mixed = base64.b64decode(encoded.strip() + "=" * (-len(encoded.strip()) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise CommandFailed("Error decoding root token: it is not base64") from None
    if len(mixed) != len(pad):
        raise CommandFailed("Error decoding root token: the one-time password has another length than the token")
    token = bytes(left ^ right for left, right in zip(mixed, pad, strict=True)).decode("utf-8", "replace")
    if session.printer.is_table:
        session.printer.bare(token)
    else:
        session.printer.data({"token": token})


def _otp(length: int) -> str:
    from strongroom.encoding.base62 import random_text
    from strongroom.logical.ambient import SystemEntropy

    return random_text(length, SystemEntropy())
