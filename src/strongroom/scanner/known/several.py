"""Several that know values, as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from strongroom.scanner.known.values import KnownValues, Recognition, holders_in_order


class SeveralKnown:
    """Asks each of several. Holders that they name are put together."""

    def __init__(self, several: Sequence[KnownValues]) -> None:
        self._several = several

    @property
    def patience(self) -> int:
        """As much as the most patient has."""
        return max((one.patience for one in self._several), default=0)

    @property
    def heads(self) -> frozenset[bytes] | None:
        """Those of all of them, if each tells."""
        told = [one.heads for one in self._several]
        return None if None in told else frozenset().union(*(heads for heads in told if heads is not None))

    def ask(self, digests: Sequence[bytes]) -> Mapping[bytes, Recognition]:
        """Those of `digests` that any of them knows. Raises CannotAsk if any of them cannot be asked."""
        found: dict[bytes, Recognition] = {}
        for one in self._several:
            for digest, answer in one.ask(digests).items():
                before = found.get(digest)
                found[digest] = answer if before is None else _together(before, answer)
        return found

    def forked(self) -> None:
        """Tell each of them."""
        for one in self._several:
            one.forked()


def _together(one: Recognition, other: Recognition) -> Recognition:
    return Recognition(holders_in_order((*one.holders, *other.holders)), one.note or other.note)
