"""The document that generators of clients read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator
from tests.kit import Vault

METHODS = ("get", "post", "patch", "delete")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def parameter(described: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in described["parameters"] if one["name"] == name)


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert [str(error) for error in OpenAPIV30SpecValidator(document).iter_errors()] == []


def test_the_document_stands_alone_in_the_body_where_generators_look(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.0.2"
    assert "data" not in document


def test_a_generic_document_is_valid_too_and_names_mounts_by_a_parameter(vault: Vault) -> None:
    answer = vault.get("sys/internal/specs/openapi?generic_mount_paths=true")
    assert answer.body is not None
    assert [str(error) for error in OpenAPIV30SpecValidator(answer.body).iter_errors()] == []
    described = answer.body["paths"]["/{secret_mount_path}/data/{path}"]
    assert parameter(described, "secret_mount_path")["schema"]["default"] == "secret"
    assert "/auth/{userpass_mount_path}/users/{username}" in answer.body["paths"]
    assert "/sys/mounts" in answer.body["paths"]
    assert "/auth/token/create" in answer.body["paths"]
    assert "/cubbyhole/{path}" in answer.body["paths"]


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [described["operationId"] for _, _, described in operations(document)]
    assert len(names) == len(set(names))
    assert "secret-read-data-path" in names
    assert "sys-write-mounts-path-tune" in names


def test_mounts_whose_names_look_alike_do_not_share_names_of_operations_or_types() -> None:
    vault = Vault()
    for path in ("a-b", "a_b", "ab", "é"):
        vault.mount(path)
    document = vault.get("sys/internal/specs/openapi").body
    assert document is not None
    names = [described["operationId"].replace("-", "") for _, _, described in operations(document)]
    assert len(names) == len(set(names))


def test_a_brace_in_the_name_of_a_mount_is_not_taken_for_a_parameter() -> None:
    vault = Vault()
    made = vault.post("sys/mounts/%7Bodd%7D", {"type": "kv"})
    if made.status == 204:
        document = vault.get("sys/internal/specs/openapi").body
        assert document is not None
        assert [str(error) for error in OpenAPIV30SpecValidator(document).iter_errors()] == []


def test_every_parameter_of_a_path_is_declared(document: dict[str, Any]) -> None:
    for path, item in document["paths"].items():
        declared = {one["name"] for one in item.get("parameters", [])}
        assert declared == set(re.findall(r"\{(\w+)\}", path)), path


def test_every_operation_and_every_field_is_explained(document: dict[str, Any]) -> None:
    for path, method, described in operations(document):
        assert described["summary"], (path, method)
        assert all(one["description"] for one in described.get("parameters", ())), (path, method)
    for name, schema in document["components"]["schemas"].items():
        if name.endswith("Request"):
            assert all(one["description"] for one in schema["properties"].values()), name


def test_a_list_is_a_get_that_must_say_so(document: dict[str, Any]) -> None:
    listed = document["paths"]["/auth/userpass/users"]["get"]
    assert parameter(listed, "list")["required"] is True
    assert parameter(listed, "list")["schema"]["enum"] == ["true"]


def test_a_path_that_can_be_read_and_listed_has_one_get_with_both(document: dict[str, Any]) -> None:
    described = document["paths"]["/secret/metadata/{path}"]["get"]
    assert described["operationId"] == "secret-read-metadata-path"
    assert "required" not in parameter(described, "list")
    assert "List" in described["description"]
    assert parameter(described, "after")["schema"]["type"] == "string"


def test_the_top_of_a_mount_can_be_listed_by_a_path_without_parameter(document: dict[str, Any]) -> None:
    for path in ("/secret/metadata", "/plain/", "/cubbyhole/"):
        assert set(document["paths"][path]) & set(METHODS) == {"get"}
        assert parameter(document["paths"][path]["get"], "list")["required"] is True


def test_operations_of_two_templates_that_look_the_same_stand_together(document: dict[str, Any]) -> None:
    assert set(METHODS) <= set(document["paths"]["/secret/metadata/{path}"])


def test_a_rest_in_the_middle_of_a_template_is_one_parameter(document: dict[str, Any]) -> None:
    item = document["paths"]["/sys/mounts/{path}/tune"]
    assert [one["name"] for one in item["parameters"]] == ["path"]


def test_flags_of_a_path_are_those_that_generators_know(document: dict[str, Any]) -> None:
    paths = document["paths"]
    assert paths["/sys/unseal"]["x-vault-unauthenticated"] is True
    assert paths["/sys/unseal"]["post"]["security"] == []
    assert paths["/sys/seal"]["x-vault-sudo"] is True
    assert paths["/secret/data/{path}"]["x-vault-createSupported"] is True
    assert "x-vault-sudo" not in paths["/secret/data/{path}"]


@pytest.mark.parametrize(
    ("path", "method", "needed"),
    [
        ("/secret/data/{path}", "get", ["read"]),
        ("/secret/data/{path}", "post", ["create or update"]),
        ("/secret/data/{path}", "patch", ["patch"]),
        ("/secret/data/{path}", "delete", ["delete"]),
        ("/secret/metadata", "get", ["list"]),
        ("/sys/auth/{path}", "post", ["update", "sudo"]),
        ("/sys/internal/ui/namespaces", "get", None),
        ("/sys/health", "get", None),
    ],
)
def test_each_operation_says_which_capabilities_it_needs(
    document: dict[str, Any], path: str, method: str, needed: list[str] | None
) -> None:
    assert document["paths"][path][method].get("x-strongroom-capabilities") == needed


def test_a_patch_is_a_merge_patch(document: dict[str, Any]) -> None:
    content = document["paths"]["/secret/data/{path}"]["patch"]["requestBody"]["content"]
    assert list(content) == ["application/merge-patch+json"]


def test_bodies_are_named_types_with_typed_members(document: dict[str, Any]) -> None:
    body = document["paths"]["/auth/token/create"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/AuthTokenWriteCreateRequest"}
    members = document["components"]["schemas"]["AuthTokenWriteCreateRequest"]["properties"]
    assert members["policies"]["type"] == "array"
    assert members["policies"]["items"] == {"type": "string"}
    assert members["num_uses"]["type"] == "integer"
    assert members["ttl"]["type"] == "string"


def test_a_body_of_the_clients_own_making_takes_any_member(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["PlainWritePathRequest"]
    assert schema["additionalProperties"] is True


def test_every_reference_leads_to_a_schema(document: dict[str, Any]) -> None:
    wanted = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert wanted <= set(document["components"]["schemas"])


def test_a_token_sees_only_the_mounts_where_it_may_do_something(vault: Vault) -> None:
    vault.write_policy("plain-reader", 'path "plain/*" { capabilities = ["read"] }')
    answer = vault.get("sys/internal/specs/openapi", token=vault.token_for("plain-reader"))
    assert answer.body is not None
    assert "/plain/{path}" in answer.body["paths"]
    assert not any(path.startswith("/secret/") for path in answer.body["paths"])


def test_without_a_token_there_is_no_document(vault: Vault) -> None:
    assert vault.get("sys/internal/specs/openapi", token=None).status == 403
