"""A container image: what `docker save` writes, or an OCI layout, as a folder or as a tar.

Every layer is read, also files that a later layer deletes: whoever has the image has them. The configuration, with the
environment and the history of commands, is a file of the image like the others, and so is whatever no manifest names.
"""

from __future__ import annotations

import json
import os
import re
import stat
import tarfile
from collections.abc import Callable, Iterator
from typing import Any

from strongroom.scanner.containers import Limits, expand_stream
from strongroom.scanner.containers.member import label
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.scan import ScanFailed
from strongroom.scanner.sources.archive import Archive
from strongroom.scanner.sources.directory import Directory
from strongroom.scanner.sources.files import FLAGS, shown_path

Read = Callable[[str], bytes]
"""The content of a file of an image, or nothing."""

_DIGEST = re.compile(r"(sha256|sha512):([0-9a-f]{64,128})")
_LARGEST_MANIFEST = 4 << 20
_WHITEOUT = ".wh."
_MOST_NOTES = 50


class Image:
    """The image at `path`. Raises ScanFailed if it is none."""

    def __init__(self, path: str, report: Report, *, limits: Limits | None = None) -> None:
        self._report = report
        self._limits = limits or Limits()
        self._notes = 0
        self._path = os.path.realpath(path)
        self._shown = shown_path(os.path.basename(os.fsencode(self._path)))
        self._members: list[tuple[str, int]] = []
        self._inner: Directory | Archive | None = None
        if os.path.isdir(self._path):
            self._inner = Directory(path, report, limits=limits)
            self._check({os.fsdecode(name) for name in self._inner.names}, self._from_folder)
            return
        if not os.path.isfile(self._path):
            raise ScanFailed("there is no such file or folder")
        try:
            self._list_members()
        except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError):
            # Compressed as a whole, or damaged: read from front to end, by one worker.
            self._inner = Archive(path, report, limits=limits)

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """Layers and configurations, each claimed by itself."""
        for fragment in self._inner.fragments(share) if self._inner else self._from_members(share):
            if fragment.path.rpartition("/")[2].startswith(_WHITEOUT):
                self._note_whiteout(fragment.path)
            yield fragment

    def _list_members(self) -> None:
        with tarfile.open(self._path, "r:") as tar:
            entries: dict[str, tarfile.TarInfo] = {}
            for entry in tar:
                if entry.isreg():
                    self._members.append((entry.name, entry.offset_data))
                    entries[entry.name] = entry

            def read(name: str) -> bytes:
                entry = entries.get(name)
                file = tar.extractfile(entry) if entry and entry.size <= _LARGEST_MANIFEST else None
                return file.read() if file else b""

            self._check(set(entries), read)

    def _from_members(self, share: Share) -> Iterator[Fragment]:
        with tarfile.open(self._path, "r:") as tar:
            entries = {entry.offset_data: entry for entry in tar if entry.isreg()}
            for name, offset in share.claim(self._members):
                path = f"{self._shown}!/{label(name)}"
                entry = entries.get(offset)
                content = tar.extractfile(entry) if entry else None
                if content is None:
                    self._report(Problem(path, "not read: the file was changed during the scan"))
                    continue
                try:
                    yield from expand_stream(path, content, self._limits, self._report)
                except (tarfile.TarError, OSError):
                    self._report(Problem(path, "it ends in the middle"))

    def _from_folder(self, name: str) -> bytes:
        try:
            descriptor = os.open(os.path.join(self._path, name), FLAGS)
            with os.fdopen(descriptor, "rb") as file:
                is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)  # a pipe would be waited for
                return file.read(_LARGEST_MANIFEST) if is_file else b""
        except OSError:
            return b""

    def _check(self, names: set[str], read: Read) -> None:
        """That it is an image, and has what its manifests name."""
        if not names & {"manifest.json", "index.json", "oci-layout"}:
            raise ScanFailed("this is no image: neither manifest.json nor index.json is in it")
        for name in sorted(named_by(read)):
            if name not in names:
                self._report(
                    Problem(
                        f"{self._shown}!/{label(name)}", "not scanned: a manifest names it, and it is not in the image"
                    )
                )

    def _note_whiteout(self, path: str) -> None:
        self._notes += 1
        if self._notes <= _MOST_NOTES:
            what = "this file is deleted in this layer, and is still in an earlier one"
            self._report(Problem(path, what, is_note=True))


def named_by(read: Read) -> set[str]:
    """The files that the manifests of an image name; `read` gives a file's content, or nothing."""
    found: set[str] = set()
    for image in _items(_json(read("manifest.json"))):
        layers = image.get("Layers")
        found |= {
            name
            for name in [image.get("Config"), *(layers if isinstance(layers, list) else [])]
            if isinstance(name, str)
        }
    waiting = [_json(read("index.json"))]
    seen = 0
    while waiting and seen < 1000:
        seen += 1
        document = waiting.pop()
        if not isinstance(document, dict):
            continue
        descriptors = [
            *_items(document.get("manifests")),
            *_items(document.get("layers")),
            *_items([document.get("config")]),
        ]
        for descriptor in descriptors:
            digest = _DIGEST.fullmatch(str(descriptor.get("digest")))
            if digest and not descriptor.get("urls"):
                name = f"blobs/{digest[1]}/{digest[2]}"
                found.add(name)
                if "manifest" in str(descriptor.get("mediaType")) or "index" in str(descriptor.get("mediaType")):
                    waiting.append(_json(read(name)))
    return found


def _items(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _json(data: bytes) -> object:
    try:
        parsed: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return parsed
