"""``sys/tools``: random bytes and hashes for clients that have no good source of either."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response

BYTES_MAX = 128 * 1024

_ALGORITHMS: dict[str, Callable[[bytes], bytes]] = {
    "sha2-224": lambda content: hashlib.sha224(content).digest(),
    "sha2-256": lambda content: hashlib.sha256(content).digest(),
    "sha2-384": lambda content: hashlib.sha384(content).digest(),
    "sha2-512": lambda content: hashlib.sha512(content).digest(),
    "sha3-224": lambda content: hashlib.sha3_224(content).digest(),
    "sha3-256": lambda content: hashlib.sha3_256(content).digest(),
    "sha3-384": lambda content: hashlib.sha3_384(content).digest(),
    "sha3-512": lambda content: hashlib.sha3_512(content).digest(),
}
_ALGORITHM_DOC = Doc("sha2-224, sha2-256, sha2-384, sha2-512, or the same of sha3.", public=True)
_FORMAT_DOC = Doc("hex or base64.", public=True)


@dataclass(slots=True)
class RandomDefault:
    """Random bytes, as many as the body says."""

    bytes: Annotated[int, Doc("How many bytes, 131,072 at most.", public=True)] = 32
    format: Annotated[str, _FORMAT_DOC] = "base64"


@dataclass(slots=True)
class RandomOf:
    """Random bytes, as many as the path says."""

    bytes: Annotated[int, Doc("How many bytes, 131,072 at most.", public=True)]
    format: Annotated[str, _FORMAT_DOC] = "base64"


@dataclass(slots=True)
class Hash:
    """A hash by the algorithm that the body names."""

    input: Annotated[str, Doc("What to hash, in base64.")]
    algorithm: Annotated[str, _ALGORITHM_DOC] = "sha2-256"
    format: Annotated[str, _FORMAT_DOC] = "hex"


@dataclass(slots=True)
class HashBy:
    """A hash by the algorithm that the path names."""

    algorithm: Annotated[str, _ALGORITHM_DOC]
    input: Annotated[str, Doc("What to hash, in base64.")]
    format: Annotated[str, _FORMAT_DOC] = "hex"


class ToolsArea:
    """Stateless helpers."""

    def paths(self) -> tuple[Path, ...]:
        """The declarations of this area."""
        return (
            Path(
                "tools/random",
                "Random bytes from the server's generator.",
                (Endpoint(Operation.UPDATE, self.random, "Draw random bytes.", open_to_bound=True),),
            ),
            Path(
                "tools/random/{bytes}",
                "Random bytes from the server's generator, the number in the path.",
                (Endpoint(Operation.UPDATE, self.random_of, "Draw random bytes.", open_to_bound=True),),
            ),
            Path(
                "tools/hash",
                "The hash of some bytes.",
                (Endpoint(Operation.UPDATE, self.hash, "Hash bytes.", open_to_bound=True),),
            ),
            Path(
                "tools/hash/{algorithm}",
                "The hash of some bytes, the algorithm in the path.",
                (Endpoint(Operation.UPDATE, self.hash_by, "Hash bytes.", open_to_bound=True),),
            ),
        )

    def random(self, context: Context, request: RandomDefault) -> Response:
        """Bytes from the server's entropy."""
        if not 1 <= request.bytes <= BYTES_MAX:
            raise InvalidRequest(f"'bytes' must be between 1 and {BYTES_MAX}")
        return Response(data={"random_bytes": _shown(context.entropy.bytes(request.bytes), request.format)})

    def random_of(self, context: Context, request: RandomOf) -> Response:
        """Bytes from the server's entropy, as many as the path says."""
        return self.random(context, RandomDefault(request.bytes, request.format))

    def hash(self, _: Context, request: Hash) -> Response:
        """The hash of the decoded input."""
        return self._hashed(request.input, request.algorithm, request.format)

    def hash_by(self, _: Context, request: HashBy) -> Response:
        """The hash of the decoded input."""
        return self._hashed(request.input, request.algorithm, request.format)

    def _hashed(self, content: str, algorithm: str, shown_as: str) -> Response:
        digest = _ALGORITHMS.get(algorithm)
        if digest is None:
            raise InvalidRequest(f"unsupported algorithm; choose one of {', '.join(_ALGORITHMS)}")
        try:
            decoded = base64.b64decode(content, validate=True)
        except (binascii.Error, ValueError):
            raise InvalidRequest("unable to decode input as base64") from None
        return Response(data={"sum": _shown(digest(decoded), shown_as)})


def _shown(content: bytes, shown_as: str) -> str:
    if shown_as == "hex":
        return content.hex()
    if shown_as == "base64":
        return base64.b64encode(content).decode()
    raise InvalidRequest("unsupported encoding format; choose 'hex' or 'base64'")
