"""``sys/init``, ``sys/unseal``, ``sys/seal``: how a vault begins, opens and closes."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Annotated, Any

from strongroom.barrier.hand_out import HandedOut
from strongroom.barrier.initialization import InitConfig
from strongroom.crypto.openpgp import read_recipient
from strongroom.logical.backend import Context, Endpoint, Path, Shape
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.logical.secret import Secret
from strongroom.system.area import Nothing
from strongroom.system.health import HealthArea
from strongroom.system.node import Node


@dataclass(slots=True)
class Initialize:
    """How many shares there shall be."""

    secret_shares: Annotated[int | None, Doc("Number of unseal shares.", public=True)] = None
    secret_threshold: Annotated[int | None, Doc("How many of them unseal.", public=True)] = None
    stored_shares: Annotated[int | None, Doc("Kept for compatibility.", public=True)] = None
    pgp_keys: Annotated[
        list[str] | None,
        Doc(
            "OpenPGP public keys in base64, one for each unseal share: the shares leave encrypted to them, in this order.",
            public=True,
        ),
    ] = None
    root_token_pgp_key: Annotated[
        str | None, Doc("An OpenPGP public key in base64, to which the root token leaves encrypted.", public=True)
    ] = None
    recovery_shares: Annotated[int | None, Doc("Number of recovery shares.", public=True)] = None
    recovery_threshold: Annotated[int | None, Doc("How many of them authorise.", public=True)] = None
    recovery_pgp_keys: Annotated[
        list[str] | None,
        Doc("The same for the recovery shares.", public=True),
    ] = None


@dataclass(slots=True)
class Unseal:
    """One share."""

    key: Annotated[Secret[str], Doc("A share, in hex or base64.")] = field(default_factory=lambda: Secret(""))
    reset: Annotated[bool, Doc("Forget the shares that were given so far.", public=True)] = False
    migrate: Annotated[bool, Doc("The share is for the migration to another seal.", public=True)] = False


class SealArea:
    """The seal."""

    def __init__(self, node: Node, health: HealthArea) -> None:
        self._node = node
        self._health = health

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""

        def bare(operation: Operation, handler: Any, summary: str, *, slow: bool = False) -> Endpoint:
            return Endpoint(
                operation, handler, summary, unauthenticated=True, answers_sealed=True, shape=Shape.BARE, slow=slow
            )

        return (
            Path(
                "init",
                "Whether the vault is initialized; and its initialization, which happens once.",
                (
                    bare(Operation.READ, self.is_initialized, "Ask whether it is initialized."),
                    bare(Operation.UPDATE, self.initialize, "Initialize the vault.", slow=True),
                ),
            ),
            Path(
                "unseal",
                "Give one share of the unseal key; with enough of them the vault opens.",
                (bare(Operation.UPDATE, self.unseal, "Give a share.", slow=True),),
            ),
            Path(
                "seal",
                "Wipe the keys from memory and answer nothing but the seal's own questions from now on.",
                (
                    Endpoint(
                        Operation.UPDATE,
                        self.seal,
                        "Seal the vault.",
                        sudo=True,
                        slow=True,
                        audit_exempt=True,
                        # By then there is nothing to do, and nobody who could say who asks.
                        answers_sealed=True,
                    ),
                ),
            ),
            Path(
                "step-down",
                "Give up leadership. There is one node, so nothing changes.",
                (Endpoint(Operation.UPDATE, self.step_down, "Step down.", sudo=True),),
            ),
        )

    def is_initialized(self, context: Context, _: Nothing) -> Response:
        """Yes or no."""
        del context
        return Response(data={"initialized": self._node.lifecycle.status().initialized})

    def initialize(self, context: Context, request: Initialize) -> Response:
        """Make keys, shares and the first root token. They are shown once."""
        reader = None
        if request.root_token_pgp_key:
            reader = read_recipient(request.root_token_pgp_key, context.now_ns())
        result, root_token = self._node.found(self._config(request))
        context.take_back.append(self._node.abandon)
        context.after_commit += [self._node.announce, self._node.scrub]
        token = root_token.reveal()
        if reader is not None:
            token = base64.b64encode(reader.encrypt(token.encode())).decode()
        data: dict[str, Any] = {**_shown("keys", result.unseal), "root_token": token}
        if self._node.lifecycle.unseals_by_itself:
            data.update(_shown("recovery_keys", result.recovery))
        result.wipe()
        return Response(data=data, returned_keys=("keys", "root_token"))

    def unseal(self, context: Context, request: Unseal) -> Response:
        """Take a share and say how many are missing."""
        del context
        if request.reset:
            return Response(data=self._health.described(self._node.lifecycle.reset_unseal()))
        if not request.key:
            raise InvalidRequest("'key' must be specified in request body as JSON, or 'reset' set to true")
        return Response(
            data=self._health.described(self._node.submit_unseal_share(request.key.reveal(), migrate=request.migrate))
        )

    def seal(self, context: Context, _: Nothing) -> None:
        """Seal once this answer is recorded; a vault that is sealed already stays so."""
        if self._node.unsealed is not None:
            context.after_commit.append(self._node.seal)

    def step_down(self, context: Context, _: Nothing) -> None:
        """Nothing to do."""
        del context

    def _config(self, request: Initialize) -> InitConfig:
        pgp_keys, recovery_pgp_keys = request.pgp_keys or (), request.recovery_pgp_keys or ()
        if self._node.lifecycle.unseals_by_itself:
            return InitConfig(
                recovery_shares=5 if request.recovery_shares is None else request.recovery_shares,
                recovery_threshold=3 if request.recovery_threshold is None else request.recovery_threshold,
                pgp_keys=pgp_keys,
                recovery_pgp_keys=recovery_pgp_keys,
            )
        return InitConfig(
            secret_shares=5 if request.secret_shares is None else request.secret_shares,
            secret_threshold=3 if request.secret_threshold is None else request.secret_threshold,
            pgp_keys=pgp_keys,
            recovery_pgp_keys=recovery_pgp_keys,
        )


def _shown(name: str, handed: HandedOut) -> dict[str, list[str]]:
    shares = [share.reveal() for share in handed.shares]
    return {
        name: [share.hex() for share in shares],
        f"{name}_base64": [base64.b64encode(share).decode() for share in shares],
    }
