from __future__ import annotations

import gc
import resource
import sys

from tests.alone import alone

from strongroom.server.process import KEPT_DESCRIPTORS, SWITCH_SECONDS, allow_connections, settle

LIMIT = resource.RLIMIT_NOFILE


@alone
def test_as_many_files_may_be_open_as_the_connections_need() -> None:
    resource.setrlimit(LIMIT, (300, 2000))
    assert allow_connections(1000) == 1000
    assert resource.getrlimit(LIMIT) == (1000 + KEPT_DESCRIPTORS, 2000)
    assert allow_connections(100) == 100
    assert resource.getrlimit(LIMIT) == (1000 + KEPT_DESCRIPTORS, 2000)


@alone
def test_where_the_system_allows_fewer_some_are_kept_for_the_store_and_the_audit_log() -> None:
    resource.setrlimit(LIMIT, (300, 1000))
    assert allow_connections(4096) == 1000 - KEPT_DESCRIPTORS
    assert resource.getrlimit(LIMIT) == (1000, 1000)
    resource.setrlimit(LIMIT, (300, 300))
    assert allow_connections(4096) == 150


@alone
def test_a_process_that_answers_lets_its_threads_change_often_and_does_not_collect_what_was_loaded() -> None:
    settle()
    assert sys.getswitchinterval() == SWITCH_SECONDS
    assert gc.get_freeze_count() > 10_000
