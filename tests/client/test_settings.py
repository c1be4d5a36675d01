from __future__ import annotations

import pytest

from strongroom.client.errors import BadSettings
from strongroom.client.settings import DEFAULT_ADDRESS, Settings, from_environment, variable


def test_without_variables_the_server_is_local_and_speaks_tls() -> None:
    settings = from_environment({})
    assert settings == Settings()
    assert (settings.address, settings.max_retries, settings.timeout_seconds) == (DEFAULT_ADDRESS, 2, 60.0)


def test_our_variable_comes_before_openbaos_before_vaults() -> None:
    environ = {"VAULT_ADDR": "http://v", "BAO_ADDR": "http://b", "STRONGROOM_ADDR": "http://s"}
    assert from_environment(environ).address == "http://s"
    del environ["STRONGROOM_ADDR"]
    assert from_environment(environ).address == "http://b"
    del environ["BAO_ADDR"]
    assert from_environment(environ).address == "http://v"


def test_an_empty_variable_counts_as_unset() -> None:
    assert variable({"STRONGROOM_TOKEN": "", "VAULT_TOKEN": "t"}, "TOKEN") == "t"


def test_every_variable_arrives() -> None:
    settings = from_environment(
        {
            "VAULT_NAMESPACE": "team",
            "VAULT_WRAP_TTL": "5m",
            "VAULT_CLIENT_TIMEOUT": "1m30s",
            "VAULT_MAX_RETRIES": "0",
            "VAULT_DISABLE_REDIRECTS": "true",
            "VAULT_CACERT": "ca.pem",
            "VAULT_CAPATH": "certificates",
            "VAULT_CACERT_BYTES": "PEM",
            "VAULT_CLIENT_CERT": "c.pem",
            "VAULT_CLIENT_KEY": "k.pem",
            "VAULT_TLS_SERVER_NAME": "vault.test",
            "VAULT_SKIP_VERIFY": "1",
        }
    )
    assert (settings.namespace, settings.wrap_ttl, settings.timeout_seconds) == ("team", "5m", 90.0)
    assert (settings.max_retries, settings.follow_redirects) == (0, False)
    tls = settings.tls
    assert (tls.ca_cert, tls.ca_path, tls.ca_cert_bytes) == ("ca.pem", "certificates", "PEM")
    assert (tls.client_cert, tls.client_key, tls.server_name, tls.skip_verify) == ("c.pem", "k.pem", "vault.test", True)


@pytest.mark.parametrize("name", ["SKIP_VERIFY", "DISABLE_REDIRECTS", "CLIENT_TIMEOUT", "MAX_RETRIES"])
@pytest.mark.parametrize("value", ["CANARY", "-1", "²"])
def test_a_variable_that_makes_no_sense_is_named_and_not_repeated(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name) as caught:
        from_environment({f"VAULT_{name}": value})
    assert value not in str(caught.value)
