"""What the tests of the guard against reuse say again and again."""

from __future__ import annotations

from typing import Any

from tests.core.conftest import FaultyStore
from tests.environments.world import vault_with_environments, write
from tests.kit import Vault
from tests.processes import Result

from strongroom.core.reuse_index import list_pending

VALUE = "Corr3ct-horse/battery"
REFUSED = "in use in a more protected environment"


def vault_of_three() -> Vault:
    """Three environments with a mount without versions each, and ``dev2``, ``prod2`` with versions."""
    vault = vault_with_environments(store=FaultyStore())
    for name in ("dev2", "prod2"):
        vault.mount(name, options={"version": "2"})
    write(vault, "dev", mounts=["dev", "dev2"])
    write(vault, "prod", mounts=["prod", "prod2"])
    index_all(vault)
    return vault


def put(vault: Vault, path: str, value: Any, **options: Any) -> Result:
    """Store ``value`` under the key ``k``."""
    if "2/" in path:
        mount, _, rest = path.partition("/")
        return vault.post(f"{mount}/data/{rest}", {"data": {"k": value}}, **options)
    return vault.post(path, {"k": value}, **options)


def is_refused(result: Result) -> bool:
    assert result.status in {200, 204, 400}, result
    return result.status == 400 and REFUSED in str(result.errors)


def index_all(vault: Vault) -> None:
    while list_pending(vault.node.require(), 2):
        pass
