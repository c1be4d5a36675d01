"""Public PGP keys from files, as the API takes them: base64 of the binary form. Nothing is judged here; the server does that."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from strongroom.cli.errors import CommandFailed

_BYTES_MOST = 1 << 20
_BEGIN, _END = b"-----BEGIN PGP", b"-----END PGP"


def read_pgp_keys(paths: str) -> list[str]:
    """The keys in the files of a list with commas, in its order. Raises CommandFailed."""
    return [read_pgp_key(path.strip()) for path in paths.split(",")] if paths.strip() else []


def read_pgp_key(path: str) -> str:
    """The key in the file at ``path``: armored, binary, or base64 already. An ``@`` before the path is allowed."""
    if path.startswith("keybase:"):
        raise CommandFailed("Keybase is not asked for keys: export the key to a file, and name the file")
    file = Path(path.removeprefix("@"))
    try:
        with file.open("rb") as opened:
            content = opened.read(_BYTES_MOST + 1)
    except OSError as error:
        raise CommandFailed(
            f"Error reading the PGP key {file}: {(error.strerror or 'unknown reason').lower()}"
        ) from None
    if not content or len(content) > _BYTES_MOST:
        raise CommandFailed(f"Error reading the PGP key {file}: it is empty or larger than 1 MiB")
    if _BEGIN in content:
        content = _without_armor(content, file)
    text = b"".join(content.split())
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return base64.b64encode(content).decode()
    return text.decode()


def _without_armor(content: bytes, file: Path) -> bytes:
    """The binary form (RFC 9580, section 6.2): between the lines of dashes, behind the headers, without the checksum."""
    if content.count(_BEGIN) > 1:
        raise CommandFailed(
            f"Error reading the PGP key {file}: it holds more than one key; give each a file of its own"
        )
    lines = content[content.index(_BEGIN) :].splitlines()
    end = next((at for at, line in enumerate(lines) if line.startswith(_END)), None)
    if end is None:
        raise CommandFailed(f"Error reading the PGP key {file}: it is cut off")
    if b"PUBLIC KEY" not in lines[0]:
        raise CommandFailed(f"Error reading the PGP key {file}: it is not a public key")
    body = [line.strip() for line in lines[1:end]]
    if b"" in body:
        body = body[body.index(b"") + 1 :]
    try:
        return base64.b64decode(b"".join(line for line in body if not line.startswith(b"=")), validate=True)
    except binascii.Error:
        raise CommandFailed(f"Error reading the PGP key {file}: its armor is damaged") from None
