"""The real process: what no test in memory can see."""

from __future__ import annotations

import re
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from tests.processes import ServerProcess, free_port, running_server
from tests.telemetry.promlint import problems, read


def fetch(context: ssl.SSLContext, url: str, token: str = "") -> tuple[int, dict[str, str], str]:
    request = urllib.request.Request(url, headers={"X-Vault-Token": token, "Connection": "close"})
    try:
        with urllib.request.urlopen(request, context=context, timeout=30) as response:
            return response.status, dict(response.headers), response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read().decode()


def second_listener(folder: Path, port: int) -> str:
    return (
        f'listener "tcp" {{\n  address = "127.0.0.1:{port}"\n  tls_cert_file = "{folder}/dev-cert.pem"\n'
        f'  tls_key_file = "{folder}/dev-key.pem"\n  telemetry {{ unauthenticated_metrics_access = true }}\n}}\n'
    )


def metrics_of(server: ServerProcess, port: int) -> str:
    status, _, text = fetch(server.context, f"https://127.0.0.1:{port}/v1/sys/metrics?format=prometheus")
    assert status == 200
    return text


def test_a_server_shows_its_metrics_on_the_listener_that_is_open_for_it(tmp_path: Path) -> None:
    port = free_port()
    with running_server(tmp_path / "one", extra=second_listener(tmp_path / "one", port)) as server:
        status, headers, _ = fetch(server.context, f"{server.address}/v1/sys/metrics")
        assert status == 403
        assert re.fullmatch(r"[0-9a-f-]{36}", headers["X-Request-Id"])
        assert headers["X-Request-Id"] in server.audit_file.read_text()
        text = metrics_of(server, port)
        assert problems(text) == []
        metrics = read(text)
        for name in ("process_resident_memory_bytes", "process_open_fds", "store_size_bytes", "connections_open"):
            assert metrics[f"strongroom_{name}"].samples[0][2] > 0
        assert server.call("PUT", "sys/seal").status == 204
        assert "strongroom_unsealed 0\n" in metrics_of(server, port)


def test_several_processes_count_together(tmp_path: Path) -> None:
    port = free_port()
    extra = "workers = 2\n" + second_listener(tmp_path / "one", port)
    with running_server(tmp_path / "one", extra=extra) as server:
        for _ in range(12):
            assert server.call("GET", "sys/mounts").status == 200
        counts = set()
        for _ in range(6):
            samples = read(metrics_of(server, port))["strongroom_requests_total"].samples
            counts.add(
                sum(n for _, labels, n in samples if labels["mount_type"] == "system" and labels["operation"] == "read")
            )
        assert min(counts) >= 12
        assert len(counts) == 6, "each scrape counts the one before, whichever process answers"
