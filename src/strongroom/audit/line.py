"""Records on their way to the devices: formatted once for each format, numbered once for all."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from strongroom.audit.enabled import Enabled
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


class Batch:
    """Records on their way to the devices: numbered, and joined once for all devices that want them alike."""

    def __init__(self, lines: Sequence[Line], chain: bytes, first: int) -> None:
        self._lines = lines
        self._chain = chain
        self._first = first
        self._texts: dict[tuple[Format, str], bytes] = {}

    def text(self, enabled: Enabled) -> bytes:
        """The records as ``enabled`` wants them."""
        wanted = (enabled.form, enabled.prefix)
        text = self._texts.get(wanted)
        if text is None:
            prefix = enabled.prefix.encode()
            text = self._texts[wanted] = b"".join(
                b'%b%b,"chain":{"id":"%b","sequence":%d}}\n' % (prefix, line.text(enabled.form), self._chain, sequence)
                for sequence, line in enumerate(self._lines, self._first)
            )
        return text
