"""Each command beside OpenBao's own command line: the same exit code and the same output on the same server."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from tests.cli.conftest import BAO, CommandLine, environment

# What differs from call to call, or is only a name of a product.
_PASSING = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "UUID"),
    (r"\d{4}-\d\d-\d\d[T ][\d:.]+(?:Z| \+0000 UTC)", "TIME"),
    (r"\b(?:\w+\.)?[A-Za-z0-9]{24,}\b", "RANDOM"),
    (r"^(ttl +).*$", r"\1TTL"),
    (r'("ttl": ).*', r"\1TTL"),
    (r"^(Encryption Count +)\d+$", r"\1N"),
    (r'("encryptions": )\d+', r"\1N"),
    (r"\b(?:bao|strongroom) ", "PROGRAM "),
    # Vault's own command line shows it, OpenBao's does not.
    (r"^Build Date .*\n", ""),
)

READING = """
status
status -format=json
status -format=yaml
status -field=sealed
status extra
status -address=http://127.0.0.1:1
kv get -mount=secret app
kv get -mount=secret/ /app
kv get secret/app
kv get --format=json secret/app
kv get -format yaml secret/app
kv get -format=raw secret/app
kv get -format=pretty secret/app
kv get -format=xml secret/app
kv get -field=password secret/app
kv get -field password secret/app
kv get -field=ttl secret/app
kv get -field=data secret/app
kv get -field=nested -format=json secret/app
kv get -field=nested -format=yaml secret/app
kv get -field=nope secret/app
kv get -version=1 secret/app
kv get -version=99 secret/app
kv get -version=x secret/app
kv get -nope secret/app
kv get secret/none
kv get -format=json secret/none
kv get secret/deleted
kv get -format=json secret/deleted
kv get -field=a secret/deleted
kv get nomount/none
kv get
kv get a b
kv get -wrap-ttl=60 secret/app
kv get -wrap-ttl=60 -format=json secret/app
kv list secret
kv list -mount=secret
kv list -format=json secret
kv list -format=yaml secret
kv list secret/none
kv list -format=json secret/none
kv put secret/app
kv put secret/app nothing
kv put secret/app a=@no-such-file
kv put -cas=0 secret/app a=b
kv patch secret/app
kv patch secret/none a=b
kv undelete secret/app
kv destroy secret/app
kv rollback secret/app
kv rollback -version=99 secret/app
kv metadata get secret/app
kv metadata get -format=json secret/app
kv metadata get secret/none
kv nosub
kv
kv get one/app
kv get -format=json one/app
kv get -field=x one/app
kv get -version=2 one/none
kv list one
kv patch one/app x=2
kv metadata get one/app
kv rollback -version=2 one/app
kv undelete -versions=2 one/app
secrets list
secrets list -detailed
secrets list -format=json
secrets enable
secrets enable nosuch
secrets tune nomount
secrets move nomount other
auth list
auth list -detailed
auth list -format=json
auth enable nosuch
policy list
policy list -format=json
policy read default
policy read -format=json default
policy read nope
policy write p no-such-file
policy delete default
read secret/data/app
read -format=json secret/data/app
read -format=yaml secret/data/app
read secret/data/app version=1
read secret/app
read nosuch/x
read
list secret/metadata
list secret/none
list -format=json secret/none
list nosuch/x
delete nosuch/x
delete secret/none
write nosuch/x a=b
write nosuch/x
patch nosuch/x a=b
patch secret/data/app data=x
read sys/mounts/secret
path-help nosuch/x
login -format=json root
login -token-only root
login -field=token root
login -no-print root
login badtoken
login a b c
login -method=nope x=y
print token
token create -policy=default -ttl=1h
token create -policy=default -ttl=1h -format=json
token create -field=token_policies
token create -orphan -policy=default -metadata=a=b -format=json -period=1h -use-limit=3 -display-name=d
token create -role=nope
token create -wrap-ttl=60s
token create extra
token lookup
token lookup -format=json
token lookup bad
token renew
token capabilities secret/foo
token capabilities -format=json secret/foo
token revoke
token revoke -mode=orphan nope
token revoke -mode=nope nope
unwrap bad
lease lookup foo
lease renew foo
lease revoke foo
lease revoke -sync foo
lease revoke -prefix foo
lease revoke -force foo
audit enable
audit disable none
operator key-status
operator key-status -format=json
operator members
operator generate-root -status
operator generate-root -status -format=json
operator generate-root -cancel
operator generate-root -decode=Qh8LDSxDKzYKLQxxLFwjYSkNNQZHYBEYMhA -otp=11eUZ6RPHOf8i9v0JdOb50fzdJ
operator init -status
operator init -status -format=json
operator init
operator unseal abcd
operator unseal -format=json abcd
nosuch
"""


@pytest.fixture(scope="module")
def furnished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    theirs = CommandLine((BAO,), environment(request.getfixturevalue("server"), tmp_path_factory.mktemp("home")))
    content = {"password": "pw one", "ttl": 3600, "nested": {"a": [1, "x", None]}, "yes": True, "line": "a\nb", "n": 1}
    theirs.value("kv", "put", "secret/app", "-", stdin=json.dumps({"password": "old"}))
    theirs.value("kv", "put", "secret/app", "-", stdin=json.dumps(content))
    theirs.value("kv", "put", "secret/deleted", "a=b")
    theirs.value("kv", "delete", "secret/deleted")
    theirs.value("secrets", "enable", "-path=one", "-version=1", "kv")
    theirs.value("kv", "put", "one/app", "x=1", "ttl=60")


@pytest.mark.compat
@pytest.mark.usefixtures("furnished")
@pytest.mark.parametrize("line", READING.strip().splitlines())
def test_the_output_and_exit_code_are_the_same(line: str, quick: CommandLine, theirs: CommandLine) -> None:
    words = shlex.split(line)
    us, them = quick(*words), theirs(*words)
    assert us.exit_code == them.exit_code, us.err
    assert settled(us.out) == settled(them.out)
    if not them.out:
        assert us.err


def settled(text: str) -> str:
    for pattern, name in _PASSING:
        text = re.sub(pattern, name, text, flags=re.MULTILINE)
    # Widths follow the widest cell, which may be a passing one.
    return re.sub(r"-{2,}", "-", re.sub(r" {2,}", "  ", text)).rstrip()
