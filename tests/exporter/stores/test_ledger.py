"""The ledger while its store is down: what may not start, what is kept, and that all of it is counted once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sloforge.exporter.ledger import Ledger
from sloforge.exporter.records import Change, Count, Decide, Record, Ref, StoreUnavailable, key_hash
from sloforge.exporter.spool import Entry
from sloforge.exporter.steps import Step, step
from sloforge.exporter.stores import default_spool
from sloforge.exporter.stores.memory import MemoryStore
from tests.exporter.conftest import START_S, FakeClock

REF = Ref("attempt/api", key_hash("post 1"))
LIKES = (("action_type", "like"),)


class Switch(MemoryStore):
    """A store in memory that can be out of reach, before a change or (as Redis can be) right after it."""

    down = False
    silent = False

    def transact(self, ref: Ref, decide: Decide[Any], *, durable: bool = False) -> Any:
        self._break()
        return super().transact(ref, decide, durable=durable)

    def transact_once(self, mark: str, ref: Ref, decide: Decide[Any]) -> bool:
        self._break()
        return super().transact_once(mark, ref, decide)

    def add(self, counts: Any) -> None:
        self._break()
        if self.silent:
            super().transact_once("the lost answer", REF, lambda record, now: Change(result=None, counts=counts))
            raise StoreUnavailable("no answer", mark="the lost answer")
        super().add(counts)

    def now(self) -> float:
        self._break()
        return super().now()

    def _break(self) -> None:
        if self.down:
            raise StoreUnavailable("out of reach")


def _note(word: str, by: str = "") -> Decide[str]:
    def decide(record: Record | None, now: float) -> Change[str]:
        words = [*(record.body["words"] if record else []), [word, now]]
        return Change(result=word, record=Record({"words": words}), counts=(Count("words_total", ()),))

    return decide


def _refuse(word: str) -> Decide[None]:
    raise ValueError("not a word")


NOTE: Step[..., str] = step("test.note")(_note)
REFUSE: Step[..., None] = step("test.refuse")(_refuse)


@pytest.fixture
def store(clock: FakeClock) -> Switch:
    return Switch(clock)


@pytest.fixture
def open_ledger(store: Switch, clock: FakeClock, tmp_path: Path) -> Callable[[], Ledger]:
    return lambda: Ledger(store, spool=tmp_path / "spool", clock=clock)


@pytest.fixture
def ledger(open_ledger: Callable[[], Ledger]) -> Ledger:
    return open_ledger()


def values(ledger: Ledger) -> dict[str, float]:
    return {"/".join([total.name, *(value for _, value in total.labels)]): total.value for total in ledger.totals()}


def words(ledger: Ledger) -> Any:
    return ledger.transact(REF, lambda record, now: Change(result=record and record.body["words"]))


@pytest.mark.parametrize("action_type", ["publish", "dm", "comment", "anything new"])
def test_what_must_not_happen_twice_does_not_start(ledger: Ledger, store: Switch, action_type: str) -> None:
    store.down = True
    with pytest.raises(StoreUnavailable):
        ledger.claim(REF, NOTE("claimed"), action_type=action_type)
    store.down = False
    assert words(ledger) is None
    assert values(ledger) == {"sloforge_store_errors_total/transact": 1}


def test_a_like_runs_unprotected_and_is_counted_so(ledger: Ledger, store: Switch) -> None:
    assert ledger.claim(REF, NOTE("claimed"), action_type="like") == "claimed"
    store.down = True
    assert ledger.claim(REF, NOTE("again"), action_type="like") is None
    assert not ledger.up
    store.down = False
    assert values(ledger) == {
        "words_total": 1,
        "sloforge_unprotected_runs_total/like": 1,
        "sloforge_store_errors_total/transact": 1,
    }
    assert ledger.up


def test_a_minute_out_of_reach_loses_nothing(ledger: Ledger, store: Switch, clock: FakeClock) -> None:
    """What happened meanwhile is told in order, each at the time at which it happened, and before what is new."""
    assert ledger.record(REF, NOTE, "before") == "before"
    store.down = True
    for _ in range(6):
        clock.now += 10
        assert ledger.record(REF, NOTE, "during", by="me") is None
        ledger.add([Count("likes_total", LIKES, 2)])
        assert ledger.now() == clock.now, "reckoned"
    store.down = False
    clock.now += 10
    ledger.record(REF, NOTE, "after")
    during = [["during", START_S + 10 * number] for number in range(1, 7)]
    assert words(ledger) == [["before", START_S], *during, ["after", START_S + 70]]
    found = values(ledger)
    assert (found["words_total"], found["likes_total/like"]) == (8, 12)
    assert ledger.spool is not None
    assert not ledger.spool.waiting()


def test_another_worker_replays_what_a_dead_one_left(
    ledger: Ledger, open_ledger: Callable[[], Ledger], store: Switch
) -> None:
    store.down = True
    ledger.record(REF, NOTE, "last words")
    store.down = False
    assert words(open_ledger()) == [["last words", START_S]]


def test_a_replay_that_is_cut_off_starts_again_and_counts_once(
    ledger: Ledger, store: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store goes away after the second of three entries, and right after a third was written."""
    store.down = True
    for word in ("one", "two", "three"):
        ledger.record(REF, NOTE, word)
    store.down = False
    applied = 0
    once = store.transact_once

    def cut_off(mark: str, ref: Ref, decide: Decide[Any]) -> bool:
        nonlocal applied
        applied += 1
        if applied == 3:
            raise StoreUnavailable("gone again")
        return once(mark, ref, decide)

    monkeypatch.setattr(store, "transact_once", cut_off)
    with pytest.raises(StoreUnavailable):
        ledger.replay()
    assert ledger.record(REF, NOTE, "four") == "four"
    assert [word for word, _ in words(ledger)] == ["one", "two", "three", "four"]


def test_a_change_whose_answer_was_lost_counts_once(ledger: Ledger, store: Switch) -> None:
    store.silent = True
    ledger.add([Count("likes_total", LIKES)])
    store.silent = False
    assert values(ledger)["likes_total/like"] == 1


def test_what_cannot_be_spooled_is_kept_in_memory(ledger: Ledger, store: Switch, tmp_path: Path) -> None:
    (tmp_path / "spool.lock").mkdir()
    store.down = True
    ledger.record(REF, NOTE, "one")
    ledger.record(REF, NOTE, "two")
    assert not (tmp_path / "spool").exists()
    store.down = False
    assert [word for word, _ in words(ledger)] == ["one", "two"]


def test_an_entry_that_its_step_refuses_is_set_aside(ledger: Ledger, store: Switch, tmp_path: Path) -> None:
    """As one of another version may be: the rest is applied, people see the one."""
    store.down = True
    ledger.add([Count("likes_total", LIKES)])
    assert ledger.spool is not None
    with pytest.raises(ValueError, match="not a word"):
        ledger.record(REF, REFUSE, "x")
    ledger.spool.append(Entry("id 1", START_S, REF.scope, REF.key.hex(), "test.refuse", ["x"]))
    ledger.spool.append(Entry("id 2", START_S, REF.scope, REF.key.hex(), "test.unknown"))
    ledger.record(REF, NOTE, "last")
    store.down = False
    found = values(ledger)
    assert found["sloforge_store_errors_total/spool"] == 2
    assert (found["likes_total/like"], found["words_total"]) == (1, 1)
    assert (tmp_path / "spool.corrupt").read_text().count("\n") == 2


def test_errors_are_told_at_the_end_at_the_latest(
    ledger: Ledger, open_ledger: Callable[[], Ledger], store: Switch
) -> None:
    store.down = True
    with pytest.raises(StoreUnavailable):
        ledger.claim(REF, NOTE("claimed"), action_type="publish")
    ledger.close()
    store.down = False
    assert values(open_ledger()) == {"sloforge_store_errors_total/transact": 1}


def test_each_kind_of_ledger_has_its_spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a file, in the user's state folder for a server (whose URL may hold a password), none for memory."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert default_spool("sqlite:///var/lib/ledger.db") == Path("/var/lib/ledger.db.spool")
    assert default_spool("memory://") is None
    path = default_spool("redis://:secret@host/0")
    assert path is not None
    assert path.parent == tmp_path / "state" / "sloforge"
    assert path.parent.is_dir()
    assert "secret" not in path.name


@pytest.mark.parametrize("url", ["", "sqlite:", "sqlite://", "postgres://host/db", "/var/lib/ledger.db"])
def test_a_url_that_is_none_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ValueError, match="write sqlite:///path/"):
        Ledger(url)
