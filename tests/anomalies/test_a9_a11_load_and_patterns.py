"""SECURITY A9 and A11: what a request may cost, and patterns that match whole texts."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.anomalies.scene import expect, vault_with_kv
from tests.processes import ServerProcess
from tests.tidy.rules import RULES, bans
from tests.tidy.source import SOURCE, load

from strongroom.scanner.containers import Limits, expand
from strongroom.scanner.fragment import Fragment
from strongroom.scanner.problem import Problem

MEBIBYTE = 1 << 20


def resident_bytes(server: ServerProcess) -> int:
    pages = (Path("/proc") / str(server.process.pid) / "statm").read_text().split()[1]
    return int(pages) * 4096


def test_row_098_cve_2026_39396_nothing_that_is_sent_is_decompressed(server: ServerProcess) -> None:
    bomb = gzip.compress(b'{"a": "' + b"x" * (20 * MEBIBYTE) + b'"}')
    assert len(bomb) < MEBIBYTE
    before = resident_bytes(server)
    head = (
        b"POST /v1/kv/bomb HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n"
        b"X-Vault-Token: %s\r\n\r\n" % (len(bomb), server.token.encode())
    )
    answer = exchange(server, [head, bomb])
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 415"))
    assert resident_bytes(server) - before < 10 * MEBIBYTE
    assert server.call("GET", "kv/bomb").status == 404


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_row_098_an_archive_is_read_no_further_than_to_its_limit(pack: Callable[[bytes], bytes]) -> None:
    limits = Limits(free_bytes=MEBIBYTE, total_bytes=8 * MEBIBYTE)
    problems: list[Problem] = []
    bomb = pack(b"\0" * (64 * MEBIBYTE))
    unpacked = sum(len(fragment.data) for fragment in expand(Fragment("f", bomb), limits, problems.append))
    assert unpacked <= limits.total_bytes + 2 * MEBIBYTE
    assert ["limit" in problem.what for problem in problems] == [True]


def test_row_098_nothing_of_a_backup_expands() -> None:
    expands = bans(
        "zlib.decompress", "zlib.decompressobj", "bz2.", "gzip.", "lzma.", "tarfile.", "zipfile.", "zstandard."
    )
    # Rotated logs are read in bounded pieces.
    bounded = ("src/strongroom/scanner/", "src/strongroom/evidence/lines.py")
    assert [one.path for one in load(SOURCE) if not one.path.startswith(bounded) and list(expands(one))] == []


def test_row_106_cve_2023_6337_a_body_without_end_is_cut_off_and_not_kept(server: ServerProcess) -> None:
    before = resident_bytes(server)
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    head = b"PUT /v1/sys/unseal HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = exchange(server, [head, *[chunk] * 4096])
    assert answer.startswith(b"HTTP/1.1 413")
    assert resident_bytes(server) - before < 2 * 32 * MEBIBYTE
    long = exchange(server, [b"PUT /v1/sys/unseal HTTP/1.1\r\nHost: x\r\nContent-Length: 10737418240\r\n\r\n"])
    assert long.startswith(b"HTTP/1.1 413")
    assert server.call("GET", "sys/health").status == 200


def exchange(server: ServerProcess, parts: list[bytes]) -> bytes:
    """What comes back; the server may hang up before everything was sent."""
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=30) as plain,
        server.context.wrap_socket(plain, server_hostname="127.0.0.1") as client,
    ):
        with contextlib.suppress(OSError):
            for part in parts:
                client.sendall(part)
        received = b""
        with contextlib.suppress(OSError):
            while b"\r\n\r\n" not in received and (content := client.recv(65536)):
                received += content
    return received


@pytest.mark.parametrize(("beyond", "status"), [(-1, 204), (0, 204), (1, 413)])
def test_row_110_cve_2021_45042_a_value_is_taken_up_to_its_limit_and_refused_beyond_it(
    beyond: int, status: int
) -> None:
    vault = vault_with_kv()
    frame = len('{"a":""}')
    assert vault.post("kv/x", {"a": "x" * (MEBIBYTE - frame + beyond)}).status == status
    assert vault.get("kv/x").status == (200 if status == 204 else 404)
    assert vault.failures == []


@pytest.mark.parametrize(
    "path", ["kv/" + "k" * 10_240, "kv/" + "a/" * 100_000 + "a", "kv/" + "é" * 5000, "secret/data/" + "k" * 10_240]
)
def test_row_110_a_name_beyond_all_measure_is_refused(path: str) -> None:
    vault = vault_with_kv()
    for answer in (vault.post(path, {"data": {}}), vault.get(path), vault.delete(path)):
        assert answer.status in {400, 414}
    assert vault.failures == []
    expect(vault.post("kv/x", {"a": "1"}))


def test_row_122_cve_2025_49827_every_pattern_matches_whole_texts() -> None:
    rules = [rule for rule in RULES if "whole" in rule.sentence]
    assert rules
    assert [str(finding) for rule in rules for module in load(SOURCE) for finding in rule.findings(module)] == []


@pytest.mark.parametrize("name", ["app\n", "app%0a", "a\nroot", "app\r", "app\u2028", "app%00"])
def test_row_122_no_name_passes_with_a_line_break_behind_it(name: str) -> None:
    vault = vault_with_kv()
    expect(vault.post("sys/auth/approle", {"type": "approle"}))
    expect(vault.post("sys/auth/userpass", {"type": "userpass"}))
    for path, body in (
        (f"auth/approle/role/{name}", {"token_policies": ["default"]}),
        (f"auth/userpass/users/{name}", {"password": "right"}),
        (f"sys/policies/acl/{name}", {"policy": ""}),
        (f"auth/token/roles/{name}", {}),
        (f"sys/mounts/{name}", {"type": "kv"}),
        (f"sys/audit/{name}", {"type": "file", "options": {"file_path": "/tmp/audit.log"}}),
    ):
        assert vault.post(path, body).status == 400, path
    assert vault.post("auth/approle/role/app", {"token_bound_cidrs": ["127.0.0.1/32\n"]}).status in {204, 400}
