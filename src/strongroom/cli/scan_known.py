"""``-known``: who tells a scan which values are ours. The vault behind the session, what the caller may read there, a file, a sealed filter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.session import Session
from strongroom.client.errors import ApiError, ClientError
from strongroom.client.settings import variable
from strongroom.logical.ambient import SystemClock

if TYPE_CHECKING:
    from strongroom.client.client import Client
    from strongroom.scanner.known.held import Held, Sorted
    from strongroom.scanner.known.values import KnownValues

FAILED = 2
"""Exit code: nobody could be asked. That is never a clean scan."""
SERVER = "server"
_KINDS = "server, kv:PATH, env:FILE or filter:FILE"


def known_values(session: Session, flags: Mapping[str, Any]) -> KnownValues | None:
    """Whom the flags want asked; None for nobody. Raises CommandFailed if any of them cannot be asked."""
    wanted: Sequence[str] = flags["known"]
    if not wanted:
        if flags["known_only"] or flags["known_key_file"]:
            raise CommandFailed(f"-known-only and -known-key-file need -known=WHERE: {_KINDS}", FAILED)
        return None
    with asking():
        from strongroom.scanner.known.several import SeveralKnown

        several = [one for where in wanted if (one := _known(session, where, flags)) is not None]
        if not several:
            raise CommandFailed("Nothing that -known names is worth looking for, so nothing was scanned", FAILED)
        session.close()  # the processes of the scan open connections of their own
        return several[0] if len(several) == 1 else SeveralKnown(several)


@contextmanager
def asking() -> Iterator[None]:
    """Failures of those who are asked, as failures of the command."""
    from strongroom.scanner.known.values import CannotAsk

    try:
        yield
    except (CannotAsk, ClientError) as error:
        raise CommandFailed(f"Cannot look for known values: {error}", FAILED) from None
    except CommandFailed as failure:
        raise CommandFailed(failure.text, FAILED) from None


def _known(session: Session, where: str, flags: Mapping[str, Any]) -> KnownValues | None:
    from strongroom.scanner.known.local import LocalValues

    kind, _, name = where.partition(":")
    if where == SERVER:
        from strongroom.scanner.known.asking import ServerValues

        return ServerValues(ClientTransport(session.client))
    if kind == "filter" and name:
        return _filter(session, name, flags["known_key_file"])
    worth = worth_looking_for(session, where)
    return LocalValues(worth) if worth else None


def worth_looking_for(session: Session, where: str) -> list[Held]:
    """The values that ``where`` (``kv:…`` or ``env:…``) holds, without those that are left out; the person is told of these."""
    kind, _, name = where.partition(":")
    readers: dict[str, Callable[[Session, str], Sorted]] = {"kv": _from_kv, "env": _from_env}
    if kind not in readers or not name:
        raise CommandFailed(f"-known takes {_KINDS}", FAILED)
    found = readers[kind](session, name)
    for note in found.notes():
        session.note(note)
    return found.worth


def _from_env(_session: Session, name: str) -> Sorted:
    from strongroom.scanner.known.env_file import LARGEST, assignments
    from strongroom.scanner.known.held import Held, sort
    from strongroom.scanner.known.values import Holder

    content = read_file(name, LARGEST)
    text = content.decode("utf-8", "surrogateescape")
    return sort(Held(Holder(name, key), value) for key, value in assignments(text))


def _from_kv(session: Session, path: str) -> Sorted:
    from strongroom.cli.scan_known_kv import values_below
    from strongroom.scanner.known.held import sort

    return sort(values_below(session, path))


def _filter(session: Session, name: str, key_file: str) -> KnownValues:
    from strongroom.scanner.known.filter import LARGEST, FilterValues

    key = filter_key(session, key_file)
    return FilterValues(read_file(name, LARGEST), key, SystemClock())


def filter_key(session: Session, key_file: str) -> bytes:
    """The key of a filter, from its file or from ``STRONGROOM_KNOWN_KEY``. Raises CommandFailed and CannotAsk."""
    from strongroom.scanner.known.filter import key_from_text

    text = read_file(key_file, 4096).decode("utf-8", "replace") if key_file else variable(session.environ, "KNOWN_KEY")
    if not text:
        raise CommandFailed("Name the filter's key with -known-key-file=FILE, or set STRONGROOM_KNOWN_KEY", FAILED)
    return key_from_text(text)


def read_file(name: str, largest: int) -> bytes:
    """The content of a file. Raises CommandFailed."""
    try:
        with Path(name).open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise CommandFailed(f"Cannot read {name}: {error.strerror}", FAILED) from None
    if len(content) > largest:
        raise CommandFailed(f"{name} is larger than {largest} bytes", FAILED)
    return content


class ClientTransport:
    """Carries questions about known values to the server of a client."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def send(self, name: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The answer of the server. Raises CannotAsk."""
        from strongroom.scanner.known.values import CannotAsk

        try:
            answer = self._client.write(f"sys/leaks/known/{name}", dict(body), method="POST")
        except ApiError as error:
            raise CannotAsk(_advice(error)) from None
        except ClientError as error:
            raise CannotAsk(str(error)) from None
        data = (answer or {}).get("data")
        return data if isinstance(data, dict) else {}

    def forked(self) -> None:
        """Close what was inherited: two processes on one connection would read each other's answers."""
        self._client.close()


def _advice(error: ApiError) -> str:
    if error.status in {404, 405}:
        return (
            f"this server answers no questions about known values ({error.url}). "
            "With -known=kv:PATH the scanner looks for all that your token may read there"
        )
    if error.status == 403:
        return "your token may not ask about known values: it needs update on sys/leaks/known/*"
    return str(error)
