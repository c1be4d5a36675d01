r"""systemd: a file for ``EnvironmentFile=``, and a drop-in of a unit with credentials that only this machine can open.

``systemd-env``: ``NAME="value"``, in which ``\``, ``"``, ``$`` and backticks stand behind a backslash; line breaks are themselves.
``systemd-creds``: ``SetCredentialEncrypted=NAME: …`` lines below ``[Service]``. Each value goes to ``systemd-creds encrypt`` over its
standard input and comes back sealed with the key of this machine (its TPM, or the key of root); the unit reads it from
``$CREDENTIALS_DIRECTORY/NAME``. ``SetCredential=`` is not used: it holds the value bare, and every user may ask for a unit's settings.
"""

from __future__ import annotations

import os
import re
import subprocess

from strongroom.delivery.environment import TOKEN_VARIABLES, CannotDeliver
from strongroom.delivery.export.document import Export, refused, text_of

_PROGRAM = "systemd-creds"
_CREDENTIAL_BYTES_MAX = 1 << 20
_SECONDS_MAX = 60
_PLAIN = {"LC_ALL": "C.UTF-8", "SYSTEMD_LOG_LEVEL": "err"}
_NO_CHARACTERS = re.compile(
    "[\ufdd0-\ufdef"
    + "".join(chr(plane + last) for plane in range(0, 0x110000, 0x10000) for last in (0xFFFE, 0xFFFF))
    + "]"
)
"""Noncharacters: systemd takes a value with one of them for broken, leaves the variable out, and writes its value to the log."""


def environment_file(export: Export) -> bytes:
    """Lines for ``EnvironmentFile=``. Raises CannotDeliver."""
    lines = []
    for name, value in export.pairs():
        if _NO_CHARACTERS.search(value):
            raise refused(
                name, "holds a code that Unicode leaves without a character (as U+FFFF), for which systemd drops it"
            )
        quoted = value
        for letter in '\\"$`':
            quoted = quoted.replace(letter, f"\\{letter}")
        lines.append(f'{name}="{quoted}"\n')
    return "".join(lines).encode()


def credentials(export: Export) -> bytes:
    """The drop-in. Raises CannotDeliver where systemd-creds is not there or says no."""
    settings = []
    for item in export.variables:
        content = text_of(item).encode()
        if len(content) > _CREDENTIAL_BYTES_MAX:
            raise refused(item.name, f"has {len(content):,} bytes, and a credential {_CREDENTIAL_BYTES_MAX:,} at most")
        settings.append(_encrypted(item.name, content))
    return ("[Service]\n" + "".join(settings)).encode("ascii")


def _encrypted(name: str, content: bytes) -> str:
    try:
        done = subprocess.run(
            [_PROGRAM, "encrypt", "--pretty", f"--name={name}", "-", "-"],
            input=content,
            capture_output=True,
            check=False,
            timeout=_SECONDS_MAX,
            env={name: value for name, value in os.environ.items() if name not in TOKEN_VARIABLES} | _PLAIN,
        )
    except OSError as error:
        reason = (error.strerror or "it cannot be run").lower()
        raise CannotDeliver(f"{_PROGRAM} is needed, and part of systemd 250 and later: {reason}") from None
    except subprocess.TimeoutExpired:
        raise CannotDeliver(f"{_PROGRAM} gave no answer within {_SECONDS_MAX} seconds") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise CannotDeliver(f"{_PROGRAM} could not seal {name}: {said or 'it says nothing'}. It needs root, or a TPM")
    return done.stdout.decode("ascii")
