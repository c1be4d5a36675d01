"""What SIGHUP asks for: audit files and certificates are opened again, and whatever could not be is said."""

from __future__ import annotations

from strongroom.audit.broker import Broker
from strongroom.http.listener import Listener
from strongroom.http.tls import TlsConfigurationError
from strongroom.server.log import Log


def reload(broker: Broker, listener: Listener, log: Log) -> None:
    """Open everything again that may have been replaced. What cannot be opened stays as it was, or does not work, and is logged."""
    problems = [
        f"audit device {name} could not open its file again; until it can, it records nothing"
        for name in broker.reopen()
    ]
    try:
        listener.reload_certificates()
    except TlsConfigurationError as error:
        problems.append(f"the certificates stay as they were: {error}")
    for problem in problems:
        log.error(problem)
    if not problems:
        log.info("audit files were reopened and certificates read again")
