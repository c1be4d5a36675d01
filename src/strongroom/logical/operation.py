"""What a client may ask of a path, and the capability that it needs for it.

``Operation`` holds only what a client can name. Whatever the server does by itself (renew, revoke, roll back) is a method call
on a plug and has no name here, so that no request can ever select it (SECURITY row 59).
"""

from __future__ import annotations

from enum import Enum


class Operation(Enum):
    """An operation that a client can ask for."""

    READ = "read"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    LIST = "list"
    HELP = "help"

    # Members are singletons: by identity they are found in C, four times a request.
    __hash__ = object.__hash__


class Capability(Enum):
    """What a policy grants on a path."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    PATCH = "patch"
    DELETE = "delete"
    LIST = "list"
    SUDO = "sudo"
    DENY = "deny"

    __hash__ = object.__hash__
