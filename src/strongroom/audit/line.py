"""A record on its way to the devices: formatted once for each format that is wanted."""

from __future__ import annotations

from collections.abc import Callable

from strongroom.audit.options import Format


class Line:
    """One record, formatted for each format that an enabled device wanted when it was made.

    ``render`` formats it for one that came up later, because a device was enabled in between.
    """

    __slots__ = ("_formatted", "_render", "only_configured")

    def __init__(
        self, formatted: dict[Format, bytes], render: Callable[[Format], bytes], *, only_configured: bool = False
    ) -> None:
        self._formatted = formatted
        self._render = render
        self.only_configured = only_configured

    def text(self, form: Format) -> bytes:
        """The record without its closing brace. May raise what formatting raises, if it was not formatted yet."""
        text = self._formatted.get(form)
        if text is None:
            text = self._formatted[form] = self._render(form)
        return text
