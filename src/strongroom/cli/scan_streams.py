"""``scan stdin``, ``archive``, ``image`` and ``url``: one thing that is scanned, with all that is in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strongroom.cli.grammar import command, expect
from strongroom.cli.options import text
from strongroom.cli.scan_options import scan_options
from strongroom.cli.scan_run import Target, perform
from strongroom.cli.session import Session

if TYPE_CHECKING:
    from strongroom.scanner.config import ScanConfig
    from strongroom.scanner.fragment import Source
    from strongroom.scanner.problem import Report

_HERE = Path()


@command(
    "stdin", "", text("-name", help="What the input is called in reports. (<stdin>)"), *scan_options(), remote=False
)
def scan_stdin(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Finds secrets in what comes in over standard input: a log, a diff, an archive.

    kubectl logs deploy/app | strongroom scan stdin
    """
    expect(arguments, 0, 0)

    def open_source(_config: ScanConfig, report: Report) -> Source:
        from strongroom.scanner.sources.stream import Stdin

        name = os.fsencode(flags["name"]).decode("utf-8", "backslashreplace")
        return Stdin(sys.stdin.buffer, report, shown=name or "<stdin>")

    return perform(session, flags, Target(open_source, _HERE))


@command("archive", "FILE", *scan_options(), remote=False)
def scan_archive(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Finds secrets in an archive, a package of a registry, or a document, and in the archives within.

    strongroom scan archive dist/app-1.0.tar.gz
    """
    expect(arguments, 1, 1)

    def open_source(_config: ScanConfig, report: Report) -> Source:
        from strongroom.scanner.sources.archive import Archive

        return Archive(arguments[0], report)

    return perform(session, flags, Target(open_source, _HERE))


@command("image", "PATH", *scan_options(), remote=False)
def scan_image(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Finds secrets in a container image, in each layer, the configuration and the history; also in files that a later layer deletes.

    PATH is what `docker save` or `podman save` wrote, or a folder or archive in the OCI layout.

        docker save app:latest -o app.tar && strongroom scan image app.tar
    """
    expect(arguments, 1, 1)

    def open_source(_config: ScanConfig, report: Report) -> Source:
        from strongroom.scanner.sources.image import Image

        return Image(os.fspath(arguments[0]), report)

    return perform(session, flags, Target(open_source, _HERE))


@command("url", "ADDRESS", *scan_options(), remote=False)
def scan_url(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Finds secrets in what an address answers with: a file, an archive, a log. It may redirect to a public address on https, never into a private network; no proxy is used.

    strongroom scan url https://example.com/app.js
    """
    expect(arguments, 1, 1)

    def open_source(_config: ScanConfig, report: Report) -> Source:
        from strongroom.scanner.sources.url import Url

        return Url(arguments[0], report)

    return perform(session, flags, Target(open_source, _HERE))
