"""Values that need no name: their own form says what they are. Most only point at something; the judge tells which of them open it."""

from __future__ import annotations

from strongroom.scanner.expressions import CAPITALS, DIGITS, HEXADECIMAL
from strongroom.scanner.generic.candidates import generic
from strongroom.scanner.rule import Severity

_NO_MORE = r"(?:[^0-9A-Za-z]|\z)"
# A digit among the first five of 32: what was made by a machine, and not `aaaa…` or `deadbeef…`.
_MIXED_HEX = "|".join("[a-f]" * letters + f"[0-9][0-9a-f]{{{31 - letters}}}" for letters in range(5))
# The beginnings of PEM's "-----BEGIN … PRIVATE KEY" in base64.
_ARMOURED = "BQUklWQVRFIEtFWS|BSU0EgUFJJVkFURSBLRV|BFQyBQUklWQVRFIEtFWS|BFTkNSWVBURUQg|BPUEVOU1NIIFBSSVZBVEUgS0VZ|BEU0EgUFJJVkFURSBLRV"
# DER: SEQUENCE, its length, INTEGER 0, 1 or 3 (RSA, PKCS #8, PKCS #12; EC). And "Bag Attributes", which OpenSSL writes before keys.
_DER = "MII[A-Za-z0-9+/]{3}IBA|MH[A-Za-z0-9+/]CAQEE|MI[GH][A-Za-z0-9+/]AgE|QmFnIEF0dHJpYnV0ZX"

IDENTIFIER_RULES = (
    generic(
        "uuid",
        "UUID",
        r"(?:^|[^0-9A-Za-z_-])(?P<secret>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})(?:[^0-9A-Za-z_-]|\z)",
        (),
        (("id: {uuid}", '"{uuid}"'), ("{uuid}-1", "x-{uuid}")),
        reach=48,
        wide="-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-",
        ahead=13,
        part=DIGITS,
        severity=Severity.INFO,
    ),
    generic(
        "nkey-shape",
        "What looks like a seed of NATS",
        r"\b(?P<secret>S[ACNOUX][A-Z2-7]{56})" + _NO_MORE,
        (),
        (('seed = "SU{base32:56}"', "SA{base32:56}\n"), ("SU{base32:40} ", "UA{base32:56} ")),
        reach=64,
        wide="[A-Z2-7]{56}",
        ahead=1,
        part=CAPITALS,
        severity=Severity.HIGH,
    ),
    generic(
        "twilio-identifier",
        "Identifier of Twilio",
        r"\b(?P<secret>(?:AC|SK|CA|SM|MM|AP|PN|CN|SD|CL|RE|NO|TR|WF)(?:" + _MIXED_HEX + "))" + _NO_MORE,
        (),
        (('"account_sid": "AC0{hex:31}"', "SK1{hex:31}\n"), ('"AC1{hex:20}"', "XX1{hex:31}")),
        reach=40,
        wide="(?:AC|SK|CA|SM|MM|AP|PN|CN|SD|CL|RE|NO|TR|WF)[0-9a-f]{32}",
        ahead=1,
        part=HEXADECIMAL,
        severity=Severity.LOW,
    ),
    generic(
        "wechat-app",
        "Application of WeChat",
        r"\b(?P<secret>wx[0-9a-f]{16})" + _NO_MORE,
        ("wx",),
        (("appid = 'wx{hex:16}'", '"wx{hex:16}"'), ("wx{hex:12}", "wxWidgets")),
        reach=24,
        severity=Severity.LOW,
    ),
    generic(
        "firebase-host",
        "Database of Firebase",
        r"(?P<secret>[a-z0-9\-]{4,40}\.firebase(?:io|app)\.com)",
        ("firebase",),
        (("https://{lower:8}.firebaseio.com/v0", "{lower:8}-1.firebaseapp.com"), ("firebase.com", "firebaseio.com")),
        reach=64,
        severity=Severity.INFO,
    ),
    generic(
        "s3-bucket",
        "Bucket of S3",
        r"(?P<secret>[a-z0-9][a-z0-9.\-]{2,62}\.s3(?:[.\-][a-z0-9\-]{4,20})?\.amazonaws\.com(?:\.cn)?)",
        ("amazonaws",),
        (
            ("https://{lower:12}.s3.amazonaws.com/x", "{lower:12}.s3.eu-west-1.amazonaws.com"),
            ("https://s3.amazonaws.com", "ec2.amazonaws.com"),
        ),
        reach=128,
        severity=Severity.INFO,
    ),
    generic(
        "aws-key-id",
        "Access key id of AWS without its secret",
        r"\b(?P<secret>(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA)[A-Z0-9]{16})" + _NO_MORE,
        ("akia", "asia", "abia", "acca", "agpa", "aida", "aroa"),
        (("id: AKIA{BASE36:16}", '"ASIA{BASE36:16}"'), ("AKIA{BASE36:10}", "XKIA{BASE36:16}")),
        reach=24,
        severity=Severity.LOW,
    ),
    generic(
        "base32-word",
        "Word in base32",
        r"[\"'=: ](?P<secret>[A-Z2-7]{16}|[A-Z2-7]{32})(?:[\"'\s,&;|]|\z)",
        (),
        (('totp = "{base32:16}"', "seed: {base32:32}\n"), ('"{base32:17}"', '"{lower:16}"')),
        reach=40,
        wide=r"[A-Z2-7]{16}(?:[\"'\s,&;|]|\z)",
        part=CAPITALS,
    ),
    generic(
        "base64-private-key",
        "Private key in base64",
        rf"(?P<secret>(?:{_DER}|LS0tLS1CRUdJTi(?:{_ARMOURED}))[A-Za-z0-9+/\\nr]{{80,}}={{0,2}})(?:[^A-Za-z0-9+/\\=]|\z)",
        ("mii", "mh", "mig", "ls0tls1crudjti", "qmfnief0dhjpynv0zx"),
        (
            ('key = "MIIEvQIBADAN{base64:400}"', "tls.key: LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0t{base64:400}\n"),
            ('"MIIDBTCCAe2g{base64:400}"', '"MIIEvQIBADAN{base64:20}"'),
        ),
        reach=16 * 1024,
        severity=Severity.CRITICAL,
    ),
    generic(
        "jwk-member",
        "Private member of a JSON web key",
        r"\\?[\"'](?P<name>d|k|p|q|dp|dq|qi)\\?[\"']\s{0,4}:\s{0,4}\\?[\"'](?P<secret>[A-Za-z0-9_\-]{16,})\\?[\"']",
        (),
        (('"d": "{base64url:43}"', "'k':'{base64url:43}'"), ('"d": "monday"', '"x": "{base64url:43}"')),
        reach=760,
        severity=Severity.HIGH,
    ),
    generic(
        "password-hash",
        "Hash of a password",
        r"(?P<secret>\$(?:apr1|1|5|6|2[abxy]|y|argon2i?d?|scrypt|pbkdf2[\w\-]{0,10})\$[A-Za-z0-9./$=,+\-]{20,200})(?:[^A-Za-z0-9./$=,+\-]|\z)",
        ("$apr1$", "$1$", "$5$", "$6$", "$2a$", "$2b$", "$2x$", "$2y$", "$y$", "$argon2", "$scrypt$", "$pbkdf2"),
        (("root:$6${base62:16}${base62:86}:1", "admin:$2y$10${base62:53}\n"), ("costs $5", "$6${base62:10}")),
        reach=256,
        severity=Severity.LOW,
    ),
)
