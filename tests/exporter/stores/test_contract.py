"""What every store promises, tried on all of them: memory, sqlite and a real Redis."""

import threading
from collections.abc import Callable

import pytest

from sloforge.exporter.records import Change, Count, Decide, Labels, Open, Record, Ref, Seed, Store, Total, key_hash
from tests.exporter.conftest import START_S, FakeClock

OpenIt = Callable[[], Store]

REF = Ref("attempt/api", key_hash("post 1"))
OTHER = Ref("visibility", key_hash("post 1"))
ACME: Labels = (("client_id", "acme"), ("platform", 'q"u\\o\nte \N{SNOWMAN}'))
LEASED = Record({"state": "running", "fence": 1}, due_s=START_S + 120, open=True, group=ACME, since_s=START_S)


def put(record: Record | None, *counts: Count, seeds: tuple[Seed, ...] = ()) -> Decide[Record | None]:
    """Decide to write `record`, and answer with the one before it."""
    return lambda old, now: Change(result=old, record=record, counts=counts, seeds=seeds)


def look(store: Store, ref: Ref = REF) -> Record | None:
    return store.transact(ref, put(None))


def values(store: Store) -> dict[tuple[str, Labels], float]:
    return {(total.name, total.labels): total.value for total in store.totals()}


def test_a_record_comes_back_as_it_was_written(store: Store) -> None:
    """Whatever JSON can say, and every field beside it."""
    body = {"text": 'a "b"\n\x00 ☃ \ud800', "number": 0.1, "none": None, "list": [1, [2]], "map": {"x": True}}
    record = Record(body, due_s=START_S + 0.123456, open=True, group=ACME, since_s=START_S - 1 / 3)
    assert store.transact(REF, put(record)) is None
    assert look(store) == record
    assert look(store, OTHER) is None


def test_a_change_is_written_whole(store: Store) -> None:
    """Record, totals and seeds are there together, and each with its own."""
    counts = Count("a_total", ACME), Count("b_total", (), 2.5)
    store.transact(REF, put(LEASED, *counts, seeds=(Seed(OTHER.scope, LEASED),)))
    assert look(store) == look(store, OTHER) == LEASED
    assert values(store) == {("a_total", ACME): 1, ("b_total", ()): 2.5}


def test_a_seed_never_replaces_a_record(store: Store) -> None:
    store.transact(OTHER, put(Record({"state": "seen"})))
    store.transact(REF, put(LEASED, seeds=(Seed(OTHER.scope, LEASED),)))
    assert look(store, OTHER) == Record({"state": "seen"})
    assert [each.scope for each in store.open_groups()] == [REF.scope]


def test_a_decision_that_raises_leaves_nothing(store: Store) -> None:
    """Its exception passes through, and the store goes on."""

    def refuse(record: Record | None, now: float) -> Change[None]:
        raise KeyError("no")

    with pytest.raises(KeyError):
        store.transact(REF, refuse)
    assert look(store) is None
    assert store.totals() == []
    store.transact(REF, put(LEASED))
    assert look(store) == LEASED


def test_totals_are_exact_and_know_their_birth_and_last_trace(store: Store, clock: FakeClock) -> None:
    """Whole numbers stay whole; a count without a trace keeps the trace that was there."""
    store.add([Count("x_total", ACME, 1, "trace-1")])
    clock.now += 10
    store.add([Count("x_total", ACME, 2**52), Count("x_total", ACME, 1)])
    store.add([Count("x_total", ACME, 0.25, "trace-2", 7.5), Count("y_total", ())])
    found = sorted(store.totals())
    assert found == [
        Total("x_total", ACME, 2**52 + 2.25, START_S, "trace-2", 7.5, START_S + 10),
        Total("y_total", (), 1, START_S + 10),
    ]


def test_due_records_come_oldest_first(store: Store) -> None:
    for number in range(5):
        store.transact(Ref("job", key_hash(str(number))), put(Record({}, due_s=START_S + 10 - number)))
    store.transact(REF, put(Record({}, due_s=START_S + 100)))
    late = [Ref("job", key_hash(str(number))) for number in (4, 3, 2, 1, 0)]
    assert store.due(START_S + 10) == late
    assert store.due(START_S + 10, limit=2) == late[:2]
    assert store.due(START_S + 5) == []
    store.transact(late[0], put(Record({})))
    assert store.due(START_S + 10) == late[1:]


def test_open_records_are_counted_by_scope_and_group(store: Store) -> None:
    """Closing, or moving to another group, takes a record out of its old one."""
    for number in range(3):
        record = Record({}, open=True, group=ACME, since_s=START_S + number)
        store.transact(Ref("job", key_hash(str(number))), put(record))
    store.transact(REF, put(Record({}, open=True, since_s=START_S)))
    assert sorted(store.open_groups()) == [Open("attempt/api", (), 1, START_S), Open("job", ACME, 3, START_S)]
    store.transact(Ref("job", key_hash("0")), put(Record({})))
    store.transact(Ref("job", key_hash("1")), put(Record({}, open=True, group=(), since_s=START_S)))
    assert sorted(store.open_groups()) == [
        Open("attempt/api", (), 1, START_S),
        Open("job", (), 1, START_S),
        Open("job", ACME, 1, START_S + 2),
    ]


def test_touched_finds_what_was_written_since(store: Store, clock: FakeClock) -> None:
    store.transact(REF, put(LEASED))
    store.transact(OTHER, put(LEASED))
    clock.now += 10
    new = Ref("attempt/browser", key_hash("2"))
    store.transact(new, put(LEASED))
    assert store.touched("attempt/", START_S + 10) == [new]
    assert sorted(store.touched("attempt/", START_S)) == sorted([REF, new])
    look(store)
    assert store.touched("attempt/", START_S + 10) == [new], "looking is not touching"


def test_prune_forgets_old_closed_records_and_lowers_no_total(store: Store, clock: FakeClock) -> None:
    """What is open, due or was touched since stays."""
    refs = {name: Ref("job", key_hash(name)) for name in ("closed", "open", "due", "touched")}
    store.transact(refs["closed"], put(Record({}), Count("x_total", ())))
    store.transact(refs["open"], put(Record({}, open=True)))
    store.transact(refs["due"], put(Record({}, due_s=START_S)))
    store.transact(refs["touched"], put(Record({})))
    clock.now += 100
    store.transact(refs["touched"], put(Record({"again": True})))
    assert store.prune(START_S + 50) == 1
    assert [name for name, ref in refs.items() if look(store, ref) is None] == ["closed"]
    assert values(store) == {("x_total", ()): 1}
    assert store.prune(START_S + 50) == 0


def test_prune_looks_past_many_that_stay(store: Store, clock: FakeClock) -> None:
    for number in range(600):
        store.transact(Ref("job", key_hash(str(number))), put(Record({}, due_s=START_S)))
    clock.now += 1
    for number in range(600, 1200):
        store.transact(Ref("job", key_hash(str(number))), put(Record({})))
    assert store.prune(START_S + 50) == 600


def test_a_marked_change_is_made_once(open_it: OpenIt) -> None:
    """Also by another worker; a decision that raises leaves no mark."""
    one, two = open_it(), open_it()

    def refuse(record: Record | None, now: float) -> Change[None]:
        raise KeyError("no")

    with pytest.raises(KeyError):
        one.transact_once("entry", REF, refuse)
    assert one.transact_once("entry", REF, put(LEASED, Count("x_total", ())))
    assert not two.transact_once("entry", REF, put(Record({}), Count("x_total", ())))
    assert two.transact_once("another", REF, put(None, Count("x_total", ())))
    assert values(two) == {("x_total", ()): 2}
    assert look(two) == LEASED


def test_a_lease_has_one_holder_until_it_runs_out(open_it: OpenIt, clock: FakeClock) -> None:
    one, two = open_it(), open_it()
    assert one.acquire("metrics", "one", 15) == "one"
    assert two.acquire("metrics", "two", 15) == "one"
    assert two.acquire("other", "two", 15) == "two"
    clock.now += 10
    assert one.acquire("metrics", "one", 15) == "one", "renewed"
    clock.now += 10
    assert two.acquire("metrics", "two", 15) == "one"
    two.release("metrics", "two")
    assert two.acquire("metrics", "two", 15) == "one", "only its holder can give it back"
    one.release("metrics", "one")
    assert two.acquire("metrics", "two", 15) == "two"
    clock.now += 15
    assert one.acquire("metrics", "one", 15) == "one", "run out"


def test_time_never_goes_back(open_it: OpenIt, clock: FakeClock) -> None:
    """Neither for a worker that looks, nor for one that comes later."""
    one, two = open_it(), open_it()
    one.add([Count("x_total", ())])
    clock.now -= 300
    assert one.now() == two.now() == START_S
    two.add([Count("x_total", ())])
    clock.now = START_S + 100
    assert START_S <= two.now() <= one.now()


def test_last_write_is_told(store: Store, clock: FakeClock) -> None:
    assert store.last_write() == 0
    store.add([Count("x_total", ())])
    clock.now += 10
    look(store, REF)
    assert store.last_write() in (START_S, START_S + 10)


def test_a_closed_store_opens_again(open_it: OpenIt) -> None:
    store = open_it()
    store.transact(REF, put(LEASED))
    store.close()
    assert look(store) == LEASED


def test_threads_lose_nothing(open_it: OpenIt) -> None:
    """Eight threads of two workers on the same three records: every step is counted, and seen by the next."""
    stores = [open_it(), open_it()]

    def one_more(record: Record | None, now: float) -> Change[None]:
        steps = record.body["steps"] if record else 0
        return Change(result=None, record=Record({"steps": steps + 1}), counts=(Count("steps_total", ()),))

    def work(number: int) -> None:
        for step in range(30):
            stores[number % 2].transact(Ref("job", key_hash(str(step % 3))), one_more)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = [look(stores[0], Ref("job", key_hash(str(number)))) for number in range(3)]
    assert [record.body["steps"] for record in records if record] == [80, 80, 80]
    assert values(stores[0]) == {("steps_total", ()): 240}
