"""Many requests, one commit: they see each other, and one failing touches no other."""

from __future__ import annotations

from typing import Any

import pytest
from tests.core.conftest import Scene

from strongroom.core.batch import ATTEMPTS_MAX, RUNS_MAX
from strongroom.core.pipeline import Answer
from strongroom.logical.errors import (
    AuditUnavailable,
    InternalFailure,
    InvalidRequest,
    OutcomeUnknown,
    PermissionDenied,
    UpstreamFailed,
)
from strongroom.physical.store import Conflict, Full, Unavailable, Unknown


def data(answer: Answer | None) -> dict[str, Any]:
    assert answer is not None
    assert answer.error is None, answer.error
    assert answer.response is not None
    assert answer.response.data is not None
    return dict(answer.response.data)


def error(answer: Answer | None) -> Exception | None:
    assert answer is not None
    return answer.error


def test_requests_of_a_batch_see_each_others_changes_in_order_and_share_one_commit(scene: Scene) -> None:
    before = scene.faults.commits
    answers = scene.batch(*(scene.request("append", value=letter) for letter in "abc"), scene.request("read"))
    assert [data(answer)["value"] for answer in answers] == ["a", "ab", "abc", "abc"]
    assert scene.faults.commits == before + 1
    assert scene.value() == "abc"


def test_one_failing_request_touches_no_other_and_leaves_no_change(scene: Scene) -> None:
    answers = scene.batch(
        scene.request("append", value="a"),
        scene.request("refuse", value="x"),
        scene.request("append", value="b"),
        scene.request("explode", value="x"),
        scene.request("append", value="c", token="nosuch"),
        scene.request("append", value="d"),
    )
    assert [type(error(answer)) for answer in answers] == [
        type(None),
        InvalidRequest,
        type(None),
        InternalFailure,
        PermissionDenied,
        type(None),
    ]
    assert scene.value() == "abd"
    assert [type(failure) for failure in scene.failures] == [ValueError]


def test_every_request_line_stands_before_every_response_line(scene: Scene) -> None:
    scene.batch(scene.request("append"), scene.request("refuse"))
    assert scene.kinds() == [
        "request probe/append",
        "request probe/refuse",
        "response probe/append",
        "response probe/refuse",
    ]
    assert len(scene.device.written) == 2, "one write before the commit and one after it"


def test_a_batch_that_changes_nothing_writes_its_lines_at_once(scene: Scene) -> None:
    scene.batch(scene.request("read"), scene.request("read"))
    assert len(scene.device.written) == 1


def test_without_request_lines_nothing_is_done(scene: Scene) -> None:
    commits = scene.faults.commits
    scene.device.is_broken = True
    answers = scene.batch(scene.request("append"), scene.request("read"))
    assert [type(error(answer)) for answer in answers] == [AuditUnavailable] * 2
    assert scene.faults.commits == commits
    scene.device.is_broken = False
    assert scene.value() is None


def break_audit_at_commit(scene: Scene) -> None:
    def breaks() -> None:
        scene.device.is_broken = True

    scene.faults.before_commit = breaks


def tokens(scene: Scene) -> int:
    with scene.node.require().barrier.transaction() as transaction:
        return len(scene.node.require().tokens.accessors(transaction))


@pytest.mark.parametrize("is_batched", [True, False], ids=["batch", "alone"])
def test_a_token_whose_answer_cannot_be_recorded_is_revoked_again(scene: Scene, is_batched: bool) -> None:  # noqa: FBT001 -- parametrized
    before = tokens(scene)
    break_audit_at_commit(scene)
    login = scene.request("login", mount="auth/probe", token=None)
    answer = scene.batch(login)[0] if is_batched else scene.alone(login)
    assert isinstance(error(answer), AuditUnavailable)
    assert tokens(scene) == before


def test_a_wrapped_token_whose_answer_cannot_be_recorded_is_revoked_with_its_wrapping(scene: Scene) -> None:
    before = tokens(scene)
    break_audit_at_commit(scene)
    login = scene.request("login", mount="auth/probe", token=None)
    login.wrap_ttl = 60
    assert isinstance(error(scene.batch(login)[0]), AuditUnavailable)
    assert tokens(scene) == before


def test_a_conflict_while_a_token_is_taken_back_does_not_run_the_request_again(scene: Scene) -> None:
    before = tokens(scene)
    commits = 0

    def second_commit_conflicts() -> None:
        nonlocal commits
        commits += 1
        scene.device.is_broken = True
        if commits == 2:
            raise Conflict

    scene.faults.before_commit = second_commit_conflicts
    answer = scene.alone(scene.request("login", mount="auth/probe", token=None))
    assert isinstance(error(answer), AuditUnavailable)
    assert (commits, tokens(scene)) == (3, before)


@pytest.mark.parametrize(("failure", "alarmed"), [(Full("full"), 0), (Unknown("?"), 1)], ids=["full", "unknown"])
def test_a_store_that_fails_while_a_token_is_taken_back_is_told_and_nothing_runs_again(
    scene: Scene, failure: Exception, alarmed: int
) -> None:
    commits = 0

    def second_commit_fails() -> None:
        nonlocal commits
        commits += 1
        scene.device.is_broken = True
        if commits == 2:
            raise failure

    scene.faults.before_commit = second_commit_fails
    answer = scene.batch(scene.request("login", mount="auth/probe", token=None))[0]
    assert isinstance(error(answer), AuditUnavailable)
    assert commits == 2
    assert scene.unknown_commits == alarmed
    assert len(scene.failures) == 1 - alarmed


def test_a_conflict_with_another_commit_runs_everything_again_on_the_new_state(scene: Scene) -> None:
    def somebody_is_faster() -> None:
        scene.faults.before_commit = lambda: None
        data(scene.alone(scene.request("append", value="first ")))

    scene.faults.before_commit = somebody_is_faster
    answers = scene.batch(scene.request("append", value="a"), scene.request("append", value="b"))
    assert [data(answer)["value"] for answer in answers] == ["first a", "first ab"]
    assert scene.value() == "first ab"


def somebody_changes(scene: Scene, key: str) -> None:
    """Let the next commit find that ``key`` was changed by somebody faster."""

    def is_faster() -> None:
        scene.faults.before_commit = lambda: None
        data(scene.alone(scene.request("append", key=key, value="first ")))

    scene.faults.before_commit = is_faster


def test_only_those_run_again_that_rest_on_what_has_changed(scene: Scene) -> None:
    somebody_changes(scene, "two")
    answers = scene.batch(*(scene.request("append", key=key, value="x") for key in ("one", "two", "three")))
    assert [data(answer)["value"] for answer in answers] == ["x", "first x", "x"]
    assert scene.probe.calls == 3 + 1 + 1, "the faster one, and one that ran again"
    assert [scene.value(key) for key in ("one", "two", "three")] == ["x", "first x", "x"]


def test_who_was_overtaken_shares_one_commit_with_the_others(scene: Scene) -> None:
    somebody_changes(scene, "two")
    before = scene.faults.commits
    scene.batch(*(scene.request("append", key=key, value="x") for key in ("one", "two", "three", "two")))
    assert scene.faults.commits == before + 2, "the faster one, and the batch"
    assert [scene.value(key) for key in ("one", "two", "three")] == ["x", "first xx", "x"]


def test_whoever_is_overtaken_twice_runs_on_the_newest_state(scene: Scene) -> None:
    faster = iter(["two", "one", "two"])

    def is_faster() -> None:
        scene.faults.before_commit = lambda: None
        data(scene.alone(scene.request("append", key=next(faster), value="first ")))
        data(scene.alone(scene.request("append", key=next(faster), value="first ")))
        scene.faults.before_commit = is_faster_again

    def is_faster_again() -> None:
        scene.faults.before_commit = lambda: None
        data(scene.alone(scene.request("append", key=next(faster), value="second ")))

    scene.faults.before_commit = is_faster
    answers = scene.batch(*(scene.request("append", key=key, value="x") for key in ("one", "two", "three")))
    assert [data(answer)["value"] for answer in answers] == ["first x", "first second x", "x"]
    assert [scene.value(key) for key in ("one", "two", "three")] == ["first x", "first second x", "x"]


def test_what_a_policy_no_longer_grants_when_the_batch_runs_again_is_refused(scene: Scene) -> None:
    path = 'path "probe/*" { capabilities = ["create", "update"] }'
    assert scene.post("sys/policies/acl/probe", {"policy": path}).status == 204
    token = scene.post("auth/token/create", {"policies": ["probe"]}).auth["client_token"]

    def is_faster() -> None:
        scene.faults.before_commit = lambda: None
        assert scene.delete("sys/policies/acl/probe").status == 204
        data(scene.alone(scene.request("append", key="two", value="first ")))

    scene.faults.before_commit = is_faster
    answers = scene.batch(
        scene.request("append", key="one", value="x", token=token), scene.request("append", key="two", value="x")
    )
    assert isinstance(error(answers[0]), PermissionDenied)
    assert data(answers[1])["value"] == "first x"
    assert scene.value("one") is None


def test_whoever_saw_what_did_not_happen_runs_again_too(scene: Scene) -> None:
    somebody_changes(scene, "two")
    answers = scene.batch(
        scene.request("append", key="one", value="x"),
        scene.request("append", key="two", value="y"),
        scene.request("read", key="two"),
        scene.request("append", key="two", value="z"),
        scene.request("append", key="three", value="x"),
    )
    assert [data(answer)["value"] for answer in answers] == ["x", "first y", "first y", "first yz", "x"]
    assert scene.value("three") == "x"


def test_a_batch_of_which_nothing_is_left_runs_again_as_a_whole(scene: Scene) -> None:
    somebody_changes(scene, "one")
    answers = scene.batch(scene.request("read", key="two"), scene.request("append", key="one", value="x"))
    assert [data(answer)["value"] for answer in answers] == [None, "first x"]


def test_the_audit_log_tells_of_each_that_ran_again(scene: Scene) -> None:
    somebody_changes(scene, "two")
    scene.batch(*(scene.request("append", key=key, value="x") for key in ("one", "two")))
    kinds = scene.kinds()
    assert kinds.count("response probe/append") == 3, "the faster one, and each of the batch once"
    assert kinds.count("request probe/append") == 4, "and the one that ran again asked twice"


def test_a_batch_that_conflicts_again_is_run_one_by_one(scene: Scene) -> None:
    conflicts = RUNS_MAX

    def conflict() -> None:
        nonlocal conflicts
        if conflicts:
            conflicts -= 1
            raise Conflict

    scene.faults.before_commit = conflict
    before = scene.faults.commits
    answers = scene.batch(scene.request("append", value="a"), scene.request("append", value="b"))
    assert [data(answer)["value"] for answer in answers] == ["a", "ab"]
    assert scene.faults.commits == before + 2


def test_a_request_that_always_meets_somebody_faster_gives_up_with_nothing_changed(scene: Scene) -> None:
    def conflict() -> None:
        raise Conflict

    scene.faults.before_commit = conflict
    answer = scene.alone(scene.request("append"))
    assert isinstance(error(answer), UpstreamFailed)
    assert scene.probe.calls == ATTEMPTS_MAX
    assert scene.kinds()[-2:] == ["request probe/append", "response probe/append"]
    assert "too many concurrent changes" in scene.device.records[-1]["error"]
    scene.faults.before_commit = lambda: None
    assert scene.value() is None


@pytest.mark.parametrize("is_batched", [True, False], ids=["batch", "alone"])
@pytest.mark.parametrize("failure", [Full("full"), Unavailable("away"), Unknown("?")], ids=["full", "away", "unknown"])
def test_a_write_that_the_store_refuses_has_its_end_on_record(
    scene: Scene,
    failure: Exception,
    is_batched: bool,  # noqa: FBT001 -- parametrized
) -> None:
    def fail() -> None:
        raise failure

    scene.faults.before_commit = fail
    request = scene.request("append")
    answer = scene.batch(request)[0] if is_batched else scene.alone(request)
    last = scene.device.records[-1]
    assert (last["type"], last["request"]["id"]) == ("response", request.id)
    assert last["error"] == str(error(answer))
    assert "value" not in last["response"]
    # The operator is told, too, unless the server stops because of it.
    assert set(scene.refusals) == (set() if isinstance(failure, Unknown) else {str(failure)})


def test_a_slow_endpoint_waits_for_the_pool_and_nothing_of_it_happens_before(scene: Scene) -> None:
    slow = scene.request("slow-append", value="s")
    answers = scene.batch(scene.request("append", value="a"), slow, scene.request("append", value="b"))
    assert answers[1] is None
    assert scene.probe.calls == 2
    assert "slow" not in scene.device.text
    assert data(scene.alone(slow))["value"] == "abs"


def test_the_request_line_of_a_slow_endpoint_is_durable_before_its_handler_starts(scene: Scene) -> None:
    seen: list[list[str]] = []
    scene.probe.hook = lambda _: seen.append(scene.kinds())
    scene.alone(scene.request("slow-hook"))
    assert seen == [["request probe/slow-hook"]]
    scene.device.is_broken = True
    assert isinstance(error(scene.alone(scene.request("slow-hook"))), AuditUnavailable)
    assert len(seen) == 1


def test_a_full_store_fails_the_writes_of_a_batch_and_none_of_its_reads(scene: Scene) -> None:
    def full() -> None:
        raise Full("no space")

    scene.alone(scene.request("write", key="read-me", value="v"))
    scene.faults.before_commit = full
    answers = scene.batch(
        scene.request("read", key="read-me"), scene.request("append"), scene.request("read", key="read-me")
    )
    assert data(answers[0]) == data(answers[2]) == {"value": "v"}
    assert isinstance(error(answers[1]), UpstreamFailed)
    assert scene.unknown_commits == 0


def test_a_store_that_takes_no_write_changes_nothing_and_works_again(scene: Scene) -> None:
    scene.faults.fail_once(Unavailable("away"))
    assert data(scene.batch(scene.request("append"))[0]) == {"value": "value"}, "the second try worked"


@pytest.mark.parametrize("is_batched", [True, False], ids=["batch", "alone"])
def test_a_commit_whose_outcome_nobody_knows_is_said_and_alarms_the_node(scene: Scene, is_batched: bool) -> None:  # noqa: FBT001 -- parametrized
    scene.faults.fail_once(Unknown("disk"))
    answer = scene.batch(scene.request("append"))[0] if is_batched else scene.alone(scene.request("append"))
    assert isinstance(error(answer), OutcomeUnknown)
    assert scene.unknown_commits == 1
    assert scene.probe.calls == 1, "a commit that may have happened is never run again"


def test_what_waits_for_the_commit_runs_once_it_is_recorded_and_not_where_it_failed(scene: Scene) -> None:
    ran: list[list[str]] = []
    scene.probe.hook = lambda context: context.after_commit.append(lambda: ran.append(scene.kinds()))
    scene.batch(scene.request("hook"))
    assert ran == [["request probe/hook", "response probe/hook"]]
    scene.device.is_broken = True
    scene.batch(scene.request("hook"))
    scene.device.is_broken = False
    scene.faults.fail_once(Unknown("disk"))
    scene.batch(scene.request("hook"))
    assert len(ran) == 1


def test_sealing_while_a_batch_runs_lets_nothing_of_it_leave_or_stay(scene: Scene) -> None:
    scene.probe.hook = lambda _: scene.node.seal()
    unsealed = scene.node.require()
    requests = [scene.request("append"), scene.request("hook"), scene.request("append")]
    from strongroom.core.batch import answer_batch

    answers = answer_batch(unsealed, requests, scene.alarms)
    assert all(answer is None or answer.response is None for answer in answers)
    scene.unseal()
    assert scene.value() is None


def test_revoking_and_using_a_token_in_one_batch_is_refused(scene: Scene) -> None:
    token = scene.token_for("default", num_uses=1)
    scene.write_policy("p", 'path "probe/*" { capabilities = ["update"] }')
    limited = scene.token_for("p", num_uses=1)
    answers = scene.batch(*(scene.request("append", value=letter, token=limited) for letter in "ab"))
    assert data(answers[0])["value"] == "a"
    assert isinstance(error(answers[1]), PermissionDenied)
    assert token
