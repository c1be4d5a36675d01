"""Our agent works against the real OpenBao: with methods that our server does not have yet, and with leases of its engines."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from tests.agent.test_login import Agent as LoggingIn
from tests.agent.test_login import sink
from tests.agent.test_rendering import Agent as Rendering
from tests.agent.test_rendering import template
from tests.agent.workshop import READER, Approle, Server
from tests.compat.identities import Issuer, client_certificate, kubernetes, service_account_claims

from strongroom.client.settings import Settings, Tls
from tools.servers import openbao_in_memory, serving

pytestmark = [pytest.mark.compat, pytest.mark.xdist_group("journey")]


@pytest.fixture(scope="module")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(openbao_in_memory(), tmp_path_factory.mktemp("openbao")) as running:
        running.initialize()
        server = Server(running.address, running.token, Settings(tls=Tls(ca_cert=str(running.certificate))))
        server.write("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, method="POST")
        server.write("sys/policies/acl/agent-reader", {"policy": READER})
        yield server


@pytest.fixture
def server(openbao: Server) -> Iterator[Server]:
    with contextlib.ExitStack() as stack:
        yield dataclasses.replace(openbao, stack=stack)


def test_approle_logs_in_renews_and_logs_in_again(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = LoggingIn(server, role.method(), sink(tmp_path / "token"))
    due = agent.step()
    first = agent.token
    assert (tmp_path / "token").read_text() == first
    agent.clock.jump(due)
    agent.step()
    assert "the token was renewed" in agent.said
    server.write("auth/token/revoke", {"token": first})
    agent.context.tokens.doubt(first)
    agent.clock.jump(10)
    agent.step()
    assert agent.token != first
    assert server.lives(agent.token)


def test_approle_with_a_wrapped_secret_id(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    role.give_secret_id(wrap_ttl="60s")
    where = f'secret_id_response_wrapping_path = "auth/approle/role/{role.name}/secret-id"'
    agent = LoggingIn(server, role.method(where))
    agent.step()
    assert server.lives(agent.token)


def test_a_token_for_a_sink_is_wrapped(server: Server, tmp_path: Path) -> None:
    role = Approle.made(server, tmp_path)
    agent = LoggingIn(server, role.method(), sink(tmp_path / "token", outer='wrap_ttl = "60s"'))
    agent.step()
    assert agent.done == ["sinks"]
    assert agent.token not in (tmp_path / "token").read_text()


def test_jwt_logs_in_with_a_signed_token(server: Server, tmp_path: Path) -> None:
    issuer = Issuer()
    server.enable("auth/jwt", "jwt")
    server.write("auth/jwt/config", {"jwt_validation_pubkeys": [issuer.public_key], "bound_issuer": "us"})
    role = {"role_type": "jwt", "user_claim": "sub", "bound_audiences": ["vault"], "bound_subject": "app"}
    server.write("auth/jwt/role/app", {**role, "token_policies": ["agent-reader"], "token_ttl": "300s"})
    (tmp_path / "jwt").write_text(issuer.token(iss="us", aud="vault", sub="app"))
    agent = LoggingIn(server, f'method "jwt" {{ config {{ path = "{tmp_path}/jwt" role = "app" }} }}')
    agent.step()
    assert server.lives(agent.token)
    assert not (tmp_path / "jwt").exists()

    (tmp_path / "jwt").write_text(issuer.token(iss="us", aud="vault", sub="somebody-else"))
    other = LoggingIn(server, f'method "jwt" {{ config {{ path = "{tmp_path}/jwt" role = "app" }} }}')
    other.step()
    assert other.context.tokens.current() is None
    assert "the server answered 4" in other.said


def test_kubernetes_logs_in_with_the_token_of_a_service_account(server: Server, tmp_path: Path) -> None:
    with kubernetes("web", "app") as api:
        server.enable("auth/kubernetes", "kubernetes")
        own = {"kubernetes_ca_cert": Path(server.settings.tls.ca_cert).read_text(), "disable_local_ca_jwt": True}
        server.write("auth/kubernetes/config", {"kubernetes_host": api, "token_reviewer_jwt": Issuer().token(), **own})
        bound = {"bound_service_account_names": ["app"], "bound_service_account_namespaces": ["web"]}
        server.write("auth/kubernetes/role/app", {**bound, "token_policies": ["agent-reader"], "token_ttl": "300s"})
        # As Kubernetes mounts it: a link to a link to the file, which stays.
        (tmp_path / "..data").mkdir()
        (tmp_path / "..data" / "token").write_text(Issuer().token(**service_account_claims("web", "app")))
        (tmp_path / "token").symlink_to("..data/token")
        agent = LoggingIn(
            server, f'method "kubernetes" {{ config {{ role = "app" token_path = "{tmp_path}/token" }} }}'
        )
        agent.step()
        assert server.lives(agent.token)
        assert (tmp_path / "token").exists()


def test_cert_logs_in_with_the_certificate_of_the_connection(server: Server, tmp_path: Path) -> None:
    certificate, key = client_certificate(tmp_path, "app.example")
    server.enable("auth/cert", "cert")
    server.write(
        "auth/cert/certs/app",
        {"certificate": certificate.read_text(), "token_policies": ["agent-reader"], "token_ttl": "300s"},
    )
    own = f'name = "app" client_cert = "{certificate}" client_key = "{key}"'
    agent = LoggingIn(server, f'method "cert" {{ config {{ {own} }} }}')
    agent.step()
    assert server.lives(agent.token)

    stranger, strange_key = client_certificate(tmp_path, "stranger.example")
    own = f'name = "app" client_cert = "{stranger}" client_key = "{strange_key}"'
    other = LoggingIn(server, f'method "cert" {{ config {{ {own} }} }}')
    other.step()
    assert other.context.tokens.current() is None


def certificates(server: Server, **role: object) -> None:
    """An authority that issues for example.org."""
    server.enable("mounts/pki", "pki")
    server.write("pki/root/generate/internal", {"common_name": "Test CA", "ttl": "24h"})
    server.write(
        "pki/roles/web",
        {"allowed_domains": ["example.org"], "allow_subdomains": True, "key_type": "ec", "key_bits": 256, **role},
    )


def test_a_leased_certificate_is_replaced_before_its_lease_ends(server: Server, tmp_path: Path) -> None:
    certificates(server, generate_lease=True)
    source = '{{ with secret "pki/issue/web" "common_name=a.example.org" "ttl=10m" }}{{ .Data.certificate }}{{ end }}'
    agent = Rendering(server, template(tmp_path / "cert.pem", source))
    due = agent.step()
    assert due is not None
    assert 480 < due <= 540
    first = (tmp_path / "cert.pem").read_text()
    agent.later(due)
    assert (tmp_path / "cert.pem").read_text() != first


def test_a_certificate_without_a_lease_is_replaced_late_in_its_life(server: Server, tmp_path: Path) -> None:
    certificates(server, generate_lease=False)
    source = '{{ with pkiCert "pki/issue/web" "common_name=a.example.org" "ttl=10m" }}{{ .Key }}{{ .Cert }}{{ .CA }}{{ end }}'
    agent = Rendering(server, template(tmp_path / "cert.pem", source))
    # The certificate's end is a time of day, so the agent's clock must have the right one.
    agent.clock.jump(dt.datetime.now(dt.UTC).timestamp() - agent.clock.now_ns() / 1e9)
    due = agent.step()
    assert due is not None
    assert 470 < due <= 540
    content = (tmp_path / "cert.pem").read_bytes()
    assert b"PRIVATE KEY" in content
    assert len(x509.load_pem_x509_certificates(content)) == 2


def test_secrets_of_a_store_without_versions_are_rendered_and_followed(server: Server, tmp_path: Path) -> None:
    server.enable("mounts/plain", "kv")
    server.write("plain/app", {"password": "first"})
    agent = Rendering(server, template(tmp_path / "out", '{{ with secret "plain/app" }}{{ .Data.password }}{{ end }}'))
    agent.step()
    server.write("plain/app", {"password": "second"})
    agent.later()
    assert (tmp_path / "out").read_text() == "second"


def test_a_secret_with_versions_is_rendered_and_followed(server: Server, tmp_path: Path) -> None:
    server.put("app", password="first")
    agent = Rendering(
        server, template(tmp_path / "out", '{{ with secret "secret/app" }}{{ .Data.data.password }}{{ end }}')
    )
    agent.step()
    server.put("app", password="second")
    agent.later()
    assert (tmp_path / "out").read_text() == "second"
