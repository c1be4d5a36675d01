"""Manifests are held to the API server's own rules (pkg/apis/core/validation: ValidateSecret, IsConfigMapKey)."""

from __future__ import annotations

import base64
import re

import pytest
import yaml  # type: ignore[import-untyped]  # its stubs are another package
from hypothesis import example, given
from hypothesis import strategies as st
from tests.delivery.export.values import TEXTS, exported

from strongroom.delivery.environment import CannotDeliver
from strongroom.delivery.export.kubernetes import check_key, secret

KEYS = st.one_of(
    st.from_regex(r"[-._a-zA-Z0-9]{1,10}", fullmatch=True), st.sampled_from(("true", "1.5", "-", "null", "tls.crt"))
)


def is_key(name: str) -> bool:
    return bool(re.fullmatch(r"[-._a-zA-Z0-9]{1,253}", name)) and name != "." and not name.startswith("..")


@given(st.dictionaries(KEYS, st.one_of(TEXTS, st.just("\0")), max_size=6))
@example({"n": "1234", "y": "no"})
def test_the_manifest_is_a_secret_with_every_value(values: dict[str, str]) -> None:
    manifest = yaml.safe_load(secret(exported(values, "production/my-app.v1")))
    assert {
        name: base64.b64decode(text, validate=True).decode() for name, text in manifest.pop("data").items()
    } == values
    assert manifest == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "my-app.v1", "namespace": "production"},
        "type": "Opaque",
    }


@given(st.one_of(KEYS, st.text(max_size=5), st.sampled_from(("..", ".", "..a", "a" * 253, "a" * 254))))
def test_keys_are_those_that_the_api_server_takes(name: str) -> None:
    if is_key(name):
        check_key(name, "here")
    else:
        with pytest.raises(CannotDeliver, match="here cannot be a key of a Secret"):
            check_key(name, "here")


@pytest.mark.parametrize(
    "name", ["", "App", "a_b", "-a", "a-", "a..b", "a/b/c", "/a", "A/a", "n" * 64 + "/a", "a" * 254, "a\n", "true\nx"]
)
def test_a_name_that_no_object_has_is_refused(name: str) -> None:
    with pytest.raises(CannotDeliver, match="-name="):
        secret(exported({"A": "1"}, name))


@pytest.mark.parametrize("name", ["true", "1", "1.5", "null/1e5"])
def test_a_name_that_yaml_takes_for_something_else_stays_text(name: str) -> None:
    namespace, _, own = name.rpartition("/")
    metadata = yaml.safe_load(secret(exported({"A": "1"}, name)))["metadata"]
    assert metadata == {"name": own} | ({"namespace": namespace} if namespace else {})


def test_a_megabyte_fits_and_a_byte_more_does_not() -> None:
    most = {"A": "x" * (1 << 19), "B": "é" * (1 << 18)}
    assert len(secret(exported(most, "a"))) > 1 << 20
    with pytest.raises(CannotDeliver, match="the values have 1,048,577 bytes"):
        secret(exported({**most, "C": "x"}, "a"))
