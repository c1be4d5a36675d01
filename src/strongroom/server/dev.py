"""``strongroom server -dev``: a vault for trying things out, initialized and unsealed, with audit on. Never for production."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from strongroom.barrier.initialization import InitConfig
from strongroom.core.batch import Alarms, answer_alone
from strongroom.logical.ambient import SystemClock
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request
from strongroom.logical.secret import Secret
from strongroom.server.config import parse_config
from strongroom.server.config_reader import ConfigError
from strongroom.server.dev_certificate import CERTIFICATE, write_certificate
from strongroom.server.log import Log
from strongroom.server.serve import EXIT_FAILED, START_FAILURES, Server, prepared, reason_for

TOKEN_FILE = ".vault-token"  # noqa: S105 -- the name of a file
KV_MOUNT = "secret"


def run(
    *,
    root_token_id: str | None = None,
    listen_address: str = "127.0.0.1:8200",
    store_token: bool = True,
    tls: bool = False,
    data_folder: str | None = None,
) -> int:
    """Serve a development vault until a signal ends it. Returns the exit code.

    Without ``data_folder`` everything lies in a temporary folder that is removed at the end.
    """
    folder = Path(data_folder) if data_folder else Path(tempfile.mkdtemp(prefix="strongroom-dev-"))
    try:
        return _serve(folder, root_token_id, listen_address, store_token=store_token, tls=tls)
    except START_FAILURES as error:
        sys.stderr.write(f"{reason_for(error)}\n")
        return EXIT_FAILED
    except ConfigError:
        # Only the address comes from the caller; of the configuration around it nobody knows.
        sys.stderr.write(
            "the listen address must be an address and port of this machine, like 127.0.0.1:8200; "
            "one that others can reach needs -dev-tls\n"
        )
        return EXIT_FAILED
    finally:
        if not data_folder:
            shutil.rmtree(folder, ignore_errors=True)


def _serve(folder: Path, root_token_id: str | None, listen_address: str, *, store_token: bool, tls: bool) -> int:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    config = parse_config([("dev.hcl", _configuration(folder, listen_address, tls=tls))])
    with prepared(config) as (sockets, _):
        server = Server(config, Log(SystemClock()), sockets)
        token = _first_token(server, root_token_id)
        if store_token:
            _store(token)
        return server.serve(when_ready=lambda: _welcome(server.addresses[0], folder, token))


def _configuration(folder: Path, listen_address: str, *, tls: bool) -> str:
    listener = f'address = "{listen_address}"\n'
    if tls:
        certificate, key = write_certificate(folder, SystemClock(), listen_address.rpartition(":")[0])
        listener += f'tls_cert_file = "{certificate}"\ntls_key_file = "{key}"\n'
    else:
        listener += "tls_disable = true\n"
    return (
        f'storage "sqlite" {{ path = "{folder / "data"}" }}\n'
        f'listener "tcp" {{\n{listener}}}\n'
        f'audit "file" "dev" {{ options {{ file_path = "{folder / "audit.log"}" }} }}\n'
        "unsafe_allow_api_audit_creation = true\n"
    )


def _first_token(server: Server, chosen: str | None) -> str:
    """Initialize and unseal, make the kv mount, and return the token to use."""
    node = server.node
    if node.lifecycle.status().initialized:
        sys.stderr.write("the folder holds a vault already; choose another, or run 'strongroom server -config' on it\n")
        raise SystemExit(1)
    result, root_token = node.initialize(InitConfig(secret_shares=1, secret_threshold=1))
    node.submit_unseal_share(result.shares[0].reveal().hex())
    token = root_token.reveal()
    _ask(server, token, f"sys/mounts/{KV_MOUNT}", {"type": "kv", "options": {"version": "2"}})
    if chosen:
        _ask(server, token, "auth/token/create", {"id": chosen, "policies": ["root"], "no_parent": True})
        _ask(server, token, "auth/token/revoke-self", {})
        token = chosen
    return token


def _ask(server: Server, token: str, path: str, body: dict[str, object]) -> None:
    request = Request(id="dev", operation=Operation.UPDATE, path=path, body=body, token=Secret(token))
    answer = answer_alone(server.node.require(), request, Alarms(_raise, lambda: None))
    if answer.error is not None:
        raise answer.error


def _raise(failure: Exception) -> None:
    raise failure


def _store(token: str) -> None:
    """Where every client of Vault looks for it. Replaced as a whole, closed to others."""
    target = Path.home() / TOKEN_FILE
    descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=TOKEN_FILE)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token)
    Path(temporary).replace(target)


def _welcome(address: str, folder: Path, token: str) -> None:
    warning = "Everything here is for trying out: one key share, no TLS unless asked for, a root token on the screen."
    trust = f"  export VAULT_CACERT='{folder / CERTIFICATE}'\n" if address.startswith("https:") else ""
    sys.stdout.write(
        f"\nStrongroom development server\n{warning}\n\n"
        f"  Address     {address}\n"
        f"  Root token  {token}\n"
        f"  Audit log   {folder / 'audit.log'}\n\n"
        f"  export VAULT_ADDR='{address}'\n{trust}\n"
    )
    sys.stdout.flush()
