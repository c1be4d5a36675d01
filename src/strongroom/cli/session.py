"""One run of one command: its settings, its client, its terminal, its output.

The client is made when it is first used, so that a command which only prints does not import it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NoReturn

from strongroom.cli.errors import CommandFailed, tell
from strongroom.cli.printer import Printer, warnings_text
from strongroom.client.settings import Settings, from_environment, variable

if TYPE_CHECKING:
    from strongroom.client.client import Call, Client

REASON_HEADER = "X-Strongroom-Reason"


class CurlPrinted(Exception):
    """Ends a command whose request was printed instead of sent."""


class Session:
    """What a command works with. ``options`` are the values of the shared flags (see ``http_options``)."""

    def __init__(self, options: Mapping[str, Any], environ: Mapping[str, str] | None = None) -> None:
        self.environ = os.environ if environ is None else environ
        self._options = options
        self._clients: list[Client] = []
        self.interactive = not options.get("non_interactive")
        self.printer = Printer(
            options.get("format") or variable(self.environ, "FORMAT") or "table", options.get("field", ""), sys.stdout
        )

    @cached_property
    def client(self) -> Client:
        """The client for this command, with the token of whoever is logged in."""
        return self.client_with(self.settings)

    def client_with(self, settings: Settings) -> Client:
        """A client with other settings (another token, no wrapping)."""
        from strongroom.client.client import Client

        made = Client(settings, preview=self._print_curl if self._options.get("output_curl_string") else None)
        self._clients.append(made)
        return made

    @cached_property
    def settings(self) -> Settings:
        """Flags over environment over defaults, and the token."""
        from strongroom.client.token_helper import find_token

        return self._settings_without_token()._replace(token=find_token(self.environ))

    @property
    def wrap_ttl(self) -> str:
        """The wrapping TTL that was asked for; ``""`` for none."""
        return self.settings.wrap_ttl

    @property
    def can_ask(self) -> bool:
        """Whether there is a person at a terminal who may be asked."""
        return self.interactive and sys.stdin.isatty()

    def close(self) -> None:
        """Close all connections."""
        for made in self._clients:
            made.close()

    def note(self, text: str) -> None:
        """A message for the person, on standard error. It never fails."""
        tell(text)

    def say(self, text: str, end: str = "\n") -> None:
        """A result, on standard output."""
        sys.stdout.write(text + end)

    def success(self, text: str) -> None:
        """A confirmation on standard output, which only a person needs: silent in the machine-readable formats."""
        if self.printer.is_table:
            self.say(f"Success! {text}")

    def show(self, answer: Mapping[str, Any]) -> None:
        """Print an answer in the wanted form, and its warnings for a person."""
        self.printer.secret(answer)
        self.warn_of(answer)

    def warn_of(self, answer: Mapping[str, Any] | None) -> None:
        """Show a person the warnings of ``answer``; the machine-readable formats hold them already."""
        text = warnings_text(answer)
        if text and self.printer.is_table and not self.printer.field:
            self.note(text)

    def _settings_without_token(self) -> Settings:
        settings = from_environment(self.environ)
        if not variable(self.environ, "MAX_RETRIES"):
            # A person at a terminal wants the error now; a script that wants retries says so.
            settings = settings._replace(max_retries=0)
        options = self._options
        given = {
            name: options[option]
            for name, option in (("address", "address"), ("namespace", "namespace"), ("wrap_ttl", "wrap_ttl"))
            if options.get(option)
        }
        tls = {
            name: options[option]
            for name, option in (
                ("ca_cert", "ca_cert"),
                ("ca_path", "ca_path"),
                ("client_cert", "client_cert"),
                ("client_key", "client_key"),
                ("server_name", "tls_server_name"),
                ("skip_verify", "tls_skip_verify"),
            )
            if options.get(option) not in {None, ""}
        }
        if options.get("disable_redirects") is not None:
            given["follow_redirects"] = not options["disable_redirects"]
        headers = tuple(_header(text) for text in options.get("header") or ())
        if options.get("reason"):
            headers = (*headers, (REASON_HEADER, _reason(options["reason"])))
        return settings._replace(**given, headers=headers, tls=settings.tls._replace(**tls))

    def _print_curl(self, call: Call) -> NoReturn:
        from strongroom.cli.curl import curl_command

        self.say(curl_command(call))
        raise CurlPrinted


def _header(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise CommandFailed("-header takes name=value")
    if name.lower().startswith("x-vault-"):
        raise CommandFailed("-header cannot set a header that starts with X-Vault-")
    return name, value.strip()


def _reason(text: str) -> str:
    """``text`` as it may stand in a header."""
    if not text.isprintable() or any(ord(letter) > 255 for letter in text):
        raise CommandFailed("-reason takes printable text in Latin letters, on one line")
    return text.strip()
