from __future__ import annotations

import pytest
from tests.core.conftest import Scene

from strongroom.audit.facts import SealedFacts
from strongroom.core.unit import Unit
from strongroom.logical.errors import AuditUnavailable


def test_the_unit_of_a_batch_only_collects_its_lines(scene: Scene) -> None:
    line = scene.node.broker.sealed_line(SealedFacts(request=scene.request("read")))
    with scene.node.require().barrier.transaction() as base:
        unit = Unit(base.begin_nested())
        assert unit.is_batched
        unit.record_request(line)
        unit.record_response(line)
    assert (unit.request_lines, unit.response_lines) == ([line], [line])
    assert scene.device.written == []


def test_an_immediate_unit_writes_its_request_line_at_once_or_refuses(scene: Scene) -> None:
    line = scene.node.broker.sealed_line(SealedFacts(request=scene.request("read")))
    with scene.node.require().barrier.transaction() as base:
        unit = Unit(base.begin_nested(), immediate=scene.node.broker)
        assert not unit.is_batched
        unit.record_request(line)
        assert len(scene.device.records) == 1
        unit.record_response(line)
        assert len(scene.device.records) == 1
        scene.device.is_broken = True
        with pytest.raises(AuditUnavailable):
            unit.record_request(line)


def test_what_waited_runs_in_order(scene: Scene) -> None:
    ran: list[int] = []
    with scene.node.require().barrier.transaction() as base:
        unit = Unit(base.begin_nested())
        unit.after_commit.extend([lambda: ran.append(1), lambda: ran.append(2)])
        unit.run_after_commit()
    assert ran == [1, 2]
