"""What one address answers: a GET over HTTPS, to that host alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from strongroom.scanner.containers import Limits, expand_stream
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.scan import ScanFailed

_TIMEOUT_SECONDS = 30
_LARGEST = 1 << 30


class Url:
    """The resource at `address`. Raises ScanFailed for an address that is not to be asked.

    Without encryption only this machine is asked. A redirect is followed on the same host, scheme and port. More than a GiB is
    not read. The query is not shown in reports: it may hold a credential.
    """

    def __init__(self, address: str, report: Report, *, limits: Limits | None = None, largest: int = _LARGEST) -> None:
        parts = _checked(address)
        self._address = address
        self._shown = f"{parts.scheme}://{parts.netloc}{parts.path}"
        self._report = report
        self._limits = limits or Limits()
        self._largest = largest

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """The answer, for whoever claims it."""
        for _ in share.claim((self._shown,)):
            try:
                with self._answer() as answer:
                    body = _Capped(answer, self._largest)
                    yield from expand_stream(self._shown, body, self._limits, self._report)
                    if body.is_cut:
                        self._report(
                            Problem(self._shown, f"not scanned to its end: it is longer than {self._largest >> 20} MiB")
                        )
            except HTTPError as error:
                self._report(Problem(self._shown, f"not scanned: the server answered {error.code}"))
                error.close()
            except (URLError, OSError, ValueError):
                self._report(Problem(self._shown, "not scanned: the server could not be reached, or broke off"))

    def _answer(self) -> IO[bytes]:
        request = Request(  # noqa: S310 -- the scheme was checked
            self._address, headers={"User-Agent": "strongroom-scan", "Accept-Encoding": "identity"}
        )
        opened: IO[bytes] = build_opener(_SameHost).open(request, timeout=_TIMEOUT_SECONDS)
        return opened


def _checked(address: str) -> SplitResult:
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise ScanFailed("this is no address") from None
    if parts.username is not None or parts.password is not None:
        raise ScanFailed("an address with a password in it is not asked: others on this machine can read it")
    if not parts.hostname or port == 0:
        raise ScanFailed("this is no address: write https://HOST/PATH")
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        raise ScanFailed("only https is asked")
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _SameHost(HTTPRedirectHandler):
    """Follows a redirect only to where the request went anyway."""

    def redirect_request(self, req: Request, *rest: Any) -> Request | None:
        """The next request, or none: `rest` ends with the new address."""
        newurl = str(rest[-1])
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if (old.scheme, old.netloc) != (new.scheme, new.netloc):
            raise URLError("redirect")
        return super().redirect_request(req, *rest)


class _Capped:
    """The first bytes of an answer."""

    def __init__(self, answer: IO[bytes], largest: int) -> None:
        self._answer = answer
        self._left = largest
        self.is_cut = False

    def read(self, size: int = -1, /) -> bytes:
        """The next at most `size` bytes."""
        part = self._answer.read(min(self._left, size if size >= 0 else 1 << 20))
        self._left -= len(part)
        if not self._left:
            self.is_cut = bool(self._answer.read(1))
        return part
