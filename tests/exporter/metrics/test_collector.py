"""What Prometheus reads: zeros from the start, births held, gauges, both formats, and a page whatever breaks."""

import shutil
import subprocess

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest as text_page
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_page
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from sloforge import vocabulary as v
from sloforge.exporter import families as f
from sloforge.exporter.collector import Collector
from sloforge.exporter.records import Change, Count, Record, Ref, StoreUnavailable
from sloforge.exporter.settings import Settings
from tests.exporter.metrics.pages import LABELS, START_S, UNIVERSE, Bench

STRANGER = {**LABELS, "client_id": "stranger"}


def test_declared_series_are_there_before_anything_happens() -> None:
    page = Bench().scrape()
    assert page.series(v.ATTEMPTS).keys() == {tuple(sorted(row.items())) for row in UNIVERSE.rows()}
    assert set(page.series(v.ATTEMPTS).values()) == {0}
    assert page.value(v.QUEUE_OLDEST, {"queue": "publishing", "lane": "browser"}) == 0
    assert page.value(v.DURATION + "_count", LABELS) == 0


def test_a_declared_tuple_costs_a_bounded_number_of_series() -> None:
    """A tuple more, with its platform, lane and client there already, adds what one tuple costs."""
    series = [len(Bench(universe=UNIVERSE).scrape().text.splitlines())]
    work = (*UNIVERSE.work, UNIVERSE.work[0]._replace(action_type="comment"))
    series.append(len(Bench(universe=type(UNIVERSE)(UNIVERSE.clients, work)).scrape().text.splitlines()))
    tuples = len(UNIVERSE.clients)
    shared = 12 + 11 + 4 + 3 + 3  # histograms and counters without a client
    assert (series[1] - series[0] - shared) / tuples <= 32


def test_a_declared_total_shows_at_once() -> None:
    bench = Bench()
    bench.scrape()
    bench.ledger.add([f.ATTEMPTS.count(LABELS, 3)])
    assert bench.scrape().value(v.ATTEMPTS, LABELS) == 3


@pytest.mark.parametrize("openmetrics", [False, True])
def test_an_undeclared_total_is_at_0_until_two_scrapes_have_seen_it(openmetrics: bool) -> None:
    bench = Bench()
    bench.scrape()
    bench.ledger.add([f.ATTEMPTS.count(STRANGER), *f.DURATION.observe({**STRANGER, "platform": "youtube"}, 3)])
    seen = []
    for _ in range(4):
        page = bench.scrape(openmetrics=openmetrics)
        seen.append((page.value(v.ATTEMPTS, STRANGER), page.value(v.DURATION + "_sum", STRANGER, platform="youtube")))
        bench.now_s += 30
    assert seen == [(0, 0), (0, 0), (1, 3), (1, 3)]


def test_safety_is_never_held() -> None:
    bench = Bench()
    bench.scrape()
    bench.ledger.add([f.WRONG_ACCOUNT.count({**LABELS, "platform": "elsewhere"}), f.SPAM_LOOPS.count(STRANGER)])
    page = bench.scrape()
    assert page.value(v.WRONG_ACCOUNT, LABELS, platform="elsewhere") == 1
    assert page.value(v.SPAM_LOOPS, STRANGER) == 1


def test_what_was_born_while_nobody_exposed_the_ledger_is_shown_at_0_first() -> None:
    bench = Bench()
    bench.scrape()
    bench.ledger.add([f.ATTEMPTS.count(LABELS)])
    bench.now_s += 30
    bench.scrape()
    bench.now_s += 600
    bench.ledger.add([f.RECOVERIES.count(LABELS), f.ATTEMPTS.count(LABELS)])
    bench.now_s += 1
    bench.restart()
    page = bench.scrape()
    assert (page.value(v.ATTEMPTS, LABELS), page.value(v.RECOVERIES, LABELS)) == (2, 0)
    bench.now_s += 60
    assert bench.scrape().value(v.RECOVERIES, LABELS) == 1


def test_old_history_is_no_news() -> None:
    """A first exporter of a ledger with a past: shown from 0, the past would burn as if it had happened just now."""
    bench = Bench()
    bench.ledger.add([f.ATTEMPTS.count(LABELS, 500)])
    bench.now_s += 86400
    assert bench.scrape().value(v.ATTEMPTS, LABELS) == 500


def test_histogram_buckets_add_up() -> None:
    bench = Bench()
    bench.scrape()
    for seconds in (0.5, 1, 3, 4, 5000):
        bench.ledger.add(f.DURATION.observe(LABELS, seconds))
    page = bench.scrape(openmetrics=True)
    assert [page.value(v.DURATION + "_bucket", LABELS, le=le) for le in ("1.0", "2.0", "5.0", "900.0", "+Inf")] == [
        2, 2, 4, 4, 5,
    ]  # fmt: skip
    assert page.value(v.DURATION + "_count", LABELS) == 5
    assert page.value(v.DURATION + "_sum", LABELS) == 5008.5


def _open(bench: Bench, scope: str, group: dict[str, str], since_s: float, key: bytes) -> None:
    record = Record({}, open=True, group=tuple(sorted(group.items())), since_s=since_s)
    bench.ledger.transact(Ref(scope, key), lambda old, now: Change(result=None, record=record))


def test_gauges_tell_what_is_open() -> None:
    bench = Bench()
    for number in range(3):
        _open(bench, "attempt", {"lane": "api", "platform": "instagram"}, START_S, bytes([number]))
        _open(bench, "visibility", {"lane": "api", "platform": "instagram"}, START_S - number, bytes([number]))
    job = {"lane": "browser", "queue": "publishing"}
    _open(bench, "queue/publishing", {**job, "state": "due"}, START_S - 90, b"a")
    _open(bench, "queue/publishing", {**job, "state": "scheduled"}, START_S + 90, b"b")
    _open(bench, "queue/publishing", {**job, "state": "running"}, START_S - 900, b"c")
    _open(bench, "episode", {"side_effects": "true"}, START_S, b"d")
    _open(bench, "incident", {"dependency": "graph", "platform": "instagram", "excluded": "true"}, START_S, b"e")
    page = bench.scrape()
    assert page.value(v.IN_FLIGHT, {"lane": "api", "platform": "instagram"}) == 3
    assert page.value(v.VISIBILITY_OLDEST, {"lane": "api", "platform": "instagram"}) == START_S - 2
    assert page.value(v.QUEUE_OLDEST, job) == START_S - 90
    assert [page.value(v.QUEUE_JOBS, job, state=state) for state in ("scheduled", "due", "running")] == [1, 1, 1]
    assert page.value(v.EPISODES_RUNNING, {"side_effects": "true"}) == 1
    assert list(page.series(v.INCIDENT_ACTIVE).values()) == [1]


def test_a_job_that_is_due_later_is_not_the_oldest_one() -> None:
    """0 while nothing is due, also where nobody has looked at the job since its time came."""
    bench = Bench()
    job, elsewhere = {"lane": "api", "queue": "publishing"}, {"lane": "other", "queue": "publishing"}
    _open(bench, "queue/publishing", {**job, "state": "scheduled"}, START_S + 90, b"a")
    _open(bench, "queue/publishing", {**elsewhere, "state": "scheduled"}, START_S + 90, b"b")
    for late_s, oldest_s in ((0, 0), (90, START_S + 90), (500, START_S + 90)):
        bench.now_s = START_S + late_s
        page = bench.scrape()
        assert [page.value(v.QUEUE_OLDEST, labels) for labels in (job, elsewhere)] == [oldest_s, oldest_s]
        assert page.value(v.QUEUE_JOBS, job, state="scheduled") == 1


def test_the_process_tells_about_itself() -> None:
    bench = Bench()
    bench.ledger.add([f.ATTEMPTS.count(LABELS)])
    bench.now_s += 30
    for _ in range(3):  # that totals were shown is written down too, but says nothing about workers
        assert bench.scrape().value(v.LEDGER_LAST_WRITE, {}) == START_S
        bench.now_s += 30
    bench.restart()
    page = bench.scrape()
    assert page.value(v.LEDGER_LAST_WRITE, {}) == START_S
    assert page.value(v.LAST_UPDATE, {}) == bench.now_s
    assert page.series(v.CLIENT_INFO).keys() == {
        (("client_id", "acme"), ("tier", "gold")),
        (("client_id", "blend"), ("tier", "silver")),
    }
    assert page.value(v.STORE_UP, {}) == 1
    assert len(page.series(v.BUILD_INFO)) == 1


def _break(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreUnavailable("the disk is gone")

    for name in ("totals", "open_groups", "last_write", "transact", "add"):
        monkeypatch.setattr(bench.store, name, refuse)


def test_while_the_store_is_down_totals_stay_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    """If they vanished for more than an hour and came back, rules would take all they ever counted for new."""
    bench = Bench()
    bench.scrape()
    bench.ledger.add([f.ATTEMPTS.count(LABELS, 7)])
    bench.scrape()
    _break(bench, monkeypatch)
    bench.now_s += 60
    page = bench.scrape()
    assert page.value(v.STORE_UP, {}) == 0
    assert page.value(v.ATTEMPTS, LABELS) == 7
    assert page.value(v.LAST_UPDATE, {}) == START_S


def test_without_any_totals_there_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    _break(bench, monkeypatch)
    with pytest.raises(StoreUnavailable):
        bench.scrape()


def test_one_failing_family_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.scrape()
    bench.ledger.add([Count(v.DURATION + "_bucket", (("lane", "api"),))])  # without its bound
    page = bench.scrape()
    assert v.DURATION + "_bucket" not in page.names()
    assert page.value(v.ATTEMPTS, LABELS) == 0
    bench.now_s += 60
    assert bench.scrape().value(v.STORE_ERRORS, {"operation": "expose"}) is not None


def test_labels_of_another_version_cannot_make_one_series_twice() -> None:
    bench = Bench()
    bench.scrape()
    older = f.ATTEMPTS.count(LABELS)._replace(labels=tuple(sorted({**LABELS, "worker": "7"}.items())))
    bench.ledger.add([older, f.ATTEMPTS.count(LABELS)])
    assert bench.scrape().value(v.ATTEMPTS, LABELS) == 2


NASTY = 'quo"te\\back\nline\ttab\x00nul ünï \u2028'


@pytest.mark.parametrize("openmetrics", [False, True])
def test_any_label_value_survives_both_formats(openmetrics: bool) -> None:
    bench = Bench(settings=Settings(birth_hold_s=1))
    bench.scrape()
    bench.ledger.add([f.ATTEMPTS.count({**LABELS, "client_id": NASTY})])
    bench.now_s += 5
    assert bench.scrape(openmetrics=openmetrics).value(v.ATTEMPTS, {**LABELS, "client_id": NASTY}) == 1


def test_exemplars_and_births_are_for_openmetrics_only() -> None:
    bench = Bench()
    bench.scrape()
    bench.ledger.add([f.ATTEMPTS.count(LABELS, trace_id="t" * 500)])
    plain, rich = bench.scrape(), bench.scrape(openmetrics=True)
    assert not [name for name in plain.names() if name.endswith("_created")]
    assert "trace_id" not in plain.text
    assert rich.value(v.ATTEMPTS.replace("_total", "_created"), LABELS) == START_S
    [exemplar] = [s.exemplar for family in rich.families for s in family.samples if s.exemplar]
    assert exemplar.labels == {"trace_id": "t" * 120}
    assert (exemplar.value, str(exemplar.timestamp)) == (1, f"{START_S:.9f}")


def test_each_bucket_shows_its_last_observation_that_was_traced() -> None:
    """With the value that was observed, which lies in that bucket; others leave it as it is."""
    bench = Bench()
    bench.scrape()
    for seconds, trace in ((3.25, "first"), (4.5, "second"), (4.75, ""), (7000, "slow")):
        bench.now_s += 1
        bench.ledger.add(f.DURATION.observe(LABELS, seconds, trace_id=trace))
    for _ in range(2):
        page = bench.scrape(openmetrics=True)
        shown = [(s.labels["le"], s.exemplar) for family in page.families for s in family.samples if s.exemplar]
        assert [(le, last.labels["trace_id"], last.value) for le, last in shown] == [
            ("5.0", "second", 4.5), ("+Inf", "slow", 7000),
        ]  # fmt: skip
        bench.restart()  # the ledger has them, not the process
    assert "trace_id" not in bench.scrape().text


def _busy() -> Bench:
    """Return a ledger in which every family has something to show."""
    bench = Bench(settings=Settings(birth_hold_s=1))
    names = {label for family in f.FAMILIES for label in (*family.labels, *family.optional)}
    everything = dict.fromkeys(names, "x")
    for family in f.FAMILIES:
        match family.kind:
            case f.Kind.COUNTER:
                bench.ledger.add([family.count(everything, trace_id="abc")])
            case f.Kind.HISTOGRAM:
                bench.ledger.add(family.observe(everything, 4.2, trace_id="abc"))
            case f.Kind.GAUGE:
                pass
    bench.scrape()
    bench.now_s += 5
    return bench


@pytest.mark.parametrize("openmetrics", [False, True])
def test_every_family_is_shown(openmetrics: bool) -> None:
    bench = _busy()
    _open(bench, "incident", {"dependency": "graph", "platform": "instagram", "excluded": "true"}, START_S, b"e")
    shown = bench.scrape(openmetrics=openmetrics).names()
    ends = {f.Kind.COUNTER: "", f.Kind.GAUGE: "", f.Kind.HISTOGRAM: "_bucket"}
    assert {family.name + ends[family.kind] for family in f.FAMILIES} <= shown


@pytest.mark.parametrize("openmetrics", [False, True])
def test_pages_read_the_same_as_those_of_prometheus_client(openmetrics: bool) -> None:
    bench = _busy()
    registry = CollectorRegistry()
    registry.register(Twin(bench.collector, openmetrics))
    theirs = (openmetrics_page if openmetrics else text_page)(registry).decode()
    ours = bench.scrape(openmetrics=openmetrics)
    assert ours.families == list((read_openmetrics if openmetrics else read_text)(theirs))


class Twin:
    """A collector as a registry of prometheus_client takes it."""

    def __init__(self, collector: Collector, openmetrics: bool) -> None:
        self.collect = lambda: collector.collect(openmetrics)


def test_promtool_finds_nothing_to_blame() -> None:
    if not shutil.which("promtool"):
        pytest.skip("needs promtool")
    page = _busy().scrape().text
    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_totals_of_a_ledger_never_fall_on_the_page() -> None:
    """Over restarts, holds and new clients, no series that was shown is shown lower later."""
    bench = Bench()
    before: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}
    for step in range(40):
        labels = {**LABELS, "client_id": f"client-{step % 7}"}
        bench.ledger.add([f.ATTEMPTS.count(labels), f.SIDE_EFFECTS.count(labels), *f.DURATION.observe(labels, step)])
        if step % 9 == 0:
            bench.restart()
        if step % 3 == 0:
            page = bench.scrape(openmetrics=step % 2 == 0)
            for name in (v.ATTEMPTS, v.SIDE_EFFECTS, v.DURATION + "_bucket", v.DURATION + "_sum"):
                for series, value in page.series(name).items():
                    assert value >= before.get((name, series), 0)
                    before[name, series] = value
        bench.now_s += 17


def test_a_total_is_held_by_the_time_of_its_birth_only() -> None:
    """So that two Prometheus servers that scrape at different moments read the same."""
    bench = Bench()
    bench.scrape()
    bench.ledger.add([f.ATTEMPTS.count(STRANGER)])
    bench.now_s += 59
    assert bench.scrape().value(v.ATTEMPTS, STRANGER) == 0
    bench.now_s += 1
    assert bench.scrape().value(v.ATTEMPTS, STRANGER) == 1
