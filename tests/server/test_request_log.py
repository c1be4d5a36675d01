from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.kit import JumpingClock
from tests.quotas.front import Front

from strongroom.server.log import Field, Log

CANARY = "canary-5c5c"


@pytest.fixture(params=["debug", "info", "trace"])
def level(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def fronts() -> Iterator[list[Front]]:
    made: list[Front] = []
    yield made
    for front in made:
        front.close()


def front_at(fronts: list[Front], **options: Any) -> Front:
    fronts.append(Front(**options))
    return fronts[-1]


def test_every_request_has_a_line_at_debug_and_trace_and_none_at_info(fronts: list[Front], level: str) -> None:
    front = front_at(fronts, log_level=level, as_json=True)
    asked = front.asked("GET", "sys/mounts")
    front.ask_together(asked)
    lines = [json.loads(line) for line in front.log]
    if level == "info":
        assert lines == []
        return
    (line,) = lines
    assert line == {
        "@timestamp": "2030-03-17T17:46:40.000000000Z",
        "@level": "debug",
        "@message": "request",
        "request_id": asked.request.id,
        "status": 200,
        "operation": "read",
        "mount_type": "system",
        "duration_ms": 0.0,
        "remote_address": "192.0.2.1",
    }


def test_the_text_form_has_the_same_fields(fronts: list[Front]) -> None:
    front = front_at(fronts, log_level="debug")
    asked = front.asked("GET", "nowhere/x")
    front.ask_together(asked)
    start = f"2030-03-17T17:46:40.000000000Z [DEBUG] request request_id={asked.request.id} "
    rest = "status=404 operation=read mount_type=none duration_ms=0.0 remote_address=192.0.2.1"
    assert front.log == [start + rest]


@pytest.mark.parametrize("as_json", [False, True])
def test_no_word_of_a_client_gets_into_the_log(fronts: list[Front], *, as_json: bool) -> None:
    front = front_at(fronts, log_level="trace", as_json=as_json)
    front.vault.mount(CANARY)
    front.vault.post(f"sys/auth/{CANARY}", {"type": "userpass"})
    for path in (f"{CANARY}/x", f"{CANARY}-none/x", f"{CANARY}/x?list=true&after={CANARY}", f"{CANARY}/%0a%0d"):
        front.get(path)
        front.get(path, headers={"user-agent": CANARY, "x-forwarded-for": CANARY, "x-vault-namespace": CANARY})
        front.post(path, {CANARY: CANARY}, token=CANARY)
    front.post(f"auth/{CANARY}/login/{CANARY}", {"password": CANARY})
    assert len(front.log) == 13
    assert CANARY not in "\n".join(front.log)


def test_a_slow_request_is_told_at_warn(fronts: list[Front]) -> None:
    front = front_at(fronts, as_json=True)
    begin = front.vault.node.require().barrier.transaction

    def slowly() -> Any:
        front.vault.clock.jump(1.5)
        return begin()

    front.vault.node.require().barrier.transaction = slowly  # type: ignore[method-assign]  # a slow disk
    front.get("sys/mounts")
    front.log_stream.truncate(0)
    front.log_stream.seek(0)
    asked = front.asked("GET", "sys/mounts")
    front.ask_together(asked)
    (line,) = [json.loads(line) for line in front.log]
    assert (line["@level"], line["@message"]) == ("warn", "slow request")
    assert line["duration_ms"] == 1500.0
    assert line["request_id"] == asked.request.id


def test_a_slow_batch_does_not_flood_the_log(fronts: list[Front]) -> None:
    front = front_at(fronts)
    snapshot = front.vault.node.require().barrier.transaction

    def slowly() -> Any:
        front.vault.clock.jump(2)
        return snapshot()

    front.vault.node.require().barrier.transaction = slowly  # type: ignore[method-assign]  # a slow disk
    front.ask_together(*(front.asked("GET", "sys/mounts") for _ in range(50)))
    assert len(front.log) == 16


def test_what_is_refused_unread_has_a_line_without_its_words(fronts: list[Front]) -> None:
    front = front_at(fronts, log_level="debug")
    front.post(f"{CANARY}/x", b"{")
    front.limit("all", rate=1, interval="1h")
    front.get(f"{CANARY}/x")
    front.get(f"{CANARY}/x")
    told = [line.partition("[DEBUG] ")[2].partition(" request_id")[0] for line in front.log]
    assert told == ["request that cannot be read", "request", "request", "request beyond its quota"]
    assert CANARY not in "\n".join(front.log)


def test_one_id_is_in_the_answer_the_audit_and_the_log(fronts: list[Front]) -> None:
    front = front_at(fronts, log_level="debug", as_json=True)
    front.vault.device.written.clear()
    asked = front.asked("GET", "sys/mounts")
    (result,) = front.ask_together(asked)
    assert result.body is not None
    ids = {record["request"]["id"] for record in front.vault.device.records}
    ids |= {json.loads(line)["request_id"] for line in front.log}
    assert ids == {result.body["request_id"]} == {asked.request.id}


def lines_of(fields: dict[Field, Any], *, as_json: bool) -> list[str]:
    stream = io.StringIO()
    Log(JumpingClock(), as_json=as_json, stream=stream).event("warn", "request", fields)
    return stream.getvalue().split("\n")


@given(st.text(), st.booleans())
def test_no_value_can_make_a_line_or_a_field_of_its_own(value: str, as_json: bool) -> None:  # noqa: FBT001 -- hypothesis gives it
    lines = lines_of({Field.REMOTE_ADDRESS: value, Field.STATUS: 200}, as_json=as_json)
    assert lines[1:] == [""]
    if as_json:
        assert set(json.loads(lines[0])) == {"@timestamp", "@level", "@message", "remote_address", "status"}
    else:
        assert lines[0].count("=") == 2
        assert lines[0].isprintable()
        assert lines[0].endswith(" status=200")


@pytest.mark.parametrize("value", ["1\n2030 [ERROR] forged", "x status=500", "\x1b[31m", "\u2028", "a" * 1000, '"}{"'])
def test_forged_values_are_made_harmless(value: str) -> None:
    (line, _) = lines_of({Field.REQUEST_ID: value}, as_json=False)
    shown = line.partition("request_id=")[2]
    assert len(shown) <= 128
    assert set(shown) <= set("?abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-/")
