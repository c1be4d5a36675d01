r"""``.tfvars``: ``name = "value"`` in the syntax of HCL 2, for input variables of Terraform and OpenTofu.

A quoted template with ``\\``, ``\"``, ``\n``, ``\r``, ``\t``, ``\uXXXX`` and ``\UXXXXXXXX``, in ASCII; ``${`` and ``%{``, which start
an expression, are written ``$${`` and ``%%{``. Terraform holds text in Unicode's normal form C: a value that this would change
is refused. A name is an identifier: a letter or ``_``, then letters, digits, ``_`` and ``-``.
"""

from __future__ import annotations

import re
import unicodedata

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.document import Export, escaped, refused

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def check_name(name: str, where: str) -> None:
    """Whether ``name`` can be that of an input variable. Raises CannotDeliver that says ``where`` it comes from."""
    if not _NAME.fullmatch(name):
        raise CannotDeliver(
            f"{where} cannot be the name of a Terraform variable (letters, digits, _ and -): "
            "give it another with -rename, or leave it out with -exclude"
        )


def tfvars(export: Export) -> bytes:
    """The file. Raises CannotDeliver."""
    lines = []
    for name, value in export.pairs():
        if "\0" in value:
            raise refused(name, "holds a zero byte, which Terraform passes on to nobody")
        if not unicodedata.is_normalized("NFC", value):
            raise refused(
                name, "is not in Unicode's normal form C, into which Terraform would bring it: encode it (base64)"
            )
        lines.append(f"{name} = {escaped(value).replace('${', '$${').replace('%{', '%%{')}\n")
    return "".join(lines).encode("ascii")
