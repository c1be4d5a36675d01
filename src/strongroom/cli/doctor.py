"""``doctor``: is the server on this machine set up securely. The server's rooms are loaded only now, and only by name."""

from __future__ import annotations

import importlib
from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.extras import how_to_install
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import switch, texts
from strongroom.cli.session import Session

_EXAMINE = "strongroom.server.doctor.examine"
_CONFIG = "/etc/strongroom/server.hcl"
_SIGNS = {"ok": "ok     ", "skipped": "-      ", "warn": "WARN   ", "unknown": "UNKNOWN", "fail": "FAIL   "}


@command(
    "doctor",
    "",
    texts("-config", help=f"Configuration file or folder of the server. May be repeated. ({_CONFIG})"),
    switch("-offline", help="Do not ask the server, even when somebody is logged in."),
    output=Output.FORMAT,
)
def doctor(session: Session, arguments: tuple[str, ...], config: tuple[str, ...], offline: bool) -> int:  # noqa: FBT001 -- a flag
    """Checks whether a server on this machine is set up securely.

    Looks at its configuration, files and processes, and asks the server too when somebody is logged in. Run it as root or as
    the server's user. Changes nothing, and shows no secret. Exit code: 0 nothing fails, 1 something fails, 2 cannot tell.

        strongroom doctor -config=/etc/strongroom/server.hcl
    """
    expect(arguments, 0)
    examine = _load(_EXAMINE)
    asks = not offline and session.settings.token is not None
    report: dict[str, Any] = examine.run(list(config) or [_CONFIG], _asking(session) if asks else None)
    if session.printer.is_table:
        session.say(_text(report))
    else:
        session.printer.data(report)
    return int(report["exit_code"])


def _asking(session: Session) -> Any:
    from strongroom.client.errors import ApiError, ClientError

    unanswered = _load("strongroom.server.doctor.check").Unanswered

    def ask(method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            return session.client.request(method, path, body=body).json() or {}
        except ApiError as error:
            raise unanswered(f"the server refused to answer {path} (status {error.status})") from None
        except ClientError:
            raise unanswered("the server did not answer; is the address right?") from None

    return ask


def _text(report: dict[str, Any]) -> str:
    lines = [f"Cannot tell: {report['problem']}"] if "problem" in report else []
    for check in report["checks"]:
        lines.append(f"{_SIGNS[check['verdict']]}  {check['id']:<16} {check['found']}")
        if check["verdict"] in {"warn", "fail"}:
            lines += [f"{'':27}{check['why']}", f"{'':25}> {check['fix']}"]
    return (
        "\n".join([*lines, "", f"{report['verdict'].upper()}: {_counts(report)}"])
        if report["checks"]
        else "\n".join(lines)
    )


def _counts(report: dict[str, Any]) -> str:
    verdicts = [check["verdict"] for check in report["checks"]]
    return ", ".join(f"{verdicts.count(verdict)} {verdict}" for verdict in _SIGNS if verdict in verdicts)


def _load(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise CommandFailed(
            f"The server is not installed here (no module {error.name}): {how_to_install('server')}"
        ) from None
