"""Four writers, each with a journal of what it was told is done; and the check of a vault against the journals."""

from __future__ import annotations

import hashlib
import random
import threading
from dataclasses import dataclass, field
from typing import Any

from reliability.server import Answer, Client, Gone, Server

KEYS = 8
POLICIES = 6
_GROUP = "auth/approle/role/loop"


@dataclass
class Journal:
    """What the writers of one vault know. Every set is about things that were acknowledged and are in no doubt."""

    versions: dict[str, int] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    doubted_values: dict[str, str] = field(default_factory=dict)
    policies: dict[str, str] = field(default_factory=dict)
    doubted_policies: dict[str, set[str]] = field(default_factory=dict)
    living: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)
    acknowledged: list[str] = field(default_factory=list)
    """Ids of requests that were answered, since the audit log was looked at."""
    writes: int = 0

    def take(self, answer: Answer) -> bool:
        """Note an answer; whether it was a good one."""
        if answer.request_id:
            self.acknowledged.append(answer.request_id)
        self.writes += answer.is_good
        return answer.is_good


def prepare(client: Client) -> dict[str, Any]:
    """Make what the writers need: a mount, a role; answers how to log in."""
    client.must("POST", "sys/mounts/kv", {"type": "kv", "options": {"version": "2"}})
    client.must("POST", "sys/auth/approle", {"type": "approle"})
    client.must("POST", _GROUP, {"token_policies": ["default"], "token_ttl": "1h"})
    role_id = client.must("GET", f"{_GROUP}/role-id").body["data"]["role_id"]
    secret_id = client.must("POST", f"{_GROUP}/secret-id").body["data"]["secret_id"]
    return {"role_id": role_id, "secret_id": secret_id}


def value_of(text: str) -> dict[str, str]:
    """A secret that can be seen to be whole."""
    filling = hashlib.sha256(text.encode()).hexdigest() * 8
    return {"text": text, "filling": filling, "check": hashlib.sha256((text + filling).encode()).hexdigest()}


class Writers:
    """The four of them, until ``stop`` is called or the server is gone."""

    def __init__(self, server: Server, journal: Journal, login: dict[str, Any], seed: int) -> None:
        self._server = server
        self._journal = journal
        self._login = login
        self._random = random.Random(seed)
        self._stopping = threading.Event()
        self._seed = seed
        works = (self._write_secret, self._use_tokens, self._log_in, self._write_policy)
        self._threads = [threading.Thread(target=self._repeat, args=(work,), daemon=True) for work in works]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End once each has its answer or knows that none comes."""
        self._stopping.set()
        self.join()

    def join(self) -> None:
        """Wait for their end."""
        for thread in self._threads:
            thread.join(60)

    def _repeat(self, work: Any) -> None:
        client = self._server.client()
        number = 0
        while not self._stopping.is_set():
            number += 1
            try:
                work(client, f"{self._seed}-{number}")
            except Gone:
                break
        client.close()

    def _write_secret(self, client: Client, text: str) -> None:
        journal, key = self._journal, f"k{self._random.randrange(KEYS)}"
        if key in journal.doubted_values:
            return
        version = journal.versions.get(key, 0)
        journal.doubted_values[key] = text
        body = {"data": value_of(text), "options": {"cas": version}}
        answer = client.call("POST", f"kv/data/{key}", body)
        if journal.take(answer):
            journal.versions[key], journal.values[key] = version + 1, text
            del journal.doubted_values[key]

    def _use_tokens(self, client: Client, text: str) -> None:
        del text
        journal = self._journal
        made = self._make_token(client, None)
        if made is None:
            return
        child = self._make_token(client, made)
        if self._random.random() < 0.6:
            journal.living -= {made, child}
            if journal.take(client.call("POST", "auth/token/revoke", {"token": made})):
                journal.dead |= {one for one in (made, child) if one}

    def _make_token(self, client: Client, parent: str | None) -> str | None:
        body = {"policies": ["default"] if parent else ["root"], "ttl": "1h"}
        answer = client.call("POST", "auth/token/create", body, token=parent)
        if not self._journal.take(answer):
            return None
        made = str(answer.body["auth"]["client_token"])
        self._journal.living.add(made)
        return made

    def _log_in(self, client: Client, text: str) -> None:
        del text
        answer = client.call("POST", "auth/approle/login", self._login, token="")
        if self._journal.take(answer):
            self._journal.living.add(str(answer.body["auth"]["client_token"]))

    def _write_policy(self, client: Client, text: str) -> None:
        journal, name = self._journal, f"p{self._random.randrange(POLICIES)}"
        document = f'path "kv/data/{text}" {{ capabilities = ["read"] }}'
        journal.doubted_policies.setdefault(name, set()).add(document)
        if journal.take(client.call("POST", f"sys/policies/acl/{name}", {"policy": document})):
            journal.policies[name] = document
            journal.doubted_policies[name] = set()


def settle(server: Server, journal: Journal, tokens_max: int = 300) -> list[str]:
    """Compare the vault with the journal, resolve what was in doubt, and answer what is wrong."""
    client = server.client()
    findings = [finding for key in _keys(journal) for finding in _check_secret(client, journal, key)]
    for name in {*journal.policies, *journal.doubted_policies}:
        findings += _check_policy(client, journal, name)
    for token in list(journal.living)[:tokens_max]:
        if client.call("GET", "auth/token/lookup-self", token=token).status != 200:
            findings.append("a token that was acknowledged is not there")
    for token in list(journal.dead)[:tokens_max]:
        if client.call("GET", "auth/token/lookup-self", token=token).status != 403:
            findings.append("a token that was revoked is alive")
    # Looked at once; what is checked again is what the store says about all of them.
    journal.living.clear()
    journal.dead.clear()
    client.close()
    return findings


def _keys(journal: Journal) -> set[str]:
    return {*journal.versions, *journal.doubted_values}


def _check_secret(client: Client, journal: Journal, key: str) -> list[str]:
    version, doubted = journal.versions.get(key, 0), journal.doubted_values.pop(key, None)
    answer = client.call("GET", f"kv/data/{key}")
    if answer.status == 404 and version == 0:
        return []
    if answer.status != 200:
        return [f"secret {key} of version {version} is answered with {answer.status}"]
    found, data = answer.body["data"]["metadata"]["version"], answer.body["data"]["data"]
    allowed = {version: journal.values.get(key)} | ({version + 1: doubted} if doubted is not None else {})
    if allowed.get(found) is None or data != value_of(str(allowed[found])):
        return [f"secret {key} has version {found}, {version} was acknowledged, or another value than was written"]
    journal.versions[key], journal.values[key] = found, str(allowed[found])
    return []


def _check_policy(client: Client, journal: Journal, name: str) -> list[str]:
    known, doubted = journal.policies.get(name), journal.doubted_policies.pop(name, set())
    answer = client.call("GET", f"sys/policies/acl/{name}")
    found = answer.body["data"]["policy"] if answer.status == 200 else None
    if found != known and found not in doubted:
        return [f"policy {name} is not what was acknowledged"]
    if found is not None:
        journal.policies[name] = found
    return []
