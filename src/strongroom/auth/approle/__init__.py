"""AppRole: logins for machines, by the ID of a role and a secret ID that was handed out for it."""

from strongroom.auth.approle.backend import AppRole

__all__ = ["AppRole"]
