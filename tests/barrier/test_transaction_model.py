from __future__ import annotations

from random import Random
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from strongroom.barrier import transaction
from strongroom.barrier.barrier import Barrier, Limits, Surroundings
from strongroom.barrier.transaction import Mark, Transaction
from strongroom.physical.memory import MemoryStore

KEY = st.lists(st.sampled_from(["a", "b", "a0", "-", "é", "\U0010ffff"]), min_size=1, max_size=3).map("/".join)
STEP = st.one_of(
    st.tuples(st.just("put"), KEY, st.binary(max_size=3)),
    st.tuples(st.just("delete"), KEY, st.none()),
    st.tuples(st.sampled_from(["begin", "merge", "drop", "commit", "mark", "back"]), st.just(""), st.none()),
)


def children_of(model: dict[str, bytes], prefix: str) -> list[str]:
    names = set()
    for key in model:
        if key.startswith(prefix):
            name, slash, _ = key[len(prefix) :].partition("/")
            names.add(name + slash)
    return sorted(names)


class Model:
    """A stack of dicts beside a stack of transactions."""

    def __init__(self, barrier: Barrier) -> None:
        self.barrier = barrier
        self.transactions = [barrier.transaction()]
        self.models: list[dict[str, bytes]] = [{}]
        self.marked: tuple[Transaction, Mark | None, dict[str, bytes]] | None = None

    def step(self, act: str, key: str, value: bytes | None) -> None:
        if act == "put" and value is not None:
            self.transactions[-1].put(key, value)
            self.models[-1][key] = value
        elif act == "delete":
            self.transactions[-1].delete(key)
            self.models[-1].pop(key, None)
        elif act == "mark":
            self.marked = (self.transactions[-1], self.transactions[-1].mark(), dict(self.models[-1]))
        elif act == "back":
            self.go_back()
        elif act == "begin":
            self.transactions.append(self.transactions[-1].begin_nested())
            self.models.append(dict(self.models[-1]))
        elif act in {"merge", "drop"} and len(self.models) > 1:
            self.finish(merge=act == "merge")
        elif act == "commit" and len(self.models) == 1:
            self.barrier.commit(self.transactions.pop())
            self.transactions.append(self.barrier.transaction())

    def go_back(self) -> None:
        # Only where the top is still the one that was marked: what lies below it is as it was then.
        if self.marked is not None and self.marked[0] is self.transactions[-1]:
            transaction, mark, model = self.marked
            transaction.go_back(mark)
            self.models[-1] = dict(model)

    def finish(self, *, merge: bool) -> None:
        model, transaction = self.models.pop(), self.transactions.pop()
        if merge:
            transaction.merge()
            self.models[-1] = model
        transaction.close()

    def check_folder(self, prefix: str) -> None:
        found = list(self.transactions[-1].scan(prefix))
        assert found == sorted(key for key in self.models[-1] if key.startswith(prefix))

    def check(self) -> None:
        transaction, model = self.transactions[-1], self.models[-1]
        assert list(transaction.scan("")) == sorted(model)
        for prefix in ("", "a/", "a/a/", "\U0010ffff/"):
            self.check_folder(prefix)
            names = children_of(model, prefix)
            assert transaction.children(prefix) == names
            for after in ("a", "a/", "b/", *names):
                later = [name for name in names if name > after]
                assert transaction.children(prefix, after=after, limit=2) == later[:2]
        for key in (*model, "a", "b/a"):
            assert transaction.get(key) == model.get(key)
            assert (transaction.version(key) is None) == (key not in model)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=40), st.sampled_from([0, 3, transaction._FEW]))
def test_a_transaction_behaves_like_a_dict(steps: list[tuple[str, str, bytes | None]], few: int) -> None:
    model = Model(new_barrier())
    with patch.object(transaction, "_FEW", few):
        for act, key, value in steps:
            model.step(act, key, value)
            model.check_folder("a/")
        model.check()


def new_barrier() -> Barrier:
    class Seeded:
        def __init__(self) -> None:
            self.bytes = Random(7).randbytes

        def fill(self, buffer: bytearray) -> None:
            buffer[:] = self.bytes(len(buffer))

    class Stopped:
        def now_ns(self) -> int:
            return 0

        def monotonic(self) -> float:
            return 0.0

    surroundings = Surroundings(MemoryStore(), Stopped(), Seeded(), Limits(block=8))
    barrier = Barrier.create(surroundings, bytearray(32))
    with barrier.transaction() as transaction:
        surroundings.store.commit({}, barrier.founding_records(transaction), (), barrier.witness)
    return barrier
