from __future__ import annotations

import pytest
from tests.engines.harness import MountedEngine

from strongroom.logical.errors import NotFound, UnsupportedOperation
from strongroom.logical.operation import Operation

READ, UPDATE, PATCH, DELETE, LIST = (
    Operation.READ,
    Operation.UPDATE,
    Operation.PATCH,
    Operation.DELETE,
    Operation.LIST,
)


@pytest.mark.parametrize(
    ("operation", "command"),
    [(READ, "get"), (UPDATE, "put"), (PATCH, "patch"), (DELETE, "delete"), (LIST, "list")],
    ids=lambda value: value if isinstance(value, str) else value.value,
)
@pytest.mark.parametrize("path", ["", "app", "app/db", "config/x", "datax/app"])
def test_a_path_without_its_folder_is_explained(
    kv2: MountedEngine, operation: Operation, command: str, path: str
) -> None:
    with pytest.raises(NotFound) as caught:
        kv2.call(operation, path, {"a": 1} if operation is UPDATE else b"{}")

    assert caught.value.messages == ()
    (warning,) = caught.value.warnings
    assert warning.startswith("Invalid path for a versioned K/V secrets engine. See the API docs")
    assert f"'kv {command}'" in warning


@pytest.mark.parametrize(
    "folder", ["data", "metadata", "delete", "undelete", "destroy", "subkeys", "detailed-metadata"]
)
@pytest.mark.parametrize("operation", [READ, UPDATE, DELETE], ids=lambda operation: operation.value)
def test_the_top_of_a_folder_can_only_be_listed(kv2: MountedEngine, folder: str, operation: Operation) -> None:
    with pytest.raises(NotFound) as caught:
        kv2.call(operation, folder)

    assert caught.value.warnings == ("Non-listing operations on the root of a K/V v2 mount are not supported.",)


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        (LIST, "data"),
        (LIST, "data/app"),
        (LIST, "delete/app"),
        (LIST, "subkeys"),
        (READ, "delete/app"),
        (DELETE, "undelete/app"),
        (PATCH, "destroy/app"),
        (UPDATE, "subkeys/app"),
        (READ, "detailed-metadata/app"),
        (UPDATE, "detailed-metadata/app"),
        (DELETE, "config"),
        (PATCH, "config"),
    ],
    ids=str,
)
def test_an_operation_that_a_path_lacks_is_unsupported(kv2: MountedEngine, operation: Operation, path: str) -> None:
    kv2.update("data/app", data={"n": 1})

    with pytest.raises(UnsupportedOperation):
        kv2.call(operation, path)


@pytest.mark.parametrize("path", ["data", "metadata", "config", "data/data/app", "1", "app/1", "versions/app/1"])
def test_secrets_may_have_the_names_of_our_folders(kv2: MountedEngine, path: str) -> None:
    kv2.update("data/app", data={"n": "app"})
    kv2.update("data/app", data={"n": "app"})
    kv2.update(f"data/{path}", data={"n": path})

    assert kv2.read(f"data/{path}")["data"] == {"n": path}
    kv2.delete(f"metadata/{path}")
    assert kv2.read("data/app", version=1)["data"] == {"n": "app"}
    assert kv2.read("config")["max_versions"] == 0


def test_every_declaration_says_what_it_is_for(kv2: MountedEngine) -> None:
    for declared in kv2.router.declared:
        assert declared.path.help.endswith(".")
        assert declared.endpoint.summary.endswith(".")
        assert all(field.doc.text for field in declared.request_type.fields)
