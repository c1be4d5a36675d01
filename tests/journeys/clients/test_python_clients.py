"""A service in Python logs in, reads, writes, sees what it may not, renews its token and revokes it: with hvac, and with our client."""

from __future__ import annotations

import hvac  # type: ignore[import-untyped]  # it has no types
import hvac.exceptions  # type: ignore[import-untyped]  # it has no types
import pytest
from tests.journeys.clients.conftest import PASSWORD, Service

from strongroom.client.client import Client
from strongroom.client.errors import ApiError
from strongroom.client.settings import Settings, Tls
from strongroom.logical.secret import Secret

pytestmark = pytest.mark.xdist_group("clients")


def test_a_service_with_hvac(service: Service) -> None:
    client = hvac.Client(url=service.server.address, verify=str(service.server.ca_file))
    login = client.auth.approle.login(role_id=service.role_id, secret_id=service.secret_id())
    assert client.is_authenticated()
    secrets = client.secrets.kv.v2
    made = secrets.create_or_update_secret(path="team/hvac", secret={"password": PASSWORD}, cas=0)
    assert made["data"]["version"] == 1
    assert secrets.read_secret_version(path="team/hvac", raise_on_deleted_version=True)["data"]["data"] == {
        "password": PASSWORD
    }
    assert "hvac" in secrets.list_secrets(path="team")["data"]["keys"]
    with pytest.raises(hvac.exceptions.Forbidden):
        secrets.read_secret_version(path="closed", raise_on_deleted_version=True)
    with pytest.raises(hvac.exceptions.InvalidRequest):
        secrets.create_or_update_secret(path="team/hvac", secret={"password": "another"}, cas=0)
    with pytest.raises(hvac.exceptions.InvalidPath):
        secrets.read_secret_version(path="team/nothing", raise_on_deleted_version=True)
    renewed = client.auth.token.renew_self(increment="20m")
    assert 600 < renewed["auth"]["lease_duration"] <= 1200
    client.auth.token.revoke_self()
    assert not client.is_authenticated()
    assert service.is_revoked(login["auth"]["accessor"])


def test_a_service_with_our_client(service: Service) -> None:
    settings = Settings(address=service.server.address, tls=Tls(ca_cert=str(service.server.ca_file)), max_retries=0)
    with Client(settings) as stranger:
        body = {"role_id": service.role_id, "secret_id": service.secret_id()}
        auth = (stranger.write("auth/approle/login", body) or {})["auth"]
    with Client(settings._replace(token=Secret(auth["client_token"]))) as client:
        client.write("secret/data/team/ours", {"data": {"password": PASSWORD}, "options": {"cas": 0}})
        assert (client.read("secret/data/team/ours") or {})["data"]["data"] == {"password": PASSWORD}
        assert "ours" in (client.list("secret/metadata/team") or {})["data"]["keys"]
        assert client.read("secret/data/team/nothing") is None
        with pytest.raises(ApiError) as denied:
            client.read("secret/data/closed")
        assert denied.value.status == 403
        assert (
            600 < (client.write("auth/token/renew-self", {"increment": "20m"}) or {})["auth"]["lease_duration"] <= 1200
        )
        client.write("auth/token/revoke-self")
        with pytest.raises(ApiError):
            client.read("auth/token/lookup-self")
    assert service.is_revoked(auth["accessor"])
