"""Checks of listeners: TLS, certificates, and what is answered without a token."""

from __future__ import annotations

from pathlib import Path

from cryptography import x509

from strongroom.http.tls import TlsVersion
from strongroom.server.config_blocks import is_loopback
from strongroom.server.config_values import TcpListener, UnixListener
from strongroom.server.doctor.check import Check, Scene, Verdict, fail, ok, skipped, warn, worst

_DAY_NS = 86_400 * 10**9
_DAYS_LEAST = 30
_NO_TCP = skipped("there is no TCP listener")


def _tls(scene: Scene) -> Verdict:
    verdicts = []
    for listener in _tcp(scene):
        if listener.tls is not None:
            verdicts.append(ok("every listener that others can reach speaks TLS"))
        elif is_loopback(listener.address.host):
            verdicts.append(warn(f"{_named(listener)} speaks plain HTTP to programs on this machine"))
        else:
            verdicts.append(fail(f"{_named(listener)} speaks plain HTTP over the network"))
    return worst(verdicts, otherwise=_NO_TCP)


def _tls_version(scene: Scene) -> Verdict:
    listeners = [listener for listener in _tcp(scene) if listener.tls is not None]
    return worst(
        (
            ok("TLS 1.3 alone")
            if listener.tls is not None and listener.tls.min_version is TlsVersion.TLS_1_3
            else warn(f"{_named(listener)} accepts TLS 1.2 too")
            for listener in listeners
        ),
        otherwise=_NO_TCP,
    )


def _certificates(scene: Scene) -> Verdict:
    files = dict.fromkeys(listener.tls.certificate_file for listener in _tcp(scene) if listener.tls is not None)
    return worst((_certificate(file, scene.clock.now_ns()) for file in files), otherwise=skipped("there is none"))


def _certificate(file: str, now_ns: int) -> Verdict:
    try:
        chain = x509.load_pem_x509_certificates(Path(file).read_bytes())
    except ValueError:
        return fail(f"{file} holds no certificate")
    starts_ns = max(int(one.not_valid_before_utc.timestamp()) * 10**9 for one in chain)
    ends_ns = min(int(one.not_valid_after_utc.timestamp()) * 10**9 for one in chain)
    days = (ends_ns - now_ns) // _DAY_NS
    if ends_ns <= now_ns:
        return fail(f"{file} has expired")
    if starts_ns > now_ns:
        return fail(f"{file} is not valid yet")
    text = f"{file} is valid for {days} more days"
    return warn(text) if days < _DAYS_LEAST else ok(text)


def _api_address(scene: Scene) -> Verdict:
    address = scene.config.api_addr
    if not address:
        return warn("api_addr is not set, so the server tells clients the address it listens on")
    return ok("it is set") if address.startswith("https://") else warn("api_addr is not an https:// address")


def _unauthenticated(scene: Scene) -> Verdict:
    verdicts = []
    for listener in scene.config.listeners:
        rules = listener.rules
        if not rules.disable_unauthed_rekey_endpoints:
            verdicts.append(fail(f"{_named(listener)} answers sys/rekey without a token"))
        if not rules.disable_unauthed_generate_root_endpoints:
            verdicts.append(fail(f"{_named(listener)} answers sys/generate-root without a token"))
        if rules.unauthenticated_metrics_access:
            verdicts.append(warn(f"{_named(listener)} answers sys/metrics without a token"))
    return worst(verdicts, otherwise=ok("only what has to be: health, seal status, unsealing and logins"))


def _tcp(scene: Scene) -> list[TcpListener]:
    return [listener for listener in scene.config.listeners if isinstance(listener, TcpListener)]


def _named(listener: TcpListener | UnixListener) -> str:
    if isinstance(listener, UnixListener):
        return f"the listener at {listener.path}"
    host = f"[{listener.address.host}]" if ":" in listener.address.host else listener.address.host
    return f"the listener at {host}:{listener.address.port}"


CHECKS = (
    Check(
        "tls",
        "Every listener that others can reach speaks TLS",
        "Whoever sees the network sees every secret that is read, and every token.",
        "Name a certificate in `tls_cert_file` and `tls_key_file`, and remove `tls_disable`.",
        _tls,
    ),
    Check(
        "tls-version",
        "TLS 1.3 alone is spoken",
        "TLS 1.2 is not broken as it is used here, but 1.3 hides more of the handshake and resists recording for later.",
        'Set `tls_min_version = "tls13"` once no old client is left.',
        _tls_version,
    ),
    Check(
        "certificates",
        "Certificates are valid for 30 days at least",
        "When one expires, no client can have a secret any more.",
        "Renew it, put it in the place of the old one, and send the server a SIGHUP.",
        _certificates,
    ),
    Check(
        "api-address",
        "Clients are told where the server is",
        "Without it they may be sent to an address that they cannot reach or whose certificate does not fit.",
        "Set `api_addr` to the https:// address that clients use.",
        _api_address,
    ),
    Check(
        "unauthenticated",
        "Nothing is answered without a token that need not be",
        "Anybody could begin or cancel a rekeying, or watch how much is asked.",
        "Remove `disable_unauthed_…_endpoints = false` and `unauthenticated_metrics_access` from the listeners.",
        _unauthenticated,
    ),
)
