"""The pieces of `python -m bench load` at work on twenty SLOs; the estimate beside what a real Prometheus counts."""

import shutil
from collections.abc import Iterator

import pytest

from bench import history, inputs
from bench.load import counted, estimated, feed, loaded, meter
from sloforge.pipeline import Compiled, compile_text
from tests.live.servers import Prometheus, wait_for

SLOS = 20
HISTORY_S = 6 * 3600

pytestmark = pytest.mark.skipif(
    not (shutil.which("prometheus") and shutil.which("promtool")), reason="needs prometheus and promtool"
)


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_text(inputs.own(SLOS), "slo_definitions.yml")


@pytest.fixture(scope="module")
def server(compiled: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    rules = history.of_plan(compiled.plans[0])
    folder = tmp_path_factory.mktemp("load")
    with loaded(compiled.artifacts[0].text, rules, SLOS, folder, HISTORY_S) as running:
        yield running


def test_the_estimate_is_what_prometheus_reads_or_a_little_more(server: Prometheus, compiled: Compiled) -> None:
    """More, as it takes failures to be as many series as all events; docs/scale.md says up to a sixth."""
    read = counted(server, history.of_plan(compiled.plans[0]), SLOS)
    assert 0.95 * read < estimated(compiled, HISTORY_S) < 7 / 6 * read


def test_every_series_that_rules_look_back_on_has_a_past(server: Prometheus) -> None:
    assert server.by_slo("count by (slo) (count_over_time(slo:events_total:delta5m[6h]) >= 71)") == {
        f"slo-{n:04}": 1 for n in range(SLOS)
    }


def test_remote_write_arrives(server: Prometheus) -> None:
    before = server.now()
    feed(server, SLOS, 1)
    wait_for(
        "all series were written",
        lambda: server.query(f'count(timestamp(http_requests_total{{outcome="success"}}) > {before - 1})') or None,
        10,
    )
    assert server.query("count(http_requests_total)") == [({}, 2.0 * SLOS)]


def test_the_meter_knows_the_groups(server: Prometheus) -> None:
    now = meter(server)
    assert set(now.durations_s) == {"bench-fast", "bench-slow"}
    assert now.resident > 0
    assert server.errors() == []
