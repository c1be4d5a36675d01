"""Userpass: logins for people, by name and password, against guessing protected by a slow hash and a lockout."""

from strongroom.auth.userpass.backend import UserPass
from strongroom.auth.userpass.lockout import LockoutRule
from strongroom.auth.userpass.passwords import Argon2Passwords, Passwords

__all__ = ["Argon2Passwords", "LockoutRule", "Passwords", "UserPass"]
