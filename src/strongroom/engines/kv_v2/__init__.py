"""Key/value secrets with versions: every write adds one, and earlier ones can be read, deleted, restored and destroyed.

``engine`` declares the paths; ``record`` and ``sealing`` own the bytes (docs/formats/kv.md); ``store`` is the only module that
reads and writes them. Nothing here locks: a handler reads the secret's metadata record and writes it back in one transaction, and
the transaction runs again where another one was faster, which is what makes check-and-set exact.
"""

from strongroom.engines.kv_v2.engine import KvV2
from strongroom.engines.kv_v2.upgrade import upgrade_from_v1

__all__ = ["KvV2", "upgrade_from_v1"]
