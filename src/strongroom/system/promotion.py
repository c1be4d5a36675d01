"""``sys/promote``: values go from one environment to a more sensitive one, on the server, without being shown. Never downward.

The first request shows what would happen, with a ``check`` that stands for it; the second one carries the ``check``, and happens only if
everything still is as it was shown.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from strongroom.crypto.generated import KINDS, BadKind, check_kind, draw_value
from strongroom.environments.environment import Reuse
from strongroom.environments.reason import require_reason
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import AccessDenied, InvalidRequest, NotFound
from strongroom.logical.field import Doc
from strongroom.logical.operation import Capability, Operation
from strongroom.logical.request import Response
from strongroom.system.matrix_columns import Column, column_called, columns, labels
from strongroom.system.node import Node
from strongroom.system.promotion_plan import Action, Step, Wish, check_of, decide, is_compared
from strongroom.system.secret_access import Access, SecretMount
from strongroom.system.secret_walk import BYTES_MAX

SECRETS_MAX = 200
"""How many secrets one promotion may touch."""
COPIED = (
    "a value that was promoted is in use in both environments now; each environment should have values of its own: "
    "have one generated for the target"
)


@dataclass(slots=True)
class Promotion:
    """What to promote. Without ``check`` nothing happens but the plan."""

    path: Annotated[str, Doc("The secret, or the folder, as it is called in every environment.", public=True)]
    from_: Annotated[str, Doc("The environment that has the values.", public=True)]
    to: Annotated[str, Doc("The environment that gets them. It must be more sensitive.", public=True)]
    keys: Annotated[
        list[str], Doc("Only these keys of the secret; they replace what is there. All, if left out.", public=True)
    ] = field(default_factory=list)
    generate: Annotated[
        dict[str, str],
        Doc(
            f"Keys that get a fresh value instead of a copy, each with its kind: {', '.join(KINDS)}; with a length after a colon.",
            public=True,
        ),
    ] = field(default_factory=dict)
    overwrite: Annotated[
        bool, Doc("Replace values that are there already, also of keys that were not named.", public=True)
    ] = False
    check: Annotated[str, Doc("The `check` of the plan that is to be carried out.", public=True)] = ""


class PromotionArea:
    """Promotion from one environment to the next."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                "promote",
                "Bring keys of a secret, or the secrets of a folder, from one environment to a more sensitive one. "
                "The token needs to read them there and to write them here.",
                (
                    # It opens many secrets, so not in the loop.
                    Endpoint(
                        Operation.UPDATE,
                        self.promote,
                        "Show what a promotion would do, or carry out what was shown.",
                        any_access=True,
                        slow=True,
                    ),
                ),
            ),
        )

    def promote(self, context: Context, request: Promotion) -> Response:
        """The plan, and with its ``check`` the deed. Raises InvalidRequest, AccessDenied, NotFound."""
        wish = _wish(request)
        access = Access(self._node, context)
        both = columns(access, [request.from_, request.to])
        source, target = column_called(both, request.from_), column_called(both, request.to)
        if source.environment.rank >= target.environment.rank:
            raise InvalidRequest("values are promoted upward only: 'to' must be more sensitive than 'from'")
        steps = _steps(access, source, target, request.path, wish)
        shared = access.environments.shared_forms(source.environment)
        for step in steps:
            decide(step, wish, source.environment, shared)
            _require_rights(access, step)
        asked = [source.name, target.name, sorted(wish.keys), sorted(wish.generate.items()), wish.overwrite]
        check = check_of(self._node.require().fingerprint_key, asked, steps)
        refused = sum(action is Action.REFUSED for step in steps for action in step.actions.values())
        if request.check:
            _require_same(check, request.check, refused)
            require_reason(context.request, target.environment)
            self._carry_out(context, access, steps, wish)
            if source.environment.reuse is Reuse.WARN and _copies(steps, source, shared):
                context.warnings.append(COPIED)
        data: dict[str, Any] = {
            "from": source.name,
            "to": target.name,
            "check": "" if refused or request.check or not any(step.is_write for step in steps) else check,
            "is_done": bool(request.check),
            "needs_reason": target.environment.protected,
            "secrets": [step.described() for step in steps],
        }
        return Response(data=data, returned_keys=())

    def _carry_out(self, context: Context, access: Access, steps: list[Step], wish: Wish) -> None:
        for step in steps:
            if step.is_write:
                mount, path = step.target
                drawn = {
                    key: draw_value(wish.generate[key], context.entropy)
                    for key, action in step.actions.items()
                    if action is Action.GENERATE
                }
                mount.inventory.store(access.interior(mount), path, {**step.held, **_copied(step), **drawn})


def _wish(request: Promotion) -> Wish:
    try:
        for kind in request.generate.values():
            check_kind(kind)
    except BadKind as error:
        raise InvalidRequest(f"in 'generate', {error}") from None
    return Wish(frozenset(request.keys), dict(request.generate), request.overwrite)


def _steps(access: Access, source: Column, target: Column, path: str, wish: Wish) -> list[Step]:
    """The secret at ``path``, or else those below it. Raises NotFound where there is none, AccessDenied where one may not be read."""
    named = path.strip("/")
    steps: list[Step] = []
    size = 0
    for found in labels(access, [source], named, ""):
        step = _step(access, source, target, found.label)
        if step is not None:
            size += step.source_state.size + (step.target_state.size if step.target_state else 0)
            steps.append(step)
        if found.label == named:
            break  # a secret that was named is meant alone, whatever is below it
        if len(steps) > SECRETS_MAX or size > BYTES_MAX or found.closes:
            raise InvalidRequest(
                f"a promotion takes {SECRETS_MAX} secrets and {BYTES_MAX} bytes at most, and no more than may be listed at once; "
                "promote the secrets one by one, or a folder further down"
            )
    if not steps:
        raise NotFound("nothing that you may list or read is there to promote")
    chosen = wish.keys | set(wish.generate)
    if chosen and (len(steps) > 1 or steps[0].label != named):
        raise InvalidRequest("'keys' and 'generate' are about one secret: name it, and not a folder")
    if not chosen <= set(steps[0].source_state.values or {}) and chosen:
        raise InvalidRequest("a key in 'keys' or 'generate' is not there to promote; read the secret to see its keys")
    return steps


def _step(access: Access, source: Column, target: Column, label: str) -> Step | None:
    here, there = source.place(label), target.place(label)
    if here is None or there is None:
        raise InvalidRequest(
            "the environments have no mounts that correspond here; see which there are with sys/matrix"
        )
    if not access.may_read(*here) or not access.may_know_keys(*there):
        raise AccessDenied
    state = access.state(*here)
    if state is None or state.values is None:
        return None
    return Step(label, here, there, state, access.state(*there), access.may_read(*there))


def _require_rights(access: Access, step: Step) -> None:
    """Whether the caller could write the same by a request of their own. Raises AccessDenied."""
    if not step.is_write:
        return
    mount, path = step.target
    written = _copied(step) | {key: "" for key, action in step.actions.items() if action is Action.GENERATE}
    if step.target_state is None:
        allowed = _may_write(access, mount, Capability.CREATE, path, written)
    else:
        allowed = _may_write(access, mount, Capability.UPDATE, path, {**step.held, **written}) or (
            mount.layout.has_versions and _may_write(access, mount, Capability.PATCH, path, written)
        )
    if not allowed:
        raise AccessDenied


def _may_write(
    access: Access, mount: SecretMount, capability: Capability, path: str, values: Mapping[str, Any]
) -> bool:
    return access.may(mount, capability, mount.data(path), mount.layout.body(values))


def _copied(step: Step) -> dict[str, Any]:
    values = step.source_state.values or {}
    return {key: values[key] for key, action in step.actions.items() if action in {Action.ADD, Action.CHANGE}}


def _copies(steps: list[Step], source: Column, shared: frozenset[str]) -> bool:
    return any(
        is_compared(key, value, source.environment, shared) for step in steps for key, value in _copied(step).items()
    )


def _require_same(check: str, given: str, refused: int) -> None:
    if refused:
        raise InvalidRequest(
            f"{refused} of the values may not be in use in both environments: have them generated, or leave them out"
        )
    if not hmac.compare_digest(check.encode(), given.encode("utf-8", "replace")):
        raise InvalidRequest(
            "something has changed since the plan was shown, or 'check' belongs to another one; ask for the plan again"
        )
