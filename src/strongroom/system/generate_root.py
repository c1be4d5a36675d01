"""``sys/generate-root`` and ``sys/generate-root-token``: a new root token, if enough holders of shares agree.

The token is made here and leaves only under a one-time pad that the operator brought, or encrypted to a PGP key, so that whoever gives the
last share does not see it. A token is needed to take part, unless the configuration allows the unauthenticated form of older clients.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any

from strongroom.barrier.authorisation import Authorisation
from strongroom.crypto.openpgp import Recipient, read_recipient
from strongroom.encoding import base62
from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest, Sealed
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.logical.secret import Secret
from strongroom.system import founding
from strongroom.system.area import Nothing
from strongroom.system.node import Node
from strongroom.system.rekey import GiveShare
from strongroom.tokens.text import ROOT_LENGTH


@dataclass(slots=True)
class StartAttempt:
    """The pad under which the token shall leave."""

    otp: Annotated[Secret[str], Doc("A pad of 28 ASCII characters; made here if it is missing.")] = field(
        default_factory=lambda: Secret("")
    )
    pgp_key: Annotated[
        str,
        Doc(
            "An OpenPGP public key in base64, to which the token shall leave encrypted, instead of an otp.", public=True
        ),
    ] = ""


@dataclass(slots=True)
class _Attempt:
    authorisation: Authorisation
    pad: Secret[str]
    reader: Recipient | None = None
    proven_by: str = ""
    """The id, which we give, of the request that came with the last share: it runs again where somebody else was faster with the store."""

    @property
    def fingerprint(self) -> str:
        """Whose eyes the token is for, where it leaves encrypted."""
        return self.reader.fingerprint if self.reader is not None else ""

    def encoded(self, token: str) -> str:
        """The token as it leaves."""
        if self.reader is not None:
            return base64.b64encode(self.reader.encrypt(token.encode())).decode()
        return _under_pad(token, self.pad.reveal())


class GenerateRootArea:
    """One attempt at a time. It lives in memory alone and dies with a seal."""

    def __init__(self, node: Node, *, is_open: bool) -> None:
        self._node = node
        self._is_open = is_open
        self._lock = threading.Lock()
        self._attempt: _Attempt | None = None
        # An attempt of before a seal must not be finished after it.
        node.lifecycle.call_at_seal(self.forget)

    def paths(self) -> tuple[Path, ...]:
        """The declarations, once in each spelling."""
        return (
            *self._spelled("generate-root", Shape.BARE, unauthenticated=self._is_open),
            *self._spelled("generate-root-token", Shape.ENVELOPE, unauthenticated=False),
        )

    def _spelled(self, prefix: str, shape: Shape, *, unauthenticated: bool) -> tuple[Path, ...]:
        def endpoint(operation: Operation, handler: Callable[..., Response | None], summary: str) -> Endpoint:
            return Endpoint(
                operation,
                handler,
                summary,
                # On the pool: an attempt is kept in memory, outside of the transaction.
                slow=True,
                sudo=not unauthenticated,
                unauthenticated=unauthenticated,
                shape=shape,
            )

        return (
            Path(
                f"{prefix}/attempt",
                "An attempt to make a new root token.",
                (
                    endpoint(Operation.READ, self.status, "Ask how far it is."),
                    endpoint(Operation.UPDATE, self.start, "Begin."),
                    endpoint(Operation.DELETE, self.cancel, "Give up."),
                ),
            ),
            Path(
                f"{prefix}/update",
                "Agreement to the new root token.",
                (endpoint(Operation.UPDATE, self.update, "Give a share."),),
            ),
        )

    def status(self, context: Context, _: Nothing) -> Response:
        """How far the attempt is."""
        del context
        with self._lock:
            return Response(data=self._status())

    def start(self, context: Context, request: StartAttempt) -> Response:
        """Begin an attempt."""
        pad = request.otp.reveal()
        reader = read_recipient(request.pgp_key, context.now_ns()) if request.pgp_key else None
        if pad and reader is not None:
            raise InvalidRequest("give an otp or a pgp_key, and not both: the token leaves in one form")
        if pad and (len(pad) != ROOT_LENGTH or not pad.isascii()):
            raise InvalidRequest(f"the otp must have exactly {ROOT_LENGTH} ASCII characters, as long as a root token")
        made = "" if reader is not None else pad or base62.random_text(ROOT_LENGTH, context.entropy)
        with self._lock:
            if self._attempt is not None:
                raise InvalidRequest("root generation already in progress; cancel it first")
            attempt = self._attempt = _Attempt(Authorisation(self._node.lifecycle), Secret(made), reader)
            data = self._status()
        context.take_back.append(lambda: self._end(attempt))
        # The pad is shown once, and only where it was made here.
        shown = "" if pad else made
        return Response(data={**data, "otp": shown}, returned_keys=("otp",) if shown else ())

    def cancel(self, context: Context, _: Nothing) -> None:
        """Give up."""
        del context
        with self._lock:
            self._forget()

    def update(self, context: Context, request: GiveShare) -> Response:
        """Take a share; with the last one, the token leaves under the pad."""
        if not request.key:
            raise InvalidRequest("'key' must be specified in request body as JSON")
        with self._lock:
            attempt = self._attempt
            if attempt is None:
                raise InvalidRequest("no root generation in progress")
            if attempt.proven_by != context.request.id:
                if not attempt.authorisation.submit(request.key.reveal(), request.nonce):
                    return Response(data=self._status())
                attempt.proven_by = context.request.id
            unsealed = self._node.require()
            token = founding.make_root_token(unsealed.tokens, context.storage, context.clock)
            context.issued.append(unsealed.tokens.id_of(token))
            encoded = attempt.encoded(token.reveal())
            required = attempt.authorisation.required
        data = {
            "nonce": request.nonce,
            "started": True,
            "progress": required,
            "required": required,
            "complete": True,
            "encoded_token": encoded,
            "encoded_root_token": encoded,
            "pgp_fingerprint": attempt.fingerprint,
            "otp": "",
            "otp_length": ROOT_LENGTH,
        }
        # It lasts until its token is there to stay: where the store takes none, the shares can be given again.
        context.after_commit += [lambda: self._end(attempt), self._node.scrub]
        return Response(data=data, returned_keys=("encoded_token",))

    def forget(self) -> None:
        """Give up, also while the vault is being sealed."""
        with self._lock:
            self._forget()

    def _end(self, attempt: _Attempt) -> None:
        """Give up this one, and not another that began since."""
        with self._lock:
            if self._attempt is attempt:
                self._forget()

    def _forget(self) -> None:
        if self._attempt is not None:
            self._attempt.authorisation.cancel()
        self._attempt = None

    def _status(self) -> dict[str, Any]:
        if self._node.unsealed is None:
            raise Sealed
        attempt = self._attempt
        required = attempt.authorisation.required if attempt else self._node.lifecycle.status().t
        return {
            "nonce": attempt.authorisation.nonce if attempt else "",
            "started": attempt is not None,
            "progress": attempt.authorisation.progress if attempt else 0,
            "required": required,
            "complete": False,
            "encoded_token": "",
            "encoded_root_token": "",
            "pgp_fingerprint": attempt.fingerprint if attempt else "",
            "otp": "",
            "otp_length": ROOT_LENGTH,
        }


def _under_pad(token: str, pad: str) -> str:
    mixed = bytes(left ^ right for left, right in zip(token.encode(), pad.encode(), strict=True))
    return base64.b64encode(mixed).rstrip(b"=").decode()
