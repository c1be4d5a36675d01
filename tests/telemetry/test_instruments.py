from __future__ import annotations

import math
import os
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alone import alone
from tests.telemetry.promlint import problems, read

from strongroom.logical import errors
from strongroom.logical.operation import Operation
from strongroom.telemetry import catalog
from strongroom.telemetry.board import Board, Place
from strongroom.telemetry.catalog import CATALOG, MOUNT_TYPES, VERSIONS
from strongroom.telemetry.declaration import Declaration, Kind, Label
from strongroom.telemetry.exposition import json_document, prometheus_text
from strongroom.telemetry.instruments import Family, Telemetry
from strongroom.telemetry.labels import LoginOutcome, Outcome, Vocabulary, Way, Word, outcome_of

WORDS = {MOUNT_TYPES: Vocabulary(("kv", "approle")), VERSIONS: Vocabulary(("0.1",))}


def telemetry(place: Place | None = None) -> Telemetry:
    return Telemetry(WORDS, place)


def text_of(made: Telemetry) -> str:
    return prometheus_text(made.families())


def family(made: Telemetry, declaration: Declaration) -> Family:
    return next(one for one in made.families() if one.declaration is declaration)


KV = WORDS[MOUNT_TYPES].of("kv")


def test_a_counter_adds_up_by_its_labels() -> None:
    made = telemetry()
    made.add(catalog.REQUESTS, Operation.READ, Outcome.OK, KV)
    made.add_all(catalog.REQUESTS, [((Operation.READ, Outcome.OK, KV), 2), ((Operation.LIST, Outcome.DENIED, KV), 5)])
    text = text_of(made)
    assert 'strongroom_requests_total{operation="read",outcome="ok",mount_type="kv"} 3\n' in text
    assert 'strongroom_requests_total{operation="list",outcome="denied",mount_type="kv"} 5\n' in text


def test_a_histogram_counts_into_the_bucket_whose_bound_is_not_below() -> None:
    made = telemetry()
    for value in (1.0, 2.0, 2.5, 5000.0):
        made.observe(catalog.BATCH_REQUESTS, value)
    buckets = {
        labels["le"]: value
        for name, labels, value in read(text_of(made))["strongroom_batch_requests"].samples
        if name.endswith("_bucket")
    }
    assert [buckets[bound] for bound in ("1", "2", "4", "1024", "+Inf")] == [1, 2, 3, 3, 4]


def test_many_observations_at_once_are_as_many_single_ones() -> None:
    one, other = telemetry(), telemetry()
    for _ in range(3):
        one.observe(catalog.REQUEST_SECONDS, 0.25, Way.BATCH)
    other.observe(catalog.REQUEST_SECONDS, 0.25, Way.BATCH, times=3)
    assert text_of(one) == text_of(other)


class Foreign(StrEnum):
    OK = "ok "


@pytest.mark.parametrize(
    "labels",
    [
        (),
        (Operation.READ, Outcome.OK),
        (Operation.READ, Outcome.OK, KV, KV),
        (Outcome.OK, Operation.READ, KV),
        (Operation.READ, Foreign.OK, KV),
        (Operation.READ, Outcome.OK, Word("secret/of/somebody")),
        (Operation.READ, Outcome.OK, "canary-1b2c"),
    ],
)
def test_a_label_that_is_not_from_its_closed_set_is_refused(labels: Any) -> None:
    made = telemetry()
    with pytest.raises(ValueError, match="closed set") as caught:
        made.add(catalog.REQUESTS, *labels)
    assert "canary" not in str(caught.value)
    assert "strongroom_requests_total" not in text_of(made)


@given(st.text())
def test_no_text_gets_into_a_vocabulary(text: str) -> None:
    word = WORDS[MOUNT_TYPES].of(text)
    assert word in {"kv", "approle", "other"}


def test_a_reading_with_a_label_of_its_own_is_refused() -> None:
    made = telemetry()
    made.read_from(catalog.BUILD, lambda: {(Word("9.9 or a path"),): 1.0})
    with pytest.raises(ValueError, match="closed set"):
        made.families()


def test_what_nobody_can_say_is_left_out() -> None:
    made = telemetry()
    made.read_from(catalog.TERM, lambda: None)
    made.read_from(catalog.UNSEALED, lambda: 0.0)
    text = text_of(made)
    assert "strongroom_barrier_term " not in text
    assert "strongroom_unsealed 0\n" in text


def test_processes_write_rows_of_their_own_and_show_the_sum() -> None:
    board = Board(3)
    crew = [telemetry(Place(board, row)) for row in range(3)]
    for number, one in enumerate(crew, 1):
        one.add(catalog.LOGINS, KV, LoginOutcome.OK, count=number)
        one.observe(catalog.REQUEST_SECONDS, number / 10, Way.POOL)
    assert text_of(crew[0]) == text_of(crew[2])
    assert family(crew[1], catalog.LOGINS).numbers == {(KV, LoginOutcome.OK): 6.0}
    cell = family(crew[1], catalog.REQUEST_SECONDS).cells[(Way.POOL,)]
    assert (cell.count, cell.least, cell.most) == (3, 0.1, 0.3)
    assert math.isclose(cell.total, 0.6)


@alone
def test_what_a_child_process_counts_is_seen_by_its_parent() -> None:
    board = Board(2)
    parent = telemetry(Place(board))
    pid = os.fork()
    if pid == 0:
        telemetry(Place(board, 1)).add(catalog.MALFORMED, count=7)
        os._exit(0)
    os.waitpid(pid, 0)
    assert family(parent, catalog.MALFORMED).numbers == {(): 7.0}


def test_a_vault_with_nothing_to_tell_has_a_scrape_without_problems() -> None:
    assert problems(text_of(telemetry())) == []


def full() -> Telemetry:
    """Every metric, with every combination of labels."""
    made = telemetry()
    for declaration, columns in made._columns.items():
        for labels in columns:
            if declaration.kind is Kind.HISTOGRAM:
                made.observe(declaration, 0.003, *labels)
            else:
                made.add(declaration, *labels)
    for declaration in made.unread:
        made.read_from(declaration, lambda: 1.5)
    made.read_from(catalog.AUDIT_DEVICES, lambda: None)
    made.read_from(catalog.BUILD, lambda: {(WORDS[VERSIONS].of("0.1"),): 1.0})
    return made


def test_every_metric_with_every_label_makes_a_scrape_without_problems() -> None:
    text = text_of(full())
    assert problems(text) == []
    assert set(read(text)) == {one.name for one in CATALOG} - {catalog.AUDIT_DEVICES.name}


def test_the_json_form_says_the_same_in_the_shape_of_vault() -> None:
    made = telemetry()
    made.read_from(catalog.UNSEALED, lambda: 1.0)
    made.add(catalog.LOGINS, KV, LoginOutcome.FAILED, count=4)
    for seconds in (1.0, 3.0):
        made.observe(catalog.REQUEST_SECONDS, seconds, Way.BATCH)
    document = json_document(made.families(), 1_900_000_000 * 10**9)
    assert document["Timestamp"] == "2030-03-17 17:46:40 +0000 UTC"
    assert document["Points"] == []
    assert document["Gauges"] == [{"Name": "strongroom_unsealed", "Value": 1, "Labels": {}}]
    login = next(one for one in document["Counters"] if one["Name"] == "strongroom_logins_total")
    assert login["Count"] == 4
    assert login["Labels"] == {"mount_type": "kv", "outcome": "failed"}
    assert document["Samples"] == [
        {
            "Name": "strongroom_request_duration_seconds",
            "Count": 2,
            "Sum": 4.0,
            "Min": 1.0,
            "Max": 3.0,
            "Mean": 2.0,
            "Stddev": 1.0,
            "Labels": {"way": "batch"},
        }
    ]


# Declarations


@pytest.mark.parametrize(
    ("name", "kind", "options"),
    [
        ("requests_total", Kind.COUNTER, {}),
        ("strongroom_Requests_total", Kind.COUNTER, {}),
        ("strongroom__requests_total", Kind.COUNTER, {}),
        ("strongroom_requests", Kind.COUNTER, {}),
        ("strongroom_requests_total", Kind.GAUGE, {}),
        ("strongroom_wait_seconds", Kind.HISTOGRAM, {}),
        ("strongroom_wait_seconds", Kind.HISTOGRAM, {"bounds": (2.0, 1.0)}),
        ("strongroom_open", Kind.GAUGE, {"bounds": (1.0,)}),
        ("strongroom_open", Kind.GAUGE, {"labels": (Label("le", Outcome),)}),
        ("strongroom_open", Kind.GAUGE, {"labels": (Label("theKind", Outcome),)}),
    ],
)
def test_a_declaration_that_breaks_the_conventions_is_refused(name: str, kind: Kind, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"strongroom|requests"):
        Declaration(name, kind, "What it means.", **options)


def test_every_metric_is_declared_once_and_explained_in_a_sentence() -> None:
    assert len({one.name for one in CATALOG}) == len(CATALOG)
    declared = {value for value in vars(catalog).values() if isinstance(value, Declaration)}
    assert declared == set(CATALOG)
    assert [one.name for one in CATALOG if not one.help.endswith(".")] == []


def error_classes(root: type[errors.LogicalError]) -> list[type[errors.LogicalError]]:
    return [root, *(below for kind in root.__subclasses__() for below in error_classes(kind))]


@pytest.mark.parametrize("kind", error_classes(errors.LogicalError), ids=lambda kind: kind.__name__)
def test_every_error_has_a_class_of_outcome(kind: type[errors.LogicalError]) -> None:
    error = kind.__new__(kind)
    meant_failed = {errors.LogicalError, errors.InternalFailure, errors.OutcomeUnknown}
    assert (outcome_of(error) is Outcome.FAILED) is (kind in meant_failed)


def test_no_error_is_a_success() -> None:
    assert outcome_of(None) is Outcome.OK
    assert outcome_of(RuntimeError()) is Outcome.FAILED


def test_what_each_process_reads_of_itself_is_shown_as_the_sum() -> None:
    board = Board(2)
    first, second = telemetry(Place(board)), telemetry(Place(board, 1))
    readings = {"first": 3.0, "second": 4.0}
    first.read_from(catalog.POOL_WAITING, lambda: readings["first"])
    second.read_from(catalog.POOL_WAITING, lambda: readings["second"])
    second.publish()
    readings["first"] = 5.0

    def waiting(one: Telemetry) -> float:
        return next(family.numbers[()] for family in one.families() if family.declaration is catalog.POOL_WAITING)

    assert waiting(first) == 9
    readings["second"] = 0.0
    assert waiting(first) == 9, "as old as what the other process published"
    assert waiting(second) == 5
