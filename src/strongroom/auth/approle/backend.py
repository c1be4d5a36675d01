"""The ``approle`` auth method as a plug."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from strongroom.auth.approle import role_paths, secret_id_paths
from strongroom.auth.approle.login import log_in, renew
from strongroom.auth.approle.role import find_by_role_id, roles_bound_to
from strongroom.auth.approle.secret_id import remove_left
from strongroom.logical.backend import Context, Endpoint, Path, folding
from strongroom.logical.field import decode_str
from strongroom.logical.operation import Operation
from strongroom.logical.request import Auth
from strongroom.logical.storage import Storage


class AppRole:
    """Logins for machines. Implements ``Backend`` and ``Renews``; holds no state."""

    help = (
        "Any machine that belongs to a role can log in: it shows the role's ID and, unless the role says otherwise, a secret ID "
        "that was handed out for the role. Roles say what the tokens may do and how long they live; secret IDs can be limited to "
        "a time, a number of logins and the addresses that they come from."
    )

    def paths(self) -> tuple[Path, ...]:
        """The declarations: login first, then roles, then secret IDs."""
        login = Path(
            "login",
            "Logs a machine in.",
            (Endpoint(Operation.UPDATE, log_in, "Log in with a role ID and a secret ID.", unauthenticated=True),),
        )
        return (login, *folding("role_name", (*role_paths.paths(), *secret_id_paths.paths())))

    def role_of(self, storage: Storage, path: str, body: Mapping[str, Any]) -> str:
        """The name of the role whose ID is shown; see ``NamesRole``."""
        shown = body.get("role_id")
        if path != "login" or shown is None:
            return ""
        try:
            found = find_by_role_id(storage, decode_str(shown))
        except ValueError:
            return ""
        return "" if found is None else found[0]

    def bound_to(self, storage: Storage, environment: str) -> list[str]:
        """The roles that name ``environment``; see ``BindsEnvironments``."""
        return [f"role/{name}" for name in roles_bound_to(storage, environment)]

    def renew(self, context: Context, auth: Auth) -> Auth:
        """``auth`` with the durations that hold today; see ``login.renew``."""
        return renew(context, auth)

    def remove_left(self, storage: Storage, limit: int) -> bool:
        """Remove some records of roles that are gone; see ``LeavesRows``."""
        return remove_left(storage, limit)
