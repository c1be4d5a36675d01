# ruff: noqa: PTH108, PTH105, PTH111, PTH117, PTH118, PTH123 -- pathlib would add to the start of every command
"""Where the token of the person at the terminal is kept: the environment, an external helper, or ``~/.vault-token``.

The file is the one that every other Vault client reads. It is written with mode 0600 into a new file that then takes the
old one's place, so that neither a crash nor a planted symbolic link can hurt. An external helper is a program that is
called with ``get``, ``store`` (token on standard input) or ``erase``, as Vault's are.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from strongroom.client.errors import BadSettings
from strongroom.client.settings import variable
from strongroom.logical.secret import Secret

FILE_NAME = ".vault-token"
_TOKEN_BYTES_MAX = 1 << 20


class TokenHelper:
    """One place to keep a token. ``environ`` names the home folder and, if wanted, another file or an external helper."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._program = variable(environ, "TOKEN_HELPER")
        self._environ = environ
        self._path = variable(environ, "TOKEN_PATH") or os.path.join(_home(environ), FILE_NAME)

    def get(self) -> Secret[str] | None:
        """The kept token, or None. Raises BadSettings where it is there but cannot be read."""
        if self._program:
            return _secret(self._call("get"))
        try:
            with open(self._path, "rb") as file:
                content = file.read(_TOKEN_BYTES_MAX)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise BadSettings(f"the token file cannot be read: {error.strerror}") from None
        return _secret(content)

    def store(self, token: Secret[str]) -> None:
        """Keep ``token``. Raises BadSettings where that fails; the old one is then still there."""
        if self._program:
            self._call("store", token.reveal().encode())
            return
        try:
            _replace(self._path, token.reveal().encode())
        except OSError as error:
            raise BadSettings(f"the token file cannot be written: {error.strerror}") from None

    def erase(self) -> None:
        """Forget the token, if there is one."""
        if self._program:
            self._call("erase")
            return
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)

    def _call(self, verb: str, content: bytes = b"") -> bytes:
        import subprocess

        if not os.path.isabs(self._program):
            raise BadSettings("TOKEN_HELPER must be the absolute path of a program")
        try:
            done = subprocess.run(
                [self._program, verb], input=content, capture_output=True, check=False, env=dict(self._environ)
            )
        except OSError as error:
            raise BadSettings(f"the token helper cannot be run: {error.strerror}") from None
        if done.returncode != 0:
            raise BadSettings(f"the token helper failed to {verb} the token (exit code {done.returncode})")
        return done.stdout


def find_token(environ: Mapping[str, str]) -> Secret[str] | None:
    """The token to use: from the environment, else from the helper. None where there is none."""
    return _secret(variable(environ, "TOKEN").encode("utf-8", "surrogateescape")) or TokenHelper(environ).get()


def _secret(content: bytes) -> Secret[str] | None:
    text = content.decode("utf-8", "replace").strip()
    return Secret(text) if text else None


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME", "")
    if home:
        return home
    return os.path.expanduser("~")


def _replace(path: str, content: bytes) -> None:
    # A link that points elsewhere is replaced by the file, never written through.
    scratch = f"{path}.{os.getpid()}.new"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with contextlib.suppress(FileNotFoundError):
        os.unlink(scratch)
    descriptor = os.open(scratch, flags, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise
