"""The spool file: lines in order, each whole or set aside, from any number of processes."""

import multiprocessing
import os
from pathlib import Path

import pytest

from sloforge.exporter.spool import Entry, Spool


def entry(name: str) -> Entry:
    return Entry(name, 1.5, counts=[["x_total", [["label", 'quo"te\n☃\ud800']], 1, ""]])


def replayed(spool: Spool) -> tuple[list[Entry], list[bytes]]:
    entries: list[Entry] = []
    damaged: list[bytes] = []
    spool.replay(entries.append, damaged.append)
    return entries, damaged


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool")


def test_entries_come_back_in_order_and_only_once(spool: Spool) -> None:
    assert not spool.waiting()
    for name in "abc":
        spool.append(entry(name))
    assert spool.waiting()
    assert replayed(spool) == ([entry("a"), entry("b"), entry("c")], [])
    assert not spool.waiting()
    assert replayed(spool) == ([], [])


def test_what_is_written_during_a_replay_comes_after(spool: Spool) -> None:
    seen: list[str] = []

    def apply(each: Entry) -> None:
        seen.append(each.id)
        if len(seen) < 4:
            spool.append(entry(f"from {each.id}"))

    spool.append(entry("a"))
    spool.append(entry("b"))
    spool.replay(apply, lambda line: None)
    assert seen == ["a", "b", "from a", "from b", "from from a"]


def test_a_replay_that_fails_keeps_every_line(spool: Spool) -> None:
    spool.append(entry("a"))
    spool.append(entry("b"))

    def fail(each: Entry) -> None:
        if each.id == "b":
            raise ConnectionError

    with pytest.raises(ConnectionError):
        spool.replay(fail, lambda line: None)
    spool.append(entry("c"))
    assert [each.id for each in replayed(spool)[0]] == ["a", "b", "c"]


@pytest.mark.parametrize("cut", [1, 9, 30])
def test_a_torn_line_harms_no_other(spool: Spool, cut: int) -> None:
    """A machine that goes down in the middle of a line leaves its beginning; the next writer starts a new line."""
    spool.append(entry("a"))
    spool.append(entry("torn"))
    os.truncate(spool.path, spool.path.stat().st_size - cut)
    spool.append(entry("b"))
    entries, damaged = replayed(spool)
    assert [each.id for each in entries] == ["a", "b"] if cut > 1 else ["a", "torn", "b"]
    assert len(damaged) == (cut > 1)


@pytest.mark.parametrize("junk", [b"\n", b"\x00\xff\n", b"zzzzzzzz {}\n", b"00000000 {}\n", b'a505df1b {"x":1}\n'])
def test_junk_is_told_as_it_stands(spool: Spool, junk: bytes) -> None:
    spool.append(entry("a"))
    with spool.path.open("ab") as file:
        file.write(junk)
    spool.append(entry("b"))
    entries, damaged = replayed(spool)
    assert [each.id for each in entries] == ["a", "b"]
    assert damaged == [junk]


def test_a_flipped_bit_is_seen(spool: Spool) -> None:
    spool.append(entry("a"))
    text = bytearray(spool.path.read_bytes())
    text[text.index(b"1.5")] ^= 1
    spool.path.write_bytes(text)
    assert replayed(spool) == ([], [bytes(text)])


def _append_many(path: Path, writer: int) -> None:
    spool = Spool(path)
    for number in range(25):
        spool.append(entry(f"{writer}/{number}"))


def test_processes_append_and_replay_at_once(spool: Spool) -> None:
    """Nothing is lost or torn, and each writer's lines keep their order."""
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_append_many, args=(spool.path, number)) for number in range(4)]
    for writer in writers:
        writer.start()
    entries: list[Entry] = []
    damaged: list[bytes] = []
    while any(writer.is_alive() for writer in writers):
        spool.replay(entries.append, damaged.append)
    spool.replay(entries.append, damaged.append)
    assert damaged == []
    for number in range(4):
        mine = [each.id for each in entries if each.id.startswith(f"{number}/")]
        assert mine == [f"{number}/{step}" for step in range(25)]
