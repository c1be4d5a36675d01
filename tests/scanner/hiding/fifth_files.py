"""Files that hide a token in pieces: variables of scripts, calls that join or format, and items of lists."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from tests.scanner.hiding.files import Hiding

_AT = 20


def _cut(text: bytes, size: int) -> list[str]:
    return [text[at : at + size].decode() for at in range(0, len(text), size)]


def _calls(token: bytes, call: str, joint: str) -> bytes:
    return b"t = " + joint.join(call % byte for byte in token).encode() + b"\n"


FIFTH_HIDINGS: Mapping[str, Hiding] = {
    "base64 in items of JSON": Hiding(
        lambda t: json.dumps({"k": _cut(base64.b64encode(b"token=" + t), 20)}).encode(), "f"
    ),
    "base64 in items, one a line": Hiding(
        lambda t: json.dumps(_cut(base64.b64encode(t), 20), indent=1).encode(), "f", 2
    ),
    "base64 in items of odd lengths": Hiding(lambda t: json.dumps(_cut(base64.b64encode(t), 19)).encode(), "f"),
    "base64 in items of a tuple": Hiding(lambda t: repr(tuple(_cut(base64.b64encode(t), 16))).encode(), "f"),
    "variable of a batch file": Hiding(
        lambda t: b"@echo off\r\nset A=" + t[:_AT] + b"\r\nset B=%A%" + t[_AT:] + b"\r\n", "f", 3, "a.bat"
    ),
    "variables of a batch file": Hiding(
        lambda t: b'set "A=' + t[:12] + b'"\r\nset "B=' + t[12:] + b'"\r\nset "T=%a%%b%"\r\n', "f", 3, "a.cmd"
    ),
    "variable that a batch file adds to": Hiding(
        lambda t: b"@set A=" + t[:9] + b"\r\n@set A=%A%" + t[9:21] + b"\r\n@set A=%A%" + t[21:] + b"\r\n", "f", 3
    ),
    "caret of a batch file": Hiding(lambda t: b"set T=" + t[:_AT] + b"^\r\n" + t[_AT:] + b"\r\n", "f"),
    "variable of a shell": Hiding(lambda t: b"A=" + t[:_AT] + b'\nexport B="${A}' + t[_AT:] + b'"\n', "f", 2),
    "variables of a shell": Hiding(
        lambda t: b"A='" + t[:_AT] + b"'\nB='" + t[_AT:] + b'\'\nT="$A$B"\n', "f", 3, "a.sh"
    ),
    "variable on a line of a shell": Hiding(lambda t: b"A='" + t[:_AT] + b"'; T=$A'" + t[_AT:] + b"'\n", "f"),
    "variables of PowerShell": Hiding(
        lambda t: b'$a = "' + t[:_AT] + b'"\r\n$b = "' + t[_AT:] + b'"\r\n$t = $a + $b\r\n', "f", 3, "a.ps1"
    ),
    "variable in a string of PowerShell": Hiding(
        lambda t: b'$a = "' + t[:_AT] + b'"\n$t = "${a}' + t[_AT:] + b'"\n', "f", 2
    ),
    "variable of a template literal": Hiding(
        lambda t: b'const a = "' + t[:_AT] + b'";\nconst t = `${a}' + t[_AT:] + b"`;\n", "f", 2
    ),
    "variable of an f-string": Hiding(lambda t: b'a = "' + t[:_AT] + b'"\nt = f"{a}' + t[_AT:] + b'"\n', "f", 2),
    "variable of Ruby": Hiding(lambda t: b'a = "' + t[:_AT] + b'"\nt = "#{a}' + t[_AT:] + b'"\n', "f", 2),
    "variable of a Makefile": Hiding(lambda t: b"A := " + t[:_AT] + b"\nT = $(A)" + t[_AT:] + b"\n", "f", 2),
    "variable of a Dockerfile": Hiding(
        lambda t: b"FROM x\nARG A=" + t[:_AT] + b"\nENV T=${A}" + t[_AT:] + b"\n", "f", 3
    ),
    "join of Terraform": Hiding(lambda t: b't = join("", ["' + t[:_AT] + b'", "' + t[_AT:] + b'"])\n', "f"),
    "join of CloudFormation": Hiding(lambda t: b'{"Fn::Join": ["", ["' + t[:_AT] + b'", "' + t[_AT:] + b'"]]}\n', "f"),
    "concatenation of a spreadsheet": Hiding(lambda t: b'=CONCATENATE("' + t[:_AT] + b'","' + t[_AT:] + b'")\n', "f"),
    "pieces that are appended": Hiding(
        lambda t: b'new StringBuilder().append("' + t[:_AT] + b'").append("' + t[_AT:] + b'")\n', "f"
    ),
    "pieces that are formatted": Hiding(lambda t: b't = "%s%s" % ("' + t[:_AT] + b'", "' + t[_AT:] + b'")\n', "f"),
    "characters by number, Python": Hiding(lambda t: _calls(t, "chr(%d)", "+"), "f"),
    "characters by number, Visual Basic": Hiding(lambda t: _calls(t, "ChrW(%d)", " & "), "f"),
    "characters by number, PowerShell": Hiding(lambda t: _calls(t, "[char]%d", "+"), "f"),
    "characters by number, PHP": Hiding(lambda t: _calls(t, "chr(0x%02x)", "."), "f"),
}
