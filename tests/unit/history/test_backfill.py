"""What is filled in: which minutes, which five of them add up where, and what stands in the way."""

import io
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sloforge.history import backfill, blocks
from sloforge.history.backfill import FIVE_MS, five_of
from sloforge.history.minutes import MINUTE_MS, Grid
from sloforge.history.seam import Seam
from sloforge.plan.past import past_counts
from sloforge.plan.promql import Scope
from sloforge.query.answers import Series
from sloforge.query.endpoints import Endpoint
from tests.unit.history.minutes import SHOP, service

NOW_MS = 1_790_000_000_000
HERE = Endpoint("http://localhost:9090")


@settings(deadline=None)
@given(st.integers(60_001, 360_000), st.integers(1, 5000))
def test_every_minute_is_added_up_once_and_in_time(after_ms: int, ago: int) -> None:
    """Once it is a minute old, or right before the seam; never more than six minutes later."""
    seam = Seam(minute_ms=NOW_MS, five_ms=NOW_MS + after_ms)
    at_ms = NOW_MS - ago * MINUTE_MS
    due = five_of(at_ms, seam)
    assert due < seam.five_ms
    assert (seam.five_ms - due) % FIVE_MS == 0
    late_ms = due - at_ms
    assert late_ms < MINUTE_MS + FIVE_MS
    assert late_ms >= MINUTE_MS or due == seam.five_ms - FIVE_MS


def test_as_many_minutes_as_the_period_wants_are_filled_in() -> None:
    (slo,) = service().slos
    seam = Seam(minute_ms=NOW_MS - 3 * 3600_000, five_ms=NOW_MS - 3 * 3600_000 + 100_000)
    grid = seam.before(slo, NOW_MS)
    assert grid.at_ms(grid.size) == seam.minute_ms
    assert 0 <= NOW_MS - (slo.period_s + 3600) * 1000 - grid.first_ms < MINUTE_MS
    old = Seam(minute_ms=NOW_MS - 40 * 86400_000, five_ms=NOW_MS)
    assert old.before(slo, NOW_MS).size == 0


def test_the_past_is_counted_without_anything_recorded() -> None:
    extra = "    snapshots: true\n    by: {labels: [zone], limit: 7}\n"
    reasons = "    reasons: {failed: 'failures_total{job=\"shop\"}', by: [why]}\n"
    shop = service(SHOP.replace("    runbook", f"{extra}{reasons}    runbook"))
    counts = past_counts(shop.slos[0], Scope("shop"), 30)
    assert [count.by for count in counts] == [(), (), (), ("zone",), ("zone",), ("why",)]
    assert not [count.expr for count in counts if "slo_service" in count.expr or "slo_snapshot" in count.expr]
    assert "topk(7, " in counts[3].expr


def parts(
    monkeypatch: pytest.MonkeyPatch, recorded: dict[str, Seam], head_ms: int
) -> tuple[int, Sequence[backfill.Left]]:
    monkeypatch.setattr(backfill, "head_ms", lambda *_: head_ms)
    monkeypatch.setattr(backfill, "seams", lambda *_: recorded)
    shop = service()
    found, left = backfill.plan(HERE, [(shop, shop.slos[0])], NOW_MS, 1)
    return len(found), left


def test_what_cannot_be_filled_in_yet_says_when(monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Seam(minute_ms=NOW_MS - 3600_000, five_ms=NOW_MS - 3600_000 + 90_000)
    found, (left,) = parts(monkeypatch, {"checkout": fresh}, NOW_MS - 2 * 3600_000)
    assert (found, left.done) == (0, False)
    assert "shop/checkout: its first minutes are still in Prometheus' memory; come back after 2026-" in left.sentence
    found, (left,) = parts(monkeypatch, {}, NOW_MS)
    assert "have recorded nothing yet" in left.sentence
    old = Seam(minute_ms=NOW_MS - 30 * 86400_000, five_ms=NOW_MS - 30 * 86400_000)
    found, (left,) = parts(monkeypatch, {"checkout": old}, NOW_MS)
    assert (found, left.done) == (0, True)
    assert parts(monkeypatch, {"checkout": fresh}, NOW_MS) == (1, [])


def test_zeros_of_combinations_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """And labels that need it are escaped."""
    shop = service(SHOP.replace("    runbook", "    by: {labels: [zone]}\n    runbook"))
    seam = Seam(minute_ms=NOW_MS, five_ms=NOW_MS + 100_000)
    part = backfill.Part(service=shop, slo=shop.slos[0], seam=seam, grid=Grid(NOW_MS - 10 * MINUTE_MS, 10))

    def counted(_place: Endpoint, _expr: str, grid: Grid, *_: object, by_labels: bool) -> list[Series]:
        labels = (("zone", 'a"\\\n'),) if by_labels else ()
        return [Series(labels, tuple((grid.at_ms(n), float(n == 4)) for n in range(grid.size)))]

    monkeypatch.setattr(backfill, "counted", counted)
    out = io.StringIO()
    (filled,) = backfill.fill(HERE, [part], out, 1, lambda: None)
    lines = out.getvalue().splitlines()
    assert filled.samples == len(lines)
    at = f"{(NOW_MS - 6 * MINUTE_MS) // 1000}.000"
    assert f'slo_group:events_total:delta1m{{slo="checkout",slo_service="shop",zone="a\\"\\\\\\n"}} 1.0 {at}' in lines
    assert len([line for line in lines if line.startswith("slo_group:events_total:")]) == 2
    assert len([line for line in lines if line.startswith("slo:events_total:delta1m")]) == 10
    assert (filled.events, filled.failed) == (1, 1)
    assert filled.missing(part, HERE) == []


def test_blocks_are_moved_all_or_none(tmp_path: Path) -> None:
    made = [tmp_path / "a", tmp_path / "b"]
    for block in made:
        block.mkdir()
    data = tmp_path / "data"
    (data / "wal").mkdir(parents=True)
    (data / "b").write_text("in the way")
    with pytest.raises(OSError, match="b"):
        blocks.move(made, data)
    assert all(block.is_dir() for block in made)
    assert not (data / "a").exists()
    blocks.move(made[:1], data)
    assert (data / "a").is_dir()


def test_a_promtool_that_fails_makes_a_sentence(tmp_path: Path) -> None:
    tool = tmp_path / "promtool"
    tool.write_text("#!/bin/sh\necho 'no space left' >&2\nexit 1\n")
    tool.chmod(0o755)
    with (
        pytest.raises(blocks.BlocksError, match="promtool made no blocks: no space left"),
        blocks.workshop(tmp_path) as shop,
    ):
        blocks.make_blocks(str(tool), shop, lambda out: None)
    assert [path.name for path in tmp_path.iterdir()] == ["promtool"]
