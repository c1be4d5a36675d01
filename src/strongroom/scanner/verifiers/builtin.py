"""The providers that can be asked. The hosts in this table are the only ones that verification ever connects to."""

from __future__ import annotations

import json

from strongroom.scanner.verifiers.verifier import (
    State,
    Verifier,
    basic,
    by_status,
    forbidden_is_dead,
    forbidden_is_live,
    in_header,
)

_JSON = (("Content-Type", "application/json"),)
_SLACK_DEAD = frozenset({"invalid_auth", "token_revoked", "token_expired", "account_inactive", "not_authed"})


def _slack(status: int, body: bytes) -> State:
    """Slack answers 200 to everything, and says in the body what it means."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return State.UNKNOWN
    if status != 200 or not isinstance(answer, dict):
        return State.UNKNOWN
    if answer.get("ok") is True:
        return State.LIVE
    error = answer.get("error")
    return State.DEAD if isinstance(error, str) and error in _SLACK_DEAD else State.UNKNOWN


def _google(status: int, body: bytes) -> State:
    """A key that may not use this service is still a key."""
    if status == 400:
        return State.DEAD if b"API_KEY_INVALID" in body else State.UNKNOWN
    if status == 403:
        return State.LIVE if b"SERVICE_DISABLED" in body or b"API_KEY_SERVICE_BLOCKED" in body else State.UNKNOWN
    return by_status(status, body)


def _graphql(status: int, body: bytes) -> State:
    """An answer of 200 may carry an error instead of data."""
    if status == 200:
        return State.LIVE if b'"viewer"' in body and b'"errors"' not in body else State.UNKNOWN
    return by_status(status, body)


def _bad_request_is_dead(status: int, body: bytes) -> State:
    return State.DEAD if status == 400 else by_status(status, body)


VERIFIERS = (
    Verifier("airtable", "api.airtable.com", "/v0/meta/whoami"),
    Verifier(
        "anthropic",
        "api.anthropic.com",
        "/v1/models",
        in_header("x-api-key"),
        headers=(("anthropic-version", "2023-06-01"),),
    ),
    Verifier("asana", "app.asana.com", "/api/1.0/users/me"),
    Verifier("axiom", "api.axiom.co", "/v2/user", reads=forbidden_is_dead),
    Verifier("brevo", "api.brevo.com", "/v3/account", in_header("api-key")),
    Verifier("buildkite", "api.buildkite.com", "/v2/access-token"),
    Verifier("cerebras", "api.cerebras.ai", "/v1/models"),
    Verifier("circleci", "circleci.com", "/api/v2/me", in_header("Circle-Token")),
    Verifier("clickup", "api.clickup.com", "/api/v2/user", in_header("Authorization")),
    Verifier("cloudflare", "api.cloudflare.com", "/client/v4/user/tokens/verify", is_only_host=False),
    Verifier("cohere", "api.cohere.com", "/v1/models"),
    Verifier("contentful", "api.contentful.com", "/organizations"),
    Verifier(
        "datadog",
        "api.datadoghq.com",
        "/api/v1/validate",
        in_header("DD-API-KEY"),
        forbidden_is_dead,
        is_only_host=False,
    ),
    Verifier("deepgram", "api.deepgram.com", "/v1/projects", in_header("Authorization", "Token ")),
    Verifier("deepseek", "api.deepseek.com", "/models"),
    Verifier("digitalocean", "api.digitalocean.com", "/v2/account", reads=forbidden_is_live),
    Verifier("discord", "discord.com", "/api/v10/users/@me", in_header("Authorization", "Bot ")),
    Verifier("dnsimple", "api.dnsimple.com", "/v2/whoami"),
    Verifier("doppler", "api.doppler.com", "/v3/me"),
    Verifier("dropbox", "api.dropboxapi.com", "/2/users/get_current_account", method="POST"),
    Verifier("elevenlabs", "api.elevenlabs.io", "/v1/user", in_header("xi-api-key")),
    Verifier("facebook", "graph.facebook.com", "/me", reads=_bad_request_is_dead, is_only_host=False),
    Verifier("fastly", "api.fastly.com", "/tokens/self", in_header("Fastly-Key")),
    Verifier("figma", "api.figma.com", "/v1/me", in_header("X-Figma-Token"), forbidden_is_dead, is_only_host=False),
    Verifier(
        "github",
        "api.github.com",
        "/user",
        reads=forbidden_is_live,
        headers=(("Accept", "application/vnd.github+json"),),
    ),
    Verifier(
        "gitlab", "gitlab.com", "/api/v4/personal_access_tokens/self", in_header("PRIVATE-TOKEN"), is_only_host=False
    ),
    Verifier(
        "google-api-key", "generativelanguage.googleapis.com", "/v1beta/models", in_header("X-Goog-Api-Key"), _google
    ),
    Verifier("grafana-cloud", "grafana.com", "/api/v1/tokens", reads=forbidden_is_live),
    Verifier("groq", "api.groq.com", "/openai/v1/models"),
    Verifier("heroku", "api.heroku.com", "/account", headers=(("Accept", "application/vnd.heroku+json; version=3"),)),
    Verifier("hetzner", "api.hetzner.cloud", "/v1/locations"),
    Verifier("hubspot", "api.hubapi.com", "/account-info/v3/details", reads=forbidden_is_live),
    Verifier("huggingface", "huggingface.co", "/api/whoami-v2"),
    Verifier(
        "klaviyo",
        "a.klaviyo.com",
        "/api/accounts",
        in_header("Authorization", "Klaviyo-API-Key "),
        headers=(("revision", "2024-10-15"),),
    ),
    Verifier(
        "linear",
        "api.linear.app",
        "/graphql",
        in_header("Authorization"),
        _graphql,
        "POST",
        b'{"query":"{viewer{id}}"}',
        _JSON,
    ),
    Verifier("linode", "api.linode.com", "/v4/profile", reads=forbidden_is_live),
    Verifier("mailersend", "api.mailersend.com", "/v1/api-quota", reads=forbidden_is_live),
    Verifier("mailgun", "api.mailgun.net", "/v3/domains", basic("api"), is_only_host=False),
    Verifier("mistral", "api.mistral.ai", "/v1/models"),
    Verifier("neon", "console.neon.tech", "/api/v2/users/me"),
    Verifier("netlify", "api.netlify.com", "/api/v1/user"),
    Verifier("notion", "api.notion.com", "/v1/users/me", headers=(("Notion-Version", "2022-06-28"),)),
    Verifier("openai", "api.openai.com", "/v1/models", reads=forbidden_is_live),
    Verifier("openrouter", "openrouter.ai", "/api/v1/key"),
    Verifier("pinecone", "api.pinecone.io", "/indexes", in_header("Api-Key")),
    Verifier("postman", "api.getpostman.com", "/me", in_header("X-Api-Key")),
    Verifier("prefect", "api.prefect.cloud", "/api/me/"),
    Verifier("pulumi", "api.pulumi.com", "/api/user", in_header("Authorization", "token ")),
    Verifier("render", "api.render.com", "/v1/owners"),
    Verifier("replicate", "api.replicate.com", "/v1/account"),
    Verifier("resend", "api.resend.com", "/domains", reads=_bad_request_is_dead, is_only_host=False),
    Verifier("sendgrid", "api.sendgrid.com", "/v3/scopes", reads=forbidden_is_live),
    Verifier("sentry", "sentry.io", "/api/0/", reads=forbidden_is_live, is_only_host=False),
    Verifier("shippo", "api.goshippo.com", "/addresses?results=1", in_header("Authorization", "ShippoToken ")),
    Verifier("slack", "slack.com", "/api/auth.test", reads=_slack),
    Verifier(
        "snyk", "api.snyk.io", "/rest/self?version=2024-10-15", in_header("Authorization", "token "), is_only_host=False
    ),
    Verifier("square", "connect.squareup.com", "/v2/merchants/me", is_only_host=False),
    Verifier("stripe", "api.stripe.com", "/v1/balance", reads=forbidden_is_live),
    Verifier("supabase", "api.supabase.com", "/v1/organizations"),
    Verifier("tailscale", "api.tailscale.com", "/api/v2/tailnet/-/keys", reads=forbidden_is_live, is_only_host=False),
    Verifier("terraform-cloud", "app.terraform.io", "/api/v2/account/details", is_only_host=False),
    Verifier("todoist", "api.todoist.com", "/api/v1/user"),
    Verifier("together", "api.together.xyz", "/v1/models"),
    Verifier("typeform", "api.typeform.com", "/me", reads=forbidden_is_live),
    Verifier("vercel", "api.vercel.com", "/v2/user", reads=forbidden_is_dead),
    Verifier("vultr", "api.vultr.com", "/v2/account"),
    Verifier("xai", "api.x.ai", "/v1/api-key", reads=_bad_request_is_dead),
)
"""Every verifier, by name."""

BY_NAME = {verifier.name: verifier for verifier in VERIFIERS}
HOSTS = frozenset(verifier.host for verifier in VERIFIERS)
