"""The same configuration under the real ``bao agent`` and ours makes the same files, on our server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.agent.workshop import Approle, Server
from tests.processes import free_port, wait_until

from tools.servers import openbao_binary

pytestmark = [pytest.mark.compat, pytest.mark.xdist_group("journey")]

WITH = '{{ with secret "secret/data/side" }}%s{{ end }}'
# Everything that a template may say here and there, in one place each.
TEMPLATES = {
    "value": WITH % "{{ .Data.data.user }}",
    "short": '{{ with secret "secret/side" }}{{ .Data.data.user }}{{ end }}',
    "lines": '{{ with secret "secret/data/side" }}\n{{ .Data.data.user }}\n{{ end }}\n',
    "trimmed": '{{- with secret "secret/data/side" -}}\n  {{ .Data.data.user }}\n{{- end -}}\n',
    "numbers": WITH % "{{ .Data.data.port }} {{ .Data.data.ratio }} {{ .Data.data.big }} {{ .Data.data.on }}",
    "nothing": WITH % "[{{ .Data.data.missing }}]",
    "map": WITH % "{{ .Data.data.nested }}|{{ .Data.data.hosts }}",
    "json": WITH % "{{ .Data.data | toJSON }}",
    "json pretty": WITH % "{{ .Data.data.nested | toJSONPretty }}",
    "json plain": WITH % "{{ .Data.data.html | toUnescapedJSON }}",
    "escaped": WITH % "{{ .Data.data.html | toJSON }}{{ .Data.data.unicode | toJSON }}",
    "range map": WITH % "{{ range $k, $v := .Data.data.nested }}{{ $k }}={{ $v }};{{ end }}",
    "range list": WITH % "{{ range $i, $h := .Data.data.hosts }}{{ $i }}{{ $h }}{{ end }}",
    "else": WITH % '{{ if eq .Data.data.user "x" }}a{{ else if .Data.data.on }}b{{ else }}c{{ end }}',
    "variables": '{{ with $s := secret "secret/data/side" }}{{ $u := $s.Data.data.user }}{{ $u | toUpper }}{{ end }}',
    "list": '{{ range secrets "secret/metadata/" }}{{ if eq . "side" }}{{ . }}{{ end }}{{ end }}',
    "indent": WITH % "{{ .Data.data.pem | indent 4 }}",
    "base64": WITH % "{{ .Data.data.user | base64Encode }}{{ .Data.data.encoded | base64Decode }}",
    "base64 url": WITH % "{{ .Data.data.html | base64URLEncode | base64URLDecode }}",
    "texts": WITH % '{{ .Data.data.spaced | trimSpace }}{{ "a,b,c" | split "," | join "-" }}{{ "x.y" | replaceAll "." "_" }}',
    "title": '{{ "foo bar" | toTitle }}{{ "ABC" | toLower }}{{ "--a--" | trim "-" }}'
    '{{ "v1.2" | trimPrefix "v" }}{{ "a.txt" | trimSuffix ".txt" }}',
    "contains": WITH % '{{ if .Data.data.hosts | contains "b" }}y{{ end }}{{ if in .Data.data.hosts "z" }}y{{ else }}n{{ end }}',
    "parse": WITH % "{{ with .Data.data.json | parseJSON }}{{ .k }}{{ index .l 1 }}{{ end }}",
    "parsed": '{{ "7" | parseInt }}{{ "7" | parseUint }}{{ "1.5" | parseFloat }}{{ "true" | parseBool }}',
    "arithmetic": "{{ add 1 2 }} {{ 5 | subtract 2 }} {{ multiply 2 3 }} {{ 7 | divide 2 }} {{ 7 | modulo 4 }}"
    " {{ minimum 3 5 }} {{ maximum 3 5 }}",
    "loop": "{{ range loop 3 }}{{ . }}{{ end }}|{{ range loop 2 5 }}{{ . }}{{ end }}",
    "jumps": "{{ range loop 9 }}{{ if eq . 2 }}{{ continue }}{{ end }}{{ if gt . 4 }}{{ break }}{{ end }}{{ . }}{{ end }}",
    "printf": WITH % '{{ printf "%s|%q|%5s|%-5s|%v" .Data.data.user .Data.data.user "r" "l" true }}'
    '{{ printf "%d %05d %x %X %t %.1f %%" 42 42 255 "az" false 0.25 }}',
    "print": '{{ print "a" 1 2 "b" true }}|{{ println "x" 1 }}|{{ len "abc" }}|{{ slice "abcd" 1 3 }}',
    "logic": "{{ and true 1 }} {{ or false 0 3 }} {{ not true }} {{ if and (eq 1 1) (ne 1 2) (lt 1 2) (ge 2 2) }}y{{ end }}",
    "digests": '{{ "abc" | sha256Hex }}',
    "quoting": "{{ \"<a href='x'>&\" | html }}{{ \"a b&c/d\" | urlquery }}",
    "comment": "a{{/* nothing */}}b {{- /* nothing */ -}} c",
    "raw": '{{ `raw "text" \\n` }}{{ "tab\\t\\"quoted\\" \\u00e9" }}',
}  # fmt: skip


def configuration(folder: Path, role: Approle, address: str) -> str:
    """One configuration for both, with a folder of its own."""
    made = []
    for number, (name, text) in enumerate(TEMPLATES.items()):
        source = folder / f"{number}.ctmpl"
        source.write_text(text)
        made.append(f'template {{ source = "{source}"  destination = "{folder}/out/{name}"  perms = "0600" }}')
    (folder / "out").mkdir()
    return f"""
    pid_file = "{folder}/pid"
    exit_after_auth = true
    vault {{ address = "{address}" }}
    auto_auth {{
      {role.method("remove_secret_id_file_after_reading = false")}
      sink "file" {{ config = {{ path = "{folder}/token"  mode = 0600 }} }}
    }}
    {chr(10).join(made)}
    """


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("server") / "log"
    address = f"127.0.0.1:{free_port()}"
    words = [sys.executable, "-m", "strongroom", "server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root"]
    with log.open("wb") as output:
        process = subprocess.Popen([*words, f"-dev-listen-address={address}"], stdout=output, stderr=output)
    try:
        wait_until(lambda: "export VAULT_ADDR" in log.read_text(), process=process)
        yield Server(f"http://{address}", "root")
    finally:
        process.terminate()
        process.wait(60)


def run(words: list[str], folder: Path, role: Approle, server: Server) -> dict[str, bytes]:
    folder.mkdir()
    (folder / "agent.hcl").write_text(configuration(folder, role, server.address))
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    done = subprocess.run(
        [*words, "agent", f"-config={folder}/agent.hcl"],
        env=environ,
        cwd=folder,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert (folder / "token").stat().st_mode & 0o777 == 0o600
    return {file.name: file.read_bytes() for file in (folder / "out").iterdir()}


def test_both_agents_make_the_same_files(server: Server, tmp_path: Path) -> None:
    server.write(
        "secret/data/side",
        {
            "data": {
                "user": "app",
                "port": 5432,
                "ratio": 1.5,
                "big": 12345678901234567890,
                "on": True,
                "nested": {"z": {"deep": [1, None, "x"]}, "a": "first"},
                "hosts": ["a", "b"],
                "html": '<p class="x">&amp;</p>',
                "unicode": "é \u2028 \U0001f600",
                "pem": "one\ntwo\n\nfour",
                "encoded": "aGVsbG8=",
                "spaced": "  x \n",
                "json": '{"k": "v", "l": [1, 2]}',
            }
        },
    )
    role = Approle.made(server, tmp_path)
    ours = run([sys.executable, "-m", "strongroom"], tmp_path / "ours", role, server)
    theirs = run([openbao_binary()], tmp_path / "theirs", role, server)
    assert set(theirs) == set(TEMPLATES)
    different = {name: (ours.get(name), theirs[name]) for name in TEMPLATES if ours.get(name) != theirs[name]}
    assert different == {}
