"""A Secret of Kubernetes as a manifest: ``kubectl apply -f``. Values are base64, as ``data`` wants them.

The rules are those of the API server: the name is a DNS subdomain (RFC 1123, 253 characters at most), a namespace a DNS label (63); a
key has letters, digits, ``-``, ``_`` and ``.``, 253 at most, and is no path; all values together have 1 MiB at most.
"""

from __future__ import annotations

import base64
import re

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.data_documents import mapping
from strongroom.delivery.export.document import Export

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NAME_LENGTH_MAX, _LABEL_LENGTH_MAX = 253, 63
_BYTES_MAX = 1 << 20


def check_key(name: str, where: str) -> None:
    """Whether ``name`` can be a key of a Secret. Raises CannotDeliver that says ``where`` it comes from."""
    if not _KEY.fullmatch(name) or name == "." or name.startswith(".."):
        raise CannotDeliver(
            f"{where} cannot be a key of a Secret (letters, digits, - _ and ., at most 253): "
            "give it another name with -rename, or leave it out with -exclude"
        )


def secret(export: Export) -> bytes:
    """The manifest of the Secret called ``export.name``: NAME or NAMESPACE/NAME. Raises CannotDeliver."""
    namespace, slash, name = export.name.rpartition("/")
    if not _NAME.fullmatch(name) or len(name) > _NAME_LENGTH_MAX:
        raise CannotDeliver(
            "name the Secret with -name=NAME or -name=NAMESPACE/NAME: small letters, digits, - and ., as in -name=my-app"
        )
    if slash and (not re.fullmatch(_LABEL, namespace) or len(namespace) > _LABEL_LENGTH_MAX):
        raise CannotDeliver("a namespace has small letters, digits and -, at most 63, as in -name=production/my-app")
    encoded = [(key, value.encode()) for key, value in export.pairs()]
    size = sum(len(value) for _, value in encoded)
    if size > _BYTES_MAX:
        raise CannotDeliver(f"the values have {size:,} bytes, and a Secret holds {_BYTES_MAX:,} at most: make several")
    metadata = [("name", name), *([("namespace", namespace)] if namespace else [])]
    data = mapping([(key, base64.b64encode(value).decode()) for key, value in encoded], "  ")
    return f"apiVersion: v1\nkind: Secret\nmetadata:\n{mapping(metadata, '  ')}type: Opaque\ndata:\n{data}".encode(
        "ascii"
    )
