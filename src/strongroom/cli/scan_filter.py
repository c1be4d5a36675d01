"""``scan known-filter``: a sealed filter of known values, for scans where no server can be asked."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import command, expect
from strongroom.cli.options import duration
from strongroom.cli.scan_known import FAILED, asking, filter_key, worth_looking_for
from strongroom.cli.scan_options import key_file_option, known_option
from strongroom.cli.session import Session
from strongroom.logical.ambient import SystemClock, SystemEntropy

_DEFAULT_SECONDS = 7 * 86400


@command(
    "known-filter",
    "FILE",
    known_option(),
    key_file_option(),
    duration("-ttl", help="How long the filter may be used, at most 90 days. (7 days)"),
    remote=False,
)
def scan_known_filter(
    session: Session, arguments: tuple[str, ...], known: tuple[str, ...], known_key_file: str, ttl: str
) -> int:
    """Writes a sealed filter of known values, with which scans find them where no server can be asked.

    FILE holds keyed digests, no values and no names. The key file is made if it is not there; keep the two apart. Values that can be guessed are left out.

        strongroom scan known-filter -known=kv:secret/ -known-key-file=known.key known.filter
        strongroom scan dir . -known=filter:known.filter -known-key-file=known.key
    """
    expect(arguments, 1, 1)
    if not known:
        raise CommandFailed("Name what is known with -known=kv:PATH or -known=env:FILE", FAILED)
    with asking():
        from strongroom.logical.instant import parse_duration
        from strongroom.scanner.known.filter import LONGEST_SECONDS, build

        seconds = parse_duration(ttl) if ttl else _DEFAULT_SECONDS
        if not 0 < seconds <= LONGEST_SECONDS:
            raise CommandFailed(f"-ttl is at most {LONGEST_SECONDS // 86400} days", FAILED)
        held = [one for where in known for one in worth_looking_for(session, where)]
        if not held:
            raise CommandFailed("Nothing that -known names is worth looking for: no filter was written", FAILED)
        key = _key(session, known_key_file)
        now = SystemClock().now_ns() // 1_000_000_000
        built = build(held, key, SystemEntropy().bytes(16), now, now + int(seconds))
        if built.left_out:
            session.note(f"Left out of the filter, since they can be guessed: {', '.join(built.left_out)}")
        _replace(Path(arguments[0]), built.content)
    session.success(f"Wrote {arguments[0]}: it ends in {int(seconds)} seconds")
    return 0


def _key(session: Session, key_file: str) -> bytes:
    """The key that is there, or a new one in a file that is not."""
    from strongroom.scanner.known.filter import KEY_BYTES, key_to_text

    if key_file and not Path(key_file).exists():
        key = SystemEntropy().bytes(KEY_BYTES)
        _create(Path(key_file), f"{key_to_text(key)}\n".encode())
        session.note(f"Made a new key: {key_file}")
    return filter_key(session, key_file)


def _create(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise CommandFailed(f"Cannot write {path}: {error.strerror}", FAILED) from None


def _replace(path: Path, content: bytes) -> None:
    """Write a file as a whole, or leave the old one."""
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _create(new, content)
        new.replace(path)
    except OSError as error:
        raise CommandFailed(f"Cannot write {path}: {error.strerror}", FAILED) from None
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
