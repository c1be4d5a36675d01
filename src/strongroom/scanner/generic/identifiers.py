"""Values that need no name: their own form says what they are."""

from __future__ import annotations

from strongroom.scanner.generic.assignments import generic

IDENTIFIER_RULES = (
    generic(
        "uuid",
        "A UUID",
        r"(?:^|[^0-9A-Za-z_-])(?P<secret>[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})(?:[^0-9A-Za-z_-]|\z)",
        (),
        64,
    ),
    generic("nkey-seed", "A seed of NATS", r"\b(?P<secret>S[ACNOUX][A-Z2-7]{56})(?:[^A-Z0-9a-z]|\z)", ("s",), 64),
    generic(
        "twilio-identifier", "An identifier of Twilio", r"\b(?P<secret>(?:AC|SK|CA|SM|MM|AP|PN|CN|SD|CL|RE|NO|TR|WF)(?:[0-9][0-9a-f]{31}|[a-f][0-9][0-9a-f]{30}|[a-f]{2}[0-9][0-9a-f]{29}|[a-f]{3}[0-9][0-9a-f]{28}|[a-f]{4}[0-9][0-9a-f]{27}))(?:[^0-9A-Za-z]|\z)", (), 48
    ),
    generic("wechat-app", "An application of WeChat", r"\b(?P<secret>wx[0-9a-f]{16})(?:[^0-9A-Za-z]|\z)", ("wx",), 32),
    generic(
        "firebase-host", "A database of Firebase", r"(?P<secret>[a-z0-9\-]{4,40}\.firebase(?:io|app)\.com)", ("firebase",), 64
    ),
    generic(
        "s3-bucket",
        "A bucket of S3",
        r"(?P<secret>[a-z0-9][a-z0-9.\-]{2,62}\.s3(?:[.\-][a-z0-9\-]{4,20})?\.amazonaws\.com(?:\.cn)?)",
        ("amazonaws",),
        128,
    ),
    generic("aws-access-key-id", "An access key id of AWS", r"\b(?P<secret>(?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AROA)[A-Z0-9]{16})(?:[^A-Z0-9a-z]|\z)", ("a",), 32),
    generic(
        "otp-secret",
        "A secret of one-time passwords",
        r"(?i:(?P<name>otpauth://[^\s\"'`<>]{1,150}?secret)=)(?P<secret>[A-Z2-7a-z=]{8,128})(?:[^A-Z2-7a-z=]|\z)",
        ("otpauth",),
    ),
    generic("base32-word", "A word in base32", r"[\"'=: ](?P<secret>[A-Z2-7]{16}|[A-Z2-7]{32})(?:[\"'\s,&;|]|\z)", (), 48),
    generic(
        "base64-private-key",
        "A private key in base64",
        r"(?P<secret>(?:MII[A-Za-z0-9+/]{3}IBA|MH[A-Za-z0-9+/]CAQEE|MI[GH][A-Za-z0-9+/]AgE|QmFnIEF0dHJpYnV0ZX|LS0tLS1CRUdJTi(?:BQUklWQVRFIEtFWS|BSU0EgUFJJVkFURSBLRV|BFQyBQUklWQVRFIEtFWS|BFTkNSWVBURUQg|BPUEVOU1NIIFBSSVZBVEUgS0VZ|BEU0EgUFJJVkFURSBLRV))[A-Za-z0-9+/\\nr]{80,}={0,2})(?:[^A-Za-z0-9+/\\=]|\z)",
        ("mii", "mh", "mi", "ls0t", "qmfn"),
        9000,
    ),
    generic(
        "jwk-member",
        "A private member of a JSON web key",
        r"\\?[\"'](?P<name>d|k|p|q|dp|dq|qi)\\?[\"']\s{0,4}:\s{0,4}\\?[\"'](?P<secret>[A-Za-z0-9_\-]{16,700})\\?[\"']",
        ("d", "k", "p", "q"),
        800,
    ),
    generic(
        "password-hash",
        "A hash of a password",
        r"(?P<secret>\$(?:apr1|1|5|6|2[abxy]|y|argon2i?d?|scrypt|pbkdf2[\w\-]{0,10})\$[A-Za-z0-9./$=,+\-]{20,200})(?:[^A-Za-z0-9./$=,+\-]|\z)",
        ("$",),
    ),
)
