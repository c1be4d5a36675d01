"""Single objects of a store, by id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO

from strongroom.scanner.containers import Limits, expand_stream
from strongroom.scanner.containers.limits import TOO_LARGE
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.sources.added_lines import added
from strongroom.scanner.sources.git_command import Git, GitFailed
from strongroom.scanner.sources.git_objects import WHOLE_BYTES, Content, fragments_of

_TAG_LINE = len("object ") + 64 + 1
"""Bytes of the first line of a tag, at most."""


class ObjectReader:
    """Asks one git process for one object after the other."""

    def __init__(self, questions: IO[bytes], answers: IO[bytes], limits: Limits, report: Report) -> None:
        self._questions = questions
        self._answers = answers
        self._limits = limits
        self._report = report

    def added(self, path: str, blob: str, before: Sequence[str]) -> Iterator[Fragment]:
        """What `blob` has that none of the blobs `before` has. Of a very large one, everything."""
        size = self._ask(blob)[1]
        if size is None:
            self._report(Problem(path, "not read: the repository does not have this object"))
            return
        if size > WHOLE_BYTES or self._limits.leaves_out(size):
            content = Content(self._answers, size)
            if self._limits.leaves_out(size):
                self._report(Problem(path, TOO_LARGE, is_note=True))
            else:
                yield from expand_stream(path, content, self._limits, self._report, blob)
            content.finish()
            return
        data = self._read(size)
        versions = [version for name in before if (version := self._small(name)) is not None]
        yield from added(path, data, versions, blob)

    def message(self, name: str) -> Iterator[Fragment]:
        """The message of a commit or a tag."""
        kind, size = self._ask(name)
        if size is not None:
            yield from fragments_of(kind, name, self._read(size))

    def target(self, tag: str) -> str:
        """The id of what a tag is about. Raises GitFailed."""
        kind, size = self._ask(tag)
        if kind != "tag" or size is None:
            raise GitFailed("a tag is not in the repository")
        content = Content(self._answers, size)
        line = content.read(min(size, _TAG_LINE)).partition(b"\n")[0]
        content.finish()
        return line.removeprefix(b"object ").decode("ascii", "replace")

    def _small(self, name: str) -> bytes | None:
        size = self._ask(name)[1]
        if size is None:
            return None
        if size > WHOLE_BYTES:
            Content(self._answers, size).finish()
            return None
        return self._read(size)

    def _ask(self, name: str) -> tuple[str, int | None]:
        try:
            self._questions.write(f"{name}\n".encode())
            self._questions.flush()
        except OSError:
            raise GitFailed("git cat-file ended too early") from None
        answer = self._answers.readline().split()
        if len(answer) != 3:
            if len(answer) == 2:
                return "", None
            raise GitFailed("git cat-file ended too early")
        return answer[1].decode("ascii"), int(answer[2])

    def _read(self, size: int) -> bytes:
        content = Content(self._answers, size)
        data = content.read(size)
        content.finish()
        return data


@contextmanager
def object_reader(git: Git, limits: Limits, report: Report) -> Iterator[ObjectReader]:
    """A reader of the store of `git`."""
    with git.talking("cat-file", "--batch") as (questions, answers):
        yield ObjectReader(questions, answers, limits, report)
