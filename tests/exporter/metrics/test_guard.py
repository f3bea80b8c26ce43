"""Labels stay few and clean, totals exact, and who came first stays known."""

from collections.abc import Callable

import pytest

from sloforge import vocabulary as v
from sloforge.exporter import families as f
from sloforge.exporter.guard import LENGTH, OTHER, Guard, clean
from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Store, StoreUnavailable
from sloforge.exporter.settings import Settings
from sloforge.exporter.stores.memory import MemoryStore
from tests.exporter.metrics.pages import LABELS, UNIVERSE

LIMITS = {"client_id": 3, "platform": 2}


def guard_of(ledger: Ledger) -> Guard:
    return Guard(ledger, UNIVERSE, LIMITS)


def client(guard: Guard, name: str) -> str:
    return dict(guard.labels({"client_id": name}))["client_id"]


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("acme", "acme"),
        ("two words", "two words"),
        ("line\nbreak\r\x00\x1b[31m", "linebreak[31m"),
        ('quo"te\\', 'quo"te\\'),
        ("ünï☃", "ünï☃"),
        ("bad\ud800surrogate", "badsurrogate"),
        ("x" * 1_000_000, "x" * LENGTH),
        ("\n" * 1_000_000, ""),
    ],
)
def test_values_are_cleaned(value: str, kept: str) -> None:
    assert clean(value) == kept


def test_labels_are_sorted_and_only_open_ones_can_be_rewritten() -> None:
    guard = guard_of(Ledger(MemoryStore()))
    labels = guard.labels({**LABELS, "lane": "anything", "client_id": "who"})
    assert labels == tuple(sorted({**LABELS, "lane": "anything", "client_id": "who"}.items()))


def test_beyond_the_limit_only_the_offending_label_becomes_other() -> None:
    ledger = Ledger(MemoryStore())
    guard = guard_of(ledger)
    assert [client(guard, name) for name in ("a", "b", "c", "d", "a", "acme")] == ["a", "b", "c", OTHER, "a", "acme"]
    assert dict(guard.labels({**LABELS, "client_id": "e"})) == {**LABELS, "client_id": OTHER}
    assert {(total.labels, total.value) for total in ledger.totals() if total.name == v.LABEL_OVERFLOW} == {
        ((("label", "client_id"),), 2)
    }


def test_it_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    guard = guard_of(Ledger(MemoryStore()))
    for number in range(20):
        client(guard, f"c{number}")
    assert [record.getMessage() for record in caplog.records] == [
        "more than 3 values of client_id: new ones count as other"
    ]


def test_all_workers_admit_the_same_clients(open_it: Callable[[], Store]) -> None:
    """Whatever the store: who came first is one list for all workers, and outlives them."""
    first, second = (guard_of(Ledger(open_it())) for _ in range(2))
    names = ["a", "b", "c", "d", "e"]
    assert [client(guard, name) for name in names for guard in (first, second)] == [
        "a", "a", "b", "b", "c", "c", OTHER, OTHER, OTHER, OTHER,
    ]  # fmt: skip
    later = guard_of(Ledger(open_it()))
    assert [client(later, name) for name in ("d", "b")] == [OTHER, "b"]


def test_clients_of_totals_go_on_where_the_list_was_pruned() -> None:
    store = MemoryStore()
    store.add([f.ATTEMPTS.count({**LABELS, "client_id": name}) for name in ("x", "y", "z", "acme")])
    guard = guard_of(Ledger(store))
    assert [client(guard, name) for name in ("new", "x", "z")] == [OTHER, "x", "z"]


def test_while_the_store_is_down_clients_keep_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    guard = guard_of(Ledger(store))

    def refuse(*_: object, **__: object) -> None:
        raise StoreUnavailable("gone")

    with monkeypatch.context() as patch:
        for name in ("transact", "totals", "add"):
            patch.setattr(store, name, refuse)
        assert client(guard, "a") == "a"
    assert [client(guard, name) for name in "abcd"] == ["a", "b", "c", OTHER]


def test_ten_thousand_unknown_clients_lose_no_event() -> None:
    ledger = Ledger(MemoryStore())
    guard = Guard(ledger, UNIVERSE, Settings().limits)
    for number in range(10_000):
        ledger.add([f.ATTEMPTS.count(dict(guard.labels({**LABELS, "client_id": f"client-{number}"})))])
    found = {dict(t.labels)["client_id"]: t.value for t in ledger.totals() if t.name == v.ATTEMPTS}
    assert sum(found.values()) == 10_000
    assert (len(found), found[OTHER]) == (201, 9_800)
    [overflow] = [total.value for total in ledger.totals() if total.name == v.LABEL_OVERFLOW]
    assert overflow == 9_800
