"""One secret with all its versions, put at another place: the same numbers, times and settings under a data key of its own.

Bodies are sealed anew, since each opens at its place alone. The old data key is not taken along: where the secret leaves, what is left of it in older
copies of the store cannot be read any more, and of two copies each is destroyed by itself.
"""

from __future__ import annotations

from msgspec.structs import replace

from strongroom.engines.kv_v2.inventory import store_of
from strongroom.engines.kv_v2.sealing import new_data_key
from strongroom.logical.errors import TooLarge
from strongroom.logical.inventory import Interior
from strongroom.logical.secret_notes import new_texts

BYTES_MAX = 32 * 1024 * 1024
"""How many bytes of all versions of a secret are put elsewhere in one transaction."""


def transfer(source: Interior, path: str, into: Interior, target: str, *, removes: bool) -> int:
    """Put the secret at ``path``, which must be there, at ``target``, where nothing is. How many versions went along.

    Raises TooLarge, Damaged where a version does not open, and InvalidRequest where a value may not be stored there.
    """
    here, there = store_of(source), store_of(into)
    metadata = here.find(path)
    if metadata is None:
        raise LookupError("there is no secret to transfer")
    kept = [version for version in metadata.versions if not version.destroyed]
    if sum(here.body_size(path, version) for version in kept) > BYTES_MAX:
        raise TooLarge(
            f"the versions of a secret have more than {BYTES_MAX} bytes together; destroy old ones first, or write it anew there"
        )
    bodies = [(version.number, here.body(path, metadata, version)) for version in kept]
    if removes:
        # First of all, so that the guard against reuse does not find it where it is leaving.
        here.remove(path, metadata)
    copied = replace(
        metadata,
        key=new_data_key(into.entropy),
        versions=[replace(version) for version in metadata.versions],
        custom_metadata=dict(metadata.custom_metadata),
    )
    there.fingerprints.judge(new_texts({}, copied.custom_metadata))
    for number, body in bodies:
        there.put_body(target, copied, number, body)
    there.save_described(target, copied, {})
    return len(copied.versions)
