"""Rules for keys and tokens of no known provider, where both the name and the form of the value leave no doubt.

What leaves room for doubt is left to the generic rules and their judge.
"""

from __future__ import annotations

from strongroom.scanner.rule import Rule
from strongroom.scanner.rules.plausible import key_or_token
from strongroom.scanner.rules.shapes import ANY_UUID, assigned

_REVOKE = "Find who issued it, from the names around it, and revoke it there."
_VALUE = r"[0-9A-Za-z_.~+/-]{16,160}={0,2}"

RULES = (
    Rule(
        id="access-token-assignment",
        title="Token assigned to a name that says so",
        keywords=("token",),
        pattern=assigned(
            r"(?:access|refresh|auth|oauth|bearer|session|api|private|user|bot|deploy|admin|secret|push|id)[_.-]?token",
            _VALUE,
        ),
        entropy=3.2,
        plausible=key_or_token,
        revoke=_REVOKE,
        finds=('"access_token": "{base62:40}"', "auth_token={hex:48}"),
        ignores=(
            "access_token={base62:10}",
            "access_token = response.json()",
            "refresh_token: your_refresh_token_here",
            "token={hex:40}",
        ),
    ),
    Rule(
        id="api-key-assignment",
        title="API key assigned to a name that says so",
        keywords=("key",),
        pattern=assigned(
            r"(?:api|app|access|auth|consumer|secret|private|subscription|encryption|master|service|admin)[_.-]?key",
            _VALUE,
        ),
        entropy=3.2,
        plausible=key_or_token,
        revoke=_REVOKE,
        finds=('api_key = "{base62:32}"', "x-api-key: {hex:40}"),
        ignores=("api_key = {base62:8}", "api_key = settings.API_KEY", "cache_key = {hex:40}"),
    ),
    Rule(
        id="client-secret-assignment",
        title="Client secret assigned to a name that says so",
        keywords=("secret",),
        pattern=assigned(r"(?:client|app|api|consumer|shared|signing|webhook|token|oauth)[_.-]?secret", _VALUE),
        entropy=3.2,
        plausible=key_or_token,
        revoke=_REVOKE,
        finds=("client_secret={base62:32}", "appSecret: '{hex:32}'"),
        ignores=("client_secret=changeme", "client_secret: process.env.CLIENT_SECRET", "secret={hex:40}"),
    ),
    Rule(
        id="long-secret-assignment",
        title="Long random value assigned to a name that ends in token or secret",
        keywords=("token", "secret"),
        pattern=assigned("token|secret", r"[0-9A-Za-z_+/.~-]{28,200}={0,2}"),
        entropy=3.4,
        plausible=key_or_token,
        revoke=_REVOKE,
        finds=("plugin_token: '{base62:60}'", "hmac_secret = {hex:64}"),
        ignores=(
            "token = {base62:12}",
            "secretName: production-database-credentials",
            "token: config.token_for_the_user",
        ),
    ),
    Rule(
        id="uuid-secret-assignment",
        title="UUID assigned to a name that says secret",
        keywords=("key", "token", "secret"),
        pattern=assigned(r"(?:api|access|auth|client|app|secret|private|session)[_.-]?(?:key|token|secret)", ANY_UUID),
        entropy=3.0,
        revoke=_REVOKE,
        finds=("API_KEY={uuid}", '"client_secret": "{uuid}"'),
        ignores=('"id": "{uuid}"', "api_key: {hex:32}", "key={uuid}"),
    ),
)
