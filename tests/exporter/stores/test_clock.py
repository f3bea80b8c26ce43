"""The ledger's time: five minutes' steps of the wall clock neither expire leases nor stop the clock."""

import pytest

from sloforge.exporter.stores import clock as clocks
from sloforge.exporter.stores.clock import Clock, Reading
from tests.exporter.conftest import START_S, FakeClock


class Host:
    """A wall clock that can be set, a steady one that cannot, and the ledger's reading of them."""

    def __init__(self) -> None:
        self.wall, self.steady = FakeClock(START_S), FakeClock(100.0)
        self.clock = Clock(self.wall, self.steady)
        self.last: Reading | None = None

    def read(self) -> float:
        self.last = self.clock.after(self.last)
        return self.last.now_s

    def wait(self, seconds: float) -> None:
        self.wall.now += seconds
        self.steady.now += seconds


@pytest.mark.parametrize("step_s", [300.0, -300.0])
def test_a_step_of_the_wall_clock_is_followed_slowly(step_s: float) -> None:
    """Two minutes after it, the ledger's time is at most 10 % off two minutes; in the end it has caught up."""
    host = Host()
    host.read()
    host.wall.now += step_s
    seen = [host.read()]
    for _ in range(120):
        host.wait(1)
        seen.append(host.read())
    assert seen == sorted(seen)
    assert seen[0] == START_S
    assert 107.9 < seen[-1] - START_S < 132.1
    for _ in range(60):
        host.wait(60)
        host.read()
    assert host.read() == host.wall.now


def test_without_steps_it_is_the_wall_clock() -> None:
    host = Host()
    for _ in range(10):
        assert host.read() == host.wall.now
        host.wait(17.5)


def test_after_a_boot_it_is_the_wall_clock_unless_that_is_in_the_past(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steady clock starts anew at a boot, so it says nothing about the time between."""
    host = Host()
    host.read()
    monkeypatch.setattr(clocks, "boot_id", lambda: "another boot")
    host.steady.now = 1.0
    host.wall.now += 300
    assert host.read() == START_S + 300
    monkeypatch.setattr(clocks, "boot_id", lambda: "a third boot")
    host.wall.now -= 1000
    assert host.read() == START_S + 300
