"""Every query of dashboards and runbooks finds something: in both engines, and in a server that Grafana would ask.

The rules of one service run in an engine until all that a dashboard shows is there: an outage pages, turns the service
RED and freezes it, a hard stop is violated, combinations, tiers and shares have budgets. What was recorded goes into a
real Prometheus.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping

import pytest
import yaml

from sloforge.pipeline import Compiled, compile_text
from sloforge.plan.dashboard_ir import Dashboard, Mark, Query, Variable
from sloforge.plan.dashboards import plan_dashboards
from sloforge.plan.runbooks import plan_runbooks
from tests.live.servers import Prometheus, free_port, prometheus
from tests.rules import engine
from tests.rules.definitions import rule_files
from tests.rules.engine import VERSIONS, Points, Result, Series, simulate
from tests.rules.fleet import DAY, EPOCH_S, HOUR, MINUTE
from tests.rules.governed import SERVICE, definition, exposed, hard, past, scrapes, target

END_S = 100 * MINUTE
OUTAGE_S = 60 * MINUTE
IDENTITY = {"cluster": "eu1"}
EVENTS = {"acme": 60, "globex": 40}  # in a scrape
REASONS = {"reasons": {"failed": 'reasons_total{job="posts"}', "by": ["reason"]}}
POSTS = definition(
    "posts",
    by={"labels": ["client_id", "kind"], "objectives": {"kind": {"ad": 99.5}}},
    tiers={"premium": {"objective": 99.5}},
    partition={"by": "client_id", "shares": {"acme": 60, "globex": 40}},
    alerts=True,
    **REASONS,
)
SLOS = (POSTS, definition("quick", alerts={"page": False, "ticket": True}), hard("wrong"))
MORE = {"clients": {"acme": "premium"}, "identity": IDENTITY}


def compiled() -> Compiled:
    document = {"apiVersion": "sloforge/v1", "service": SERVICE, **MORE, "slos": list(SLOS)}
    result = compile_text(yaml.safe_dump(document), "oracle.yml")
    assert not result.checked.failed, result.diagnostics
    return result


def dashboards() -> tuple[Dashboard, ...]:
    return plan_dashboards(compiled().checked.services)


def looked_up() -> dict[str, str]:
    """Return what the runbooks tell people to ask."""
    result = compiled()
    [plan] = plan_runbooks(result.checked.services, result.plans)
    told = [(book.slo.id, lookup) for book in plan.runbooks for lookup in book.lookups]
    return {f"runbook / {lookup.what} / {slo}": lookup.expr for slo, lookup in told}


def history() -> list[Series]:
    """Two clients' events; from OUTAGE_S on half of them fail. A million events lie behind, and none failed."""
    times = scrapes(-HOUR, END_S)
    series = [*target("posts", times), *target("quick", times), *target("wrong", times)]
    for client, many in EVENTS.items():
        labels = {"client_id": client, "kind": "ad" if client == "acme" else "post"}
        failed = {time: sum(OUTAGE_S < other <= time for other in times) * many // 2 for time in times}
        series += [
            exposed("requests_total", "posts", {time: 1e6 + n * many for n, time in enumerate(times)}, **labels),
            exposed("failures_total", "posts", failed, **labels),
            exposed("reasons_total", "posts", failed, reason=f"{client} is down"),
        ]
    series += [
        exposed("requests_total", "quick", {time: 1e6 + n for n, time in enumerate(times)}),
        exposed("failures_total", "quick", dict.fromkeys(times, 0)),
        exposed("violations_total", "wrong", {time: float(time > HOUR) for time in times}, case="wrong"),
    ]
    return series + [_identified(one) for slo in ("posts", "quick", "wrong") for one in past(slo, 1_000_000)]


def _identified(one: Series) -> Series:
    return Series({**one.labels, **IDENTITY}, one.times, one.values)


def chosen(promql: str, slo: str = "") -> str:
    """Return what Grafana makes of a query once the reader has chosen."""
    choice = {"service": SERVICE, "slo": slo, **{f"identity_{label}": value for label, value in IDENTITY.items()}}
    return re.sub(r"\$\{(\w+)\}", lambda found: choice[found[1]], promql)


def asked() -> dict[str, str]:
    """Return every query of every dashboard, by a name that says where it stands; of SLOs, one for each."""
    found: dict[str, str] = {}
    for dashboard in dashboards():
        named: list[tuple[str, Query | Mark]] = [(f"mark {mark.title}", mark) for mark in dashboard.marks]
        named += [(f"{panel.title}: {query.name}", query) for panel in dashboard.panels() for query in panel.queries]
        for name, query in named:
            slos = [str(slo["id"]) for slo in SLOS] if "${slo}" in query.expr else [""]
            for slo in slos:
                key = f"{dashboard.uid} / {name} / {slo}"
                assert key not in found
                found[key] = chosen(query.expr, slo)
    return found


def answered(names: Mapping[str, bool]) -> set[str]:
    """Return which queries, whatever the SLO, found something."""
    return {name.rpartition(" / ")[0] for name, found in names.items() if found}


def play(version: str, queries: Mapping[str, engine.Query]) -> Result:
    result = simulate(rule_files(SLOS, **MORE), history(), queries, end_s=END_S, version=version)
    assert result.errors == {}
    return result


@pytest.mark.parametrize("version", VERSIONS)
def test_every_query_finds_something(version: str) -> None:
    queries = {name: engine.Query(expr, END_S) for name, expr in (asked() | looked_up()).items()}
    result = play(version, queries)
    found = answered({name: bool(points) for name, points in result.answers.items()})
    assert answered(dict.fromkeys(queries, True)) - found == set()


# --- in a server ------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus that holds what the rules recorded in the last hour of the outage."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        pytest.skip("needs prometheus and promtool")
    folder = tmp_path_factory.mktemp("prometheus")
    everything = '{__name__=~"slo.+"}'
    recorded = play("prom3", {"all": engine.Query(everything, END_S, from_s=END_S - HOUR, step_s=MINUTE)})
    (folder / "recorded.om").write_text(_open_metrics(recorded.answers["all"]), encoding="utf-8")
    argv = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "recorded.om", "data"]
    subprocess.run(argv, cwd=folder, check=True, capture_output=True, timeout=120)
    (folder / "prometheus.yml").write_text("{}\n", encoding="utf-8")
    with prometheus(folder / "prometheus.yml", free_port(), folder, "--storage.tsdb.retention.time=100y") as running:
        yield running


def _open_metrics(series: list[Points]) -> str:
    lines = [
        f"{points.labels['__name__']}{{{labels}}} {value:.17g} {EPOCH_S + time:.3f}"
        for points in sorted(series, key=lambda points: points.labels["__name__"])
        for labels in [",".join(f'{name}="{text}"' for name, text in points.labels.items() if name != "__name__")]
        for time, value in zip(points.times, points.values, strict=True)
    ]
    return "\n".join([*lines, "# EOF\n"])


def test_a_server_answers_every_query_over_time(server: Prometheus) -> None:
    end = str(EPOCH_S + END_S)
    found = {}
    start = str(EPOCH_S + END_S - HOUR)
    for name, expr in asked().items():
        found[name] = bool(server.get("query_range", query=expr, start=start, end=end, step="60")["result"])
    assert answered(dict.fromkeys(found, True)) - answered(found) == set()


def test_every_choice_has_values(server: Prometheus) -> None:
    expected = {"service": [SERVICE], "slo": ["posts", "quick", "wrong"], "identity_cluster": ["eu1"]}
    variables: list[Variable] = [variable for dashboard in dashboards() for variable in dashboard.variables]
    assert {variable.name for variable in variables} == expected.keys()
    for variable in variables:
        selector, start, end = chosen(variable.series), str(EPOCH_S), str(EPOCH_S + DAY)
        values = server.get(f"label/{variable.of}/values", **{"match[]": selector, "start": start, "end": end})
        assert values == expected[variable.name]


def test_what_the_figures_say(server: Prometheus) -> None:
    """The outage took 100 events in each of 80 scrapes, half of them failed: 4,000 of 1,010,000-odd at 99 %."""
    posts = dashboards()[1]
    then = str(EPOCH_S + END_S)

    def figure(title: str, number: int = 0) -> float:
        panel = next(panel for panel in posts.panels() if panel.title == title)
        result = server.get("query", query=chosen(panel.queries[number].expr, "posts"), time=then)["result"]
        return float(result[0]["value"][1])

    assert figure("Band") == 2
    assert figure("Budget left") == pytest.approx(figure("Budget left", 1)) == pytest.approx(0.61, abs=0.06)
    assert figure("SLI and objective", 2) == pytest.approx(0.99)
