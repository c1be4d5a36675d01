"""Rules for keys that belong to no provider: private keys in their file formats, JSON web tokens, seeds and one-time password secrets."""

from __future__ import annotations

from strongroom.scanner.rule import Rule, Severity
from strongroom.scanner.rules.checksums import age_key, base58_checked, json_web_token, nkey, strongroom_token
from strongroom.scanner.rules.plausible import drawn_at_random
from strongroom.scanner.rules.shapes import assigned, base64_token, token, url_token

_REPLACE = "Make a new key pair, replace the public key wherever it is trusted, and revoke the certificates over it."
_BODY = r"""[0-9A-Za-z+/=\s\\"',:;.()-]"""
_PEM_REACH = 16 * 1024

RULES = (
    Rule(
        id="pem-private-key",
        title="Private key (PEM)",
        provider="PEM",
        severity=Severity.CRITICAL,
        keywords=("private key-----",),
        pattern=r"(?P<secret>-----BEGIN (?:RSA |DSA |EC |ENCRYPTED |OPENSSH |ANY |ED25519 |ECDSA |)PRIVATE KEY-----"
        + _BODY
        + "{60,}"
        + r"-----END (?:RSA |DSA |EC |ENCRYPTED |OPENSSH |ANY |ED25519 |ECDSA |)PRIVATE KEY-----)",
        reach=_PEM_REACH,
        entropy=4.0,
        revoke=_REPLACE,
        finds=(
            "-----BEGIN RSA PRIVATE KEY-----\n{pem:600}\n-----END RSA PRIVATE KEY-----\n",
            "-----BEGIN PRIVATE KEY-----\n{pem:140}\n-----END PRIVATE KEY-----",
            '"-----BEGIN OPENSSH PRIVATE KEY-----\\n{base64:200}\\n-----END OPENSSH PRIVATE KEY-----\\n"',
        ),
        ignores=(
            "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN PUBLIC KEY-----\n{pem:300}\n-----END PUBLIC KEY-----",
            'text.startswith("-----BEGIN PRIVATE KEY-----")',
        ),
    ),
    Rule(
        id="pgp-private-key",
        title="OpenPGP private key block",
        provider="OpenPGP",
        severity=Severity.CRITICAL,
        keywords=("pgp private key block-----",),
        pattern=r"(?P<secret>-----BEGIN PGP PRIVATE KEY BLOCK-----"
        r"[^-]{60,}"
        "-----END PGP PRIVATE KEY BLOCK-----)",
        reach=_PEM_REACH,
        entropy=4.0,
        revoke="Publish the key's revocation certificate, and make a new key.",
        finds=(
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{pem:900}\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: x\n\n{pem:400}\n-----END PGP PRIVATE KEY BLOCK-----",
        ),
        ignores=(
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n{pem:900}\n-----END PGP PUBLIC KEY BLOCK-----",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\n-----END PGP PRIVATE KEY BLOCK-----",
        ),
    ),
    Rule(
        id="ssh2-private-key",
        title="Private key in the form of SSH Communications Security",
        provider="SSH",
        severity=Severity.CRITICAL,
        keywords=("---- begin ssh2 encrypted private key ----",),
        pattern="(?P<secret>---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"
        "[^-]{60,}"
        "---- END SSH2 ENCRYPTED PRIVATE KEY ----)",
        reach=_PEM_REACH,
        entropy=4.0,
        revoke="Remove its public key from every authorized_keys, and make a new key pair.",
        finds=(
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n{pem:300}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: a\n{pem:400}\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
        ),
        ignores=(
            "---- BEGIN SSH2 PUBLIC KEY ----\n{pem:300}\n---- END SSH2 PUBLIC KEY ----",
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n---- END SSH2 ENCRYPTED PRIVATE KEY ----",
        ),
    ),
    Rule(
        id="putty-private-key",
        title="PuTTY private key",
        provider="PuTTY",
        severity=Severity.CRITICAL,
        keywords=("putty-user-key-file-",),
        pattern=r"PuTTY-User-Key-File-[123]: [^\r\n]{3,40}[\s\S]{1,}?Private-Lines: [0-9]{1,3}\r?\n(?P<secret>"
        r"[0-9A-Za-z+/=\s]{40,}"
        ")Private-(?:MAC|Hash)",
        reach=_PEM_REACH,
        entropy=4.0,
        revoke="Remove its public key from every authorized_keys, and make a new key pair.",
        finds=(
            "PuTTY-User-Key-File-3: ssh-ed25519\nComment: a\nPublic-Lines: 1\n{base64:64}\nPrivate-Lines: 1\n{base64:64}\nPrivate-MAC: {hex:64}",
            "PuTTY-User-Key-File-2: ssh-rsa\nComment: b\nPublic-Lines: 1\n{base64:64}\nPrivate-Lines: 2\n{base64:64}\n{base64:64}\nPrivate-MAC: {hex:40}",
        ),
        ignores=(
            "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
            "Private-Lines: 1\n{base64:64}\nPrivate-MAC: {hex:64}",
        ),
    ),
    Rule(
        id="pem-private-key-in-base64",
        title="Private key (PEM) in base64",
        provider="PEM",
        severity=Severity.CRITICAL,
        keywords=("ls0tls1crudjtib", "ls0tls1crudjtia"),
        pattern=base64_token(
            "LS0tLS1CRUdJTi[AB][0-9A-Za-z+/]{0,48}(?:UFJJVkFURSBLRV|BSSVZBVEUgS0VZ|QUklWQVRFIEtFW)"
            "[0-9A-Za-z+/]{60,}"
            "={0,2}"
        ),
        reach=_PEM_REACH,
        entropy=4.0,
        revoke=_REPLACE,
        finds=(
            "key: LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo{base64:400}==",
            "LS0tLS1CRUdJTiBFQyBQUklWQVRFIEtFWS0tLS0tCk{base64:300}",
        ),
        ignores=("LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk{base64:400}", "LS0tLS1CRUdJTiBSU0EgUFJJVkFURSBLRVktLS0tLQo"),
    ),
    Rule(
        id="pkcs8-private-key-der",
        title="RSA private key (DER) in base64",
        provider="PKCS",
        severity=Severity.CRITICAL,
        keywords=("mii",),
        pattern=base64_token(
            "MII[BCEJ][0-9A-Za-z+/]{2}IBADANBgkqhkiG9w0BAQEFAASC" + "[0-9A-Za-z+/]{400,}" + "={0,2}"
            "|MII[BCEJ][0-9A-Za-z+/]{2}IBAA[JKLo]BgQ[0-9A-Za-z+/]" + "[0-9A-Za-z+/]{400,}" + "={0,2}"
            "|MIIE[0-9A-Za-z+/]{2}IBAAKCAQ[EA]" + "[0-9A-Za-z+/]{400,}" + "={0,2}"
        ),
        reach=4096,
        entropy=4.5,
        revoke=_REPLACE,
        finds=("der=MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{base64:1600}", "'MIIEowIBAAKCAQEA{base64:1580}=='"),
        ignores=("MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A{base64:360}", "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC{base64:40}"),
    ),
    Rule(
        id="json-web-token",
        title="JSON web token",
        provider="JWT",
        severity=Severity.MEDIUM,
        keywords=("eyj", "ewog", "eya"),
        pattern=url_token(
            r"(?:eyJ|eyA|ewog)[0-9A-Za-z_-]{8,600}={0,2}\.(?:eyJ|eyA|ewog|[0-9A-Za-z_-]{300})[0-9A-Za-z_-]{8,}={0,2}\.(?:[0-9A-Za-z_-]{16,800}={0,2}(?:\.[0-9A-Za-z_-]{16,900}\.[0-9A-Za-z_-]{16,64})?)"
        ),
        reach=6144,
        structure=json_web_token,
        revoke="Find who issued it (the `iss` claim) and end the session; rotate the signing key if the token does not expire.",
        finds=("Authorization: Bearer {jwt}", "token = '{jwt}'"),
        ignores=("eyJ{base64url:30}.eyJ{base64url:60}.{base64url:43}", "eyJhbGciOiJIUzI1NiJ9.eyJ"),
    ),
    Rule(
        id="json-web-key-private-member",
        title="Private member of a JSON web key",
        provider="JWK",
        severity=Severity.CRITICAL,
        keywords=('"d"', "'d'", '"k"', "'k'", '"d\\', '"k\\'),
        pattern=r"""(?:"[dk]"|'[dk]'|\\"[dk]\\")\s{0,8}:\s{0,8}\\?["'](?P<secret>[0-9A-Za-z_-]{42,800})={0,2}\\?["']""",
        reach=1024,
        entropy=4.5,
        revoke="Take the key out of the key set (JWKS), and sign with a new one.",
        finds=('"kty": "EC", "d": "{base64url:43}"', '{{"kty":"oct","k":"{base64url:86}"}}', '"d" : "{base64url:342}"'),
        ignores=('"n": "{base64url:342}"', '"d": "M10 20 L30 40"', '"k": "{hex:40}"'),
    ),
    Rule(
        id="nkey-seed",
        title="NKEY seed of NATS",
        provider="NATS",
        severity=Severity.CRITICAL,
        keywords=(),
        pattern=token("S[OACUNX][2-7A-Z]{56}"),
        checksum=nkey,
        revoke="NATS: revoke the user or account that the key signs for (nsc revocations), and make a new key.",
        finds=("seed: {nkey}", "-----BEGIN USER NKEY SEED-----\n{nkey}\n------END USER NKEY SEED------"),
        ignores=("SU{base32:56}", "SUA{base32:20}"),
    ),
    Rule(
        id="age-secret-key",
        title="age identity",
        provider="age",
        severity=Severity.CRITICAL,
        keywords=("age-secret-key-",),
        pattern=token("AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
        checksum=age_key,
        revoke="Encrypt all files for a new recipient; whoever has the old files and this key reads them.",
        finds=("{start}AGE-SECRET-KEY-1{BECH32:52}{bech32}", "# id\n{start}AGE-SECRET-KEY-1{BECH32:52}{bech32}\n"),
        ignores=("AGE-SECRET-KEY-1{BECH32:58}", "age1{bech32_letters:58}"),
    ),
    Rule(
        id="wireguard-private-key",
        title="WireGuard private key",
        provider="WireGuard",
        severity=Severity.HIGH,
        keywords=("privatekey", "presharedkey", "private_key", "preshared_key", "private-key", "preshared-key"),
        pattern=assigned("(?:private|preshared)[_-]?key", "[0-9A-Za-z+/]{42}[AEIMQUYcgkosw048]="),
        entropy=4.2,
        revoke="Make a new key pair (wg genkey), and replace the public key at every peer.",
        finds=("PrivateKey = {base64:42}w=", "PresharedKey = {base64:42}8="),
        ignores=("PublicKey = {base64:42}w=", "PrivateKey = {base64:20}="),
    ),
    Rule(
        id="minisign-secret-key",
        title="minisign or signify secret key",
        provider="minisign",
        severity=Severity.CRITICAL,
        keywords=("rwrty0iy", "rwrcsw", "rwqa"),
        pattern=base64_token("RW(?:RTY0Iy[0-9A-Za-z+/]{204}|RCSw[0-9A-Za-z+/]{134})={0,2}"),
        entropy=4.0,
        revoke="Make a new key pair, publish the new public key, and sign the releases anew.",
        finds=("untrusted comment: secret key\nRWRTY0Iy{base64:204}", "RWRCSw{base64:134}=="),
        ignores=("RWRTY0Iy{base64:40}", "RWQ{base64:53}"),
    ),
    Rule(
        id="otpauth-secret",
        title="Secret of a one-time password generator (otpauth URI)",
        provider="OATH",
        severity=Severity.HIGH,
        keywords=("otpauth://", "otpauth%3a%2f%2f"),
        pattern=r"otpauth(?:://|%3A%2F%2F)(?i:[th]otp)(?:/|%2F)[^\s\"'<>]{1,200}?(?i:secret(?:=|%3D))(?P<secret>[2-7A-Za-z]{16,128})(?:[^0-9A-Za-z]|$)",
        entropy=2.5,
        revoke="Enrol the second factor anew at the service that issued it.",
        finds=(
            "otpauth://totp/Acme:me?secret={base32:32}&issuer=Acme",
            "otpauth://hotp/x?issuer=a&secret={base32:16}&counter=0",
        ),
        ignores=("otpauth://totp/Acme:me?secret=", "otpauth://totp/x?issuer={base32:32}"),
    ),
    Rule(
        id="otp-secret",
        title="Secret of a one-time password generator",
        provider="OATH",
        severity=Severity.HIGH,
        keywords=("otp", "2fa", "mfa", "authenticator"),
        pattern=assigned(
            r"(?:[th]?otp|2fa|mfa|authenticator)[\w.-]{0,16}(?:secret|key|seed)",
            "[2-7A-Z]{16}|[2-7A-Z]{20}|[2-7A-Z]{26}|[2-7A-Z]{32}|[2-7A-Z]{52}",
        ),
        entropy=3.0,
        revoke="Enrol the second factor anew at the service that issued it.",
        finds=("TOTP_SECRET={base32:32}", 'mfa_seed: "{base32:16}"'),
        ignores=("TOTP_SECRET={base32:9}", "totp_digest = {base32:32}"),
    ),
    Rule(
        id="bitcoin-private-key",
        title="Bitcoin private key (WIF)",
        provider="Bitcoin",
        severity=Severity.CRITICAL,
        keywords=("wif", "bitcoin", "btc", "privkey", "priv_key", "privatekey", "private_key", "dumpprivkey"),
        pattern=assigned(
            "[a-z_]{0,12}wif|bitcoin|btc|priv(?:ate)?_?key",
            "5[HJK][1-9A-HJ-NP-Za-km-z]{49}|[KL][1-9A-HJ-NP-Za-km-z]{51}",
        ),
        checksum=base58_checked,
        revoke="Move what the key holds to a new address at once.",
        finds=("WIF={wif}", "bitcoin_key: '{wif}'"),
        ignores=("K{base58:51}", "WIF=5J{base58:20}"),
    ),
    Rule(
        id="bitcoin-extended-private-key",
        title="Extended private key (BIP 32)",
        provider="Bitcoin",
        severity=Severity.CRITICAL,
        keywords=("prv",),
        pattern=token("[xyztuv]prv[1-9A-HJ-NP-Za-km-z]{107,108}"),
        checksum=base58_checked,
        revoke="Move what its keys hold to addresses of a new seed at once.",
        finds=("{xprv}", "root: '{xprv}'"),
        ignores=("xprv{base58:107}", "xpub{base58:107}"),
    ),
    Rule(
        id="ethereum-private-key",
        title="Ethereum private key",
        provider="Ethereum",
        severity=Severity.CRITICAL,
        keywords=("private", "priv_key", "privkey"),
        pattern=assigned(
            r"(?:eth|wallet|deployer|account|owner|signer)[\w.-]{0,16}(?:private|priv)_?key|private_?key",
            "(?:0x)?[0-9a-f]{64}",
        ),
        entropy=3.2,
        plausible=drawn_at_random,
        revoke="Move what the account holds to a new account at once.",
        finds=("PRIVATE_KEY=0x{hex:64}", "deployer_private_key: '{hex:64}'"),
        ignores=("PRIVATE_KEY=0x{hex:40}", "tx = 0x{hex:64}"),
    ),
    Rule(
        id="strongroom-token",
        title="Strongroom token",
        provider="Strongroom",
        severity=Severity.CRITICAL,
        keywords=("srs.",),
        pattern=token(r"srs\.(?:[0-9A-Za-z]{40}|[0-9A-Za-z]{34}|[0-9A-Za-z]{24})"),
        checksum=strongroom_token,
        revoke="`strongroom token revoke` with the token, or with its accessor.",
        finds=(
            "VAULT_TOKEN={start}srs.{base62:34}{crc32_base62}",
            "VAULT_TOKEN={start}srs.{base62:28}{crc32_base62}",
            "X-Vault-Token: {start}srs.{base62:22}{crc32_base62_short}",
        ),
        ignores=("srs.{base62:40}", "srs.{base62:34}", "srs.{base62:12}"),
    ),
    Rule(
        id="strongroom-batch-token",
        title="Strongroom batch token",
        provider="Strongroom",
        severity=Severity.CRITICAL,
        keywords=("srb.",),
        pattern=url_token(r"srb\.[0-9A-Za-z_-]{60,900}"),
        reach=1024,
        entropy=4.0,
        revoke="A batch token cannot be revoked by itself: revoke its parent, or wait until it ends.",
        finds=("VAULT_TOKEN=srb.{base64url:140}", "srb.{base64url:90}"),
        ignores=("srb.{base64url:20}", "usrb.{base64url:90}"),
    ),
    Rule(
        id="vault-token",
        title="HashiCorp Vault or OpenBao token",
        provider="Vault",
        severity=Severity.CRITICAL,
        keywords=("hvs.", "hvb.", "hvr."),
        pattern=url_token(r"hv[sbr]\.[0-9A-Za-z_-]{24,400}"),
        entropy=3.5,
        revoke="`vault token revoke` with the token, or with its accessor.",
        finds=("VAULT_TOKEN=hvs.{base64url:95}", "X-Vault-Token: hvb.{base64url:140}", "hvs.{base62:24}"),
        ignores=("hvs.{base62:12}", "hvs.mount.path"),
    ),
    Rule(
        id="vault-legacy-token",
        title="HashiCorp Vault or OpenBao token of the older form",
        provider="Vault",
        severity=Severity.CRITICAL,
        keywords=("vault", "bao_"),
        pattern=assigned(r"(?:x-)?vault[\w.-]{0,12}token|bao_token", r"[sbr]\.[0-9A-Za-z]{24}"),
        entropy=3.5,
        plausible=drawn_at_random,
        revoke="`vault token revoke` with the token, or with its accessor.",
        finds=("VAULT_TOKEN=s.{base62:24}", "X-Vault-Token: s.{base62:24}"),
        ignores=("VAULT_TOKEN=s.{base62:12}", "vault s.{base62:24}"),
    ),
    Rule(
        id="vault-unseal-key",
        title="Unseal key share of Vault, OpenBao or Strongroom",
        provider="Vault",
        severity=Severity.CRITICAL,
        keywords=("unseal key", "unseal_key", "unsealkey"),
        pattern=r"(?P<name>(?i:unseal[ _]?key)(?:s?[ _]?[0-9]{0,2}))['\"]?[ \t]{0,8}[:=][ \t]{0,8}['\"]?(?P<secret>[0-9A-Za-z+/]{43,44}=?|[0-9a-f]{64,66})(?:[^0-9A-Za-z+/=]|$)",
        entropy=3.2,
        revoke="Rekey: `operator rekey` makes new shares, after which this one opens nothing.",
        finds=("Unseal Key 1: {base64:44}", "unseal_key: '{hex:64}'"),
        ignores=("Unseal Key 1: <hidden>", "Unseal Key 1: {base64:12}"),
    ),
)
