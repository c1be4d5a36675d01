"""The flags that every command has: how to reach the server, and in which form to print."""

from __future__ import annotations

from strongroom.cli.flags import Flag, duration, switch, text, texts


def http_options() -> list[Flag]:
    """The flags for reaching the server. Each has a variable of the same meaning (``STRONGROOM_ADDR``, …)."""
    return [
        text("-address", help="Address of the server. [STRONGROOM_ADDR, BAO_ADDR, VAULT_ADDR]"),
        text("-ca-cert", help="PEM file of the authority that signed the server's certificate. [..._CACERT]"),
        text("-ca-path", help="Folder of PEM files of such authorities. [..._CAPATH]"),
        text("-client-cert", help="PEM file of our certificate. [..._CLIENT_CERT]"),
        text("-client-key", help="PEM file of its key. [..._CLIENT_KEY]"),
        switch(
            "-tls-skip-verify", default=None, help="Do not verify the server's certificate: unsafe. [..._SKIP_VERIFY]"
        ),
        text("-tls-server-name", help="Name to expect in the server's certificate. [..._TLS_SERVER_NAME]"),
        text("-namespace", "-ns", help="Namespace to work in. [..._NAMESPACE]"),
        duration("-wrap-ttl", help="Wrap the answer in a single-use token that lives this long. [..._WRAP_TTL]"),
        text("-reason", help="Why this is done: kept in the audit log, and asked for by protected environments."),
        texts("-header", help="An additional header, as name=value. May be repeated."),
        switch("-disable-redirects", default=None, help="Follow no redirect. [..._DISABLE_REDIRECTS]"),
        switch("-non-interactive", help="Never ask on the terminal."),
        switch("-output-curl-string", help="Print the request as a curl command instead of sending it."),
    ]


def output_options(names: tuple[str, ...]) -> list[Flag]:
    """The output flags called ``names``, and ``-no-color``, which Vault's users pass by habit."""
    available = {
        "-format": text("-format", help="table, json, yaml, raw or pretty. [..._FORMAT]"),
        "-field": text("-field", help="Print only this field, without a newline unless on a terminal."),
    }
    return [*(available[name] for name in names), switch("-no-color", help="Print without colour (there is none).")]
