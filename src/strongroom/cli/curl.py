"""A request as a curl command that a person can run: without the token, and with the body off the command line."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strongroom.client.client import Call


def curl_command(call: Call) -> str:
    """The command. The token is read from ``$VAULT_TOKEN`` by the shell; the body stands in a here-document."""
    words = ["curl"]
    if call.method != "GET":
        words += ["-X", call.method]
    for name, value in call.headers:
        words += ["-H", shlex.quote(f"{name}: {value}")]
    if call.token is not None:
        words += ["-H", '"X-Vault-Token: $VAULT_TOKEN"']
    if call.address.scheme == "unix":
        words += ["--unix-socket", shlex.quote(call.address.host), shlex.quote(f"http://localhost{call.target}")]
    else:
        words.append(shlex.quote(call.url))
    if call.body is None:
        return " ".join(words)
    words[1:1] = ["--data-binary", "@-"]
    return " ".join(words) + f" <<'JSON'\n{call.body.decode()}\nJSON"
