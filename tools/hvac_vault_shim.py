"""Stands for the `vault` program that hvac's suite starts, and starts the server under test instead.

Copied by tools/hvac_suite.py into a folder on the suite's PATH. The suite's configuration files are of the time before
OpenBao: where a feature it tests is off by default today, the configuration that it wrote is amended to turn it on.
"""

from __future__ import annotations

import base64
import json
import os
import shlex
import sys
from pathlib import Path

# The newest version for which the suite has expectations of its own.
SUITE_VERSION = "Vault v1.14.8 (stand-in), built 2023-11-30T00:00:00Z"


def decoded_root_token(arguments: list[str]) -> str:
    """The root token from `operator generate-root -decode X -otp Y`: the one undone by the other."""
    encoded, otp = (arguments[arguments.index(flag) + 1] for flag in ("-decode", "-otp"))
    token = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    return bytes(a ^ b for a, b in zip(token, otp.encode(), strict=True)).decode()


def amended(path: Path) -> Path:
    """A copy of the suite's configuration with the unauthenticated rekey and generate-root, and audit by API, on."""
    configuration = json.loads(path.read_text())
    configuration["unsafe_allow_api_audit_creation"] = True
    listeners = configuration["listener"]
    for listener in listeners if isinstance(listeners, list) else [listeners]:
        listener["tcp"]["disable_unauthed_rekey_endpoints"] = False
        listener["tcp"]["disable_unauthed_generate_root_endpoints"] = False
    copy = path.with_suffix(".amended.json")
    copy.write_text(json.dumps(configuration))
    return copy


def main() -> None:
    """Answer what the suite asks of the program itself; become the server for `server`."""
    arguments = sys.argv[1:]
    if arguments[:1] in (["version"], ["-version"], ["--version"]):
        print(SUITE_VERSION)
    elif arguments[:2] == ["operator", "generate-root"]:
        print(decoded_root_token(arguments[2:]))
    elif arguments[:1] == ["server"]:
        flags = []
        for word in arguments[1:]:
            name, _, value = word.partition("=")
            flags.append(f"{name}={amended(Path(value))}" if name == "-config" else word)
        # The suite never reads its servers' pipes; a server that logs would stop when they are full.
        log = os.open(Path(os.environ["SHIM_LOGS"]) / f"server-{os.getpid()}.log", os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        command = [*shlex.split(os.environ["SHIM_SERVER"]), *flags]
        os.execvp(command[0], command)
    else:
        sys.exit(f"the suite asked for something new: {' '.join(arguments)}")


if __name__ == "__main__":
    main()
