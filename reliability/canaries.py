"""INV-9: values that are easy to recognise are given to a real server, and looked for everywhere else. ``python -m reliability.canaries``.

They are secrets, passwords, secret IDs, tokens and wrapped values; and the same where they do not belong: in fields of other types, in bodies that are no JSON,
in headers, parameters and tokens that nobody knows. They may stand in good answers to those who may read them. They must not stand in an error, the audit log,
the server's log, a metric, the list of requests under way, the arguments or the environment of a process, a file of the store,
or in what is left of a process that is made to crash.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import resource
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from reliability.result import Figure, Result, run
from reliability.server import Server

CANARY = "canary-1f6c0d9be7"
NUMBER = 8_371_940_265_913_377
MARKS = tuple(
    mark.encode()
    for mark in (CANARY, CANARY.upper(), str(NUMBER), base64.b64encode(CANARY.encode()).decode(), CANARY.encode().hex())
)
SETTING = CANARY.replace("canary", "setting")
"""What is given to fields that say how something shall be and hold no value: an audit log shows those in clear, and nothing else may."""
SHAPES: tuple[Any, ...] = (
    CANARY,
    NUMBER,
    [CANARY],
    {"inner": CANARY},
    [[NUMBER]],
    {"a": [{"b": CANARY}]},
    f"{CANARY}\n",
    -NUMBER,
)
FIELDS: dict[str, tuple[str, ...]] = {
    "one/b": (),
    "two/data/b": ("data", "options"),
    "auth/userpass/users/eve": ("password",),
    "auth/userpass/login/ada": ("password",),
    "auth/approle/login": ("role_id", "secret_id"),
    "auth/token/create": ("id",),
    "sys/unseal": ("key",),
    "sys/generate-root/update": ("key",),
    "sys/wrapping/unwrap": ("token",),
    "sys/leases/revoke": ("lease_id",),
    "sys/capabilities": ("token",),
    "sys/mounts/three": (),
}
"""Fields that hold values, by path; each path gets one that nobody knows, too."""
SETTINGS: dict[str, tuple[str, ...]] = {
    "two/config": ("max_versions", "cas_required", "delete_version_after"),
    "auth/userpass/users/eve": ("token_policies", "token_ttl", "token_bound_cidrs"),
    "auth/token/create": ("policies", "ttl", "meta", "num_uses", "display_name", "type"),
    "sys/policies/acl/new": ("policy",),
    "sys/mounts/three": ("config", "options"),
    "sys/rekey/init": ("secret_shares", "pgp_keys"),
    "sys/generate-root/update": ("nonce",),
    "sys/quotas/rate-limit/x": ("rate", "interval", "path"),
    "sys/capabilities": ("paths",),
    "sys/tools/random": ("bytes", "format"),
}
"""Fields that say how something shall be."""
Asked = tuple[str, str, bytes | None, dict[str, str]]


def good() -> Iterator[tuple[str, str, Any]]:
    """Requests that store and read the canary where it belongs."""
    for path, body in (
        ("sys/mounts/one", {"type": "kv"}),
        ("sys/mounts/two", {"type": "kv", "options": {"version": "2"}}),
        ("sys/auth/userpass", {"type": "userpass"}),
        ("sys/auth/approle", {"type": "approle"}),
        ("one/a", {"value": CANARY, "number": NUMBER, "deep": {"list": [CANARY]}}),
        ("two/data/a", {"data": {"value": CANARY, "number": NUMBER}}),
        ("cubbyhole/a", {"value": CANARY}),
        ("auth/userpass/users/ada", {"password": f"{CANARY}-a password of theirs"}),
        ("auth/userpass/login/ada", {"password": f"{CANARY}-a password of theirs"}),
        ("auth/userpass/login/ada", {"password": f"{CANARY} a wrong one"}),
        ("auth/approle/role/app", {}),
        ("auth/approle/role/app/custom-secret-id", {"secret_id": f"{CANARY}-secret-id"}),
        ("auth/approle/role/app/secret-id/lookup", {"secret_id": f"{CANARY}-secret-id"}),
        ("auth/token/create", {"id": f"{CANARY}-token", "policies": ["default"], "ttl": "1h"}),
        ("auth/token/lookup", {"token": f"{CANARY}-token"}),
        ("sys/wrapping/wrap", {"value": CANARY}),
        ("sys/audit-hash/main", {"input": CANARY}),
        ("sys/tools/hash", {"input": base64.b64encode(CANARY.encode()).decode()}),
    ):
        yield "POST", path, body
    for path in ("one/a", "two/data/a", "cubbyhole/a", "auth/userpass/users/ada"):
        yield "GET", path, None


def misplaced(token: str) -> Iterator[Asked]:
    """Requests in which the canary stands where it does not belong."""
    known = {"X-Vault-Token": token}
    for path, names in FIELDS.items():
        for name in (*names, "unheard_of"):
            for shape in SHAPES:
                yield "POST", path, json.dumps({name: shape}).encode(), known
    for path, names in SETTINGS.items():
        for name in names:
            for shape in (SETTING, [SETTING], {"inner": SETTING}, f"{SETTING}\n"):
                yield "POST", path, json.dumps({name: shape}).encode(), known
    broken = f'{{"data": {{"value": "{CANARY}"'
    for body in (
        broken,
        f"{broken}}}}} {CANARY}",
        f'"{CANARY}"',
        CANARY,
        f'{{"a":"{CANARY}","a":1}}',
        f'{{"a":{NUMBER}e{NUMBER}}}',
        "[" * 200 + CANARY,
    ):
        yield "POST", "two/data/c", body.encode(), known
    yield "POST", "two/data/c", CANARY.encode() + b"\xff\xfe", known
    yield (
        "POST",
        "one/form",
        f"{CANARY}&a={CANARY}".encode(),
        {**known, "Content-Type": "application/x-www-form-urlencoded"},
    )
    for header in (
        "X-Vault-Token",
        "Authorization",
        "X-Vault-Namespace",
        "X-Vault-Wrap-TTL",
        "Cookie",
        "User-Agent",
        "X-Forwarded-For",
        "Content-Type",
        "Accept",
    ):
        yield "GET", "one/a", None, {**known, header: CANARY}
    for query in (
        f"a={CANARY}",
        f"list={CANARY}",
        f"version={CANARY}",
        f"%zz={CANARY}",
        f"after={CANARY}&limit={CANARY}",
    ):
        yield "GET", f"two/data/a?{query}", None, known


class Watch:
    """Sends requests, and looks for the canary in what is not a good answer."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.found: dict[str, int] = {}
        self.asked = 0
        self.server_errors = 0
        self.looked_at = 0

    def look(self, where: str, content: bytes) -> None:
        """Count the marks in ``content``."""
        self.looked_at += len(content)
        marks = MARKS if where == "audit" else (*MARKS, SETTING.encode())
        self.found[where] = self.found.get(where, 0) + sum(content.count(mark) for mark in marks)

    def ask(self, method: str, path: str, content: bytes | None, headers: dict[str, str]) -> bytes:
        """One request; its answer is looked at where it is an error."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        try:
            connection.request(method, f"/v1/{path}", content, headers)
            answer = connection.getresponse()
            received = answer.read()
        finally:
            connection.close()
        self.asked += 1
        self.server_errors += answer.status >= 500
        head = "\n".join(f"{name}: {value}" for name, value in answer.getheaders()).encode()
        self.look("error" if answer.status >= 400 else "header", head + (received if answer.status >= 400 else b""))
        return received


def processes_of(pid: int) -> list[int]:
    """The process and those below it."""
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").iterdir():
            with suppress(OSError):
                found += [int(child) for child in (task / "children").read_text().split()]
    return found


def look_around(watch: Watch) -> None:
    """Everything that is not an answer, while the server runs."""
    server, known = watch.server, {"X-Vault-Token": watch.server.token}
    watch.look("audit", server.audit.read_bytes())
    watch.look("log", server.log.encode())
    for query in ("", "?format=prometheus"):
        watch.look("metric", watch.ask("GET", f"sys/metrics{query}", None, known))
    watch.look("under way", watch.ask("GET", "sys/in-flight-req", None, known))
    assert server.process is not None
    for pid in processes_of(server.process.pid):
        watch.look("argv", Path(f"/proc/{pid}/cmdline").read_bytes())
        watch.look("environment", Path(f"/proc/{pid}/environ").read_bytes())
        watch.look("maps", Path(f"/proc/{pid}/maps").read_bytes())


def look_at_what_is_left(watch: Watch, folder: Path) -> None:
    """After a crash: files of the store, and a core if there were one."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "audit.log":
            kind = "core" if path.name.startswith("core") else "store" if "data" in path.parts else "log"
            watch.look(kind, path.read_bytes())
    watch.found.setdefault("core", 0)


def prove(arguments: argparse.Namespace) -> Result:
    """Give, misplace, look, crash, look again."""
    del arguments
    with tempfile.TemporaryDirectory(prefix="canaries-") as scratch:
        server = Server(Path(scratch) / "vault", workers=2)
        # A core may be as large as it likes: it is the server that has to see to it that there is none.
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
        here = Path.cwd()
        try:
            server.start()
            server.initialize()
            watch = Watch(server)
            known = {"X-Vault-Token": server.token}
            stored = 0
            for method, path, body in good():
                content = None if body is None else json.dumps(body).encode()
                received = watch.ask(method, path, content, known)
                stored += CANARY.encode() in received
            for asked in misplaced(server.token):
                watch.ask(*asked)
            look_around(watch)
            os.kill(server.process.pid if server.process else 0, signal.SIGABRT)
            server.wait()
            look_at_what_is_left(watch, server.folder)
            cores = list(here.glob("core*"))
        finally:
            resource.setrlimit(resource.RLIMIT_CORE, (soft, hard))
            server.signal(signal.SIGKILL)
    places = {f"in_{name.replace(' ', '_')}": count for name, count in sorted(watch.found.items())}
    figures: dict[str, Figure] = {
        "n": watch.asked,
        "mebibytes_looked_at": round(watch.looked_at / (1 << 20), 1),
        **places,
        "cores_written": len(cores),
        "server_errors": watch.server_errors,
    }
    findings = [] if stored >= 3 else ["the canary was not read back where it belongs"]
    return Result("INV-9 canaries", figures, (*places, "cores_written", "server_errors"), {}, findings)


if __name__ == "__main__":
    run(prove)
