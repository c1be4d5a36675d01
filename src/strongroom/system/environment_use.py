"""What names an environment besides mounts: roles and users whose tokens are bound to it."""

from __future__ import annotations

from strongroom.logical.backend import BindsEnvironments, Context
from strongroom.system.node import Node
from strongroom.system.token_roles import roles_of_environment


def roles_bound_to(node: Node, context: Context, name: str) -> list[str]:
    """The paths of everything that makes tokens which are bound to the environment called ``name``."""
    found = [f"auth/token/roles/{role}" for role in roles_of_environment(context.storage, name)]
    mounts = node.require().mounts.at(context.storage, node.epoch(context.storage))
    for live in mounts.all(is_auth=True):
        backend: object = live.router.backend
        if isinstance(backend, BindsEnvironments):
            view = context.storage.view(live.entry.storage_prefix)
            found += [f"{live.entry.path}{path}" for path in backend.bound_to(view, name)]
    return found
