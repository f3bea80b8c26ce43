"""The SLI library against what its exporters expose: series of their names and labels, and of a known truth.

Each fleet shows, beside what the SLI is about, what it must not count: other routes, other groups, statuses that are no
answer. All of those fail all the time, so that a matcher too wide shows at once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from sloforge.parse.library import shipped
from tests.rules.definitions import only, rule_files
from tests.rules.engine import VERSIONS, Query, Series, simulate
from tests.rules.fleet import (
    HOUR,
    MINUTE,
    SUCCESS,
    Counters,
    Event,
    Fleet,
    Labels,
    Pairs,
    Process,
    Target,
    flat,
    outages,
    traffic,
)
from tests.rules.scenarios import Scenario, labels
from tests.rules.test_counts import COUNTING, complaints, play

END_S = 5 * HOUR
RESTART_S = 2 * HOUR
OUTAGE = (3 * HOUR, 3.5 * HOUR)


def metric(name: str, /, **more: str) -> Pairs:
    return (("__name__", name), *more.items())


def by_label(name: str, label: str, good: str, bad: str, ours: dict[str, str], *noise: dict[str, str]) -> Counters:
    """Return a counter that has the outcome in `label`, and others of the same name."""

    def counters(event: Event) -> Iterator[Pairs]:
        yield metric(name, **ours, **{label: good if event.end == SUCCESS else bad})
        for other in noise:
            yield metric(name, **{label: bad, **ours, **other})

    return counters


def histogram(name: str, bounds: str, threshold: str, ours: dict[str, str], *noise: dict[str, str]) -> Counters:
    """Return a histogram in which successes are as slow as the threshold allows, and failures slower."""
    known = bounds.split()

    def counters(event: Event) -> Iterator[Pairs]:
        within = known[known.index(threshold) :] if event.end == SUCCESS else known[known.index(threshold) + 1 :]
        for about, reached in ((ours, within), *(({**ours, **other}, []) for other in noise)):
            yield metric(f"{name}_count", **about)
            for bound in (*reached, "+Inf"):
                yield metric(f"{name}_bucket", **about, le=bound)

    return counters


def celery(event: Event) -> Iterator[Pairs]:
    """Each event of a task; `track_task_event` touches the other counters as well, which adds nothing to them."""
    ours = {"name": "shop.receipt", "hostname": "w1", "queue_name": "celery"}
    yield metric("celery_task_received_total", **ours)
    if event.end == SUCCESS:
        yield metric("celery_task_succeeded_total", **ours)
    else:
        yield metric("celery_task_retried_total", **ours)
        yield metric("celery_task_failed_total", **ours, exception="TimeoutError")
    yield metric("celery_task_failed_total", **{**ours, "name": "shop.other"}, exception="KeyError")


def postgres(event: Event) -> Iterator[Pairs]:
    ours = {"datid": "16384", "datname": "shop"}
    outcome = "commit" if event.end == SUCCESS else "rollback"
    yield metric(f"pg_stat_database_xact_{outcome}", **ours)
    yield metric("pg_stat_database_xact_rollback", datid="5", datname="postgres")


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """What an exporter shows, the parameters of the SLI, and how the exporter differs from an ordinary process.

    `pushed`: without `up`, as over OTLP; `start` whether it tells its start time; `ledger` whether its counters
    outlive it, because they are another program's.
    """

    counters: Counters
    given: dict[str, str] = field(default_factory=dict)
    pushed: bool = False
    start: bool = True
    ledger: bool = False


OTEL_BOUNDS = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10"
DEFAULT_BOUNDS = "0.005 0.01 0.025 0.05 0.1 0.25 0.5 1 2.5 5 10"  # client_golang's
PYTHON_BOUNDS = "0.005 0.01 0.025 0.05 0.075 0.1 0.25 0.5 0.75 1 2.5 5 7.5 10"
APISERVER_BOUNDS = "0.005 0.025 0.05 0.1 0.2 0.4 0.6 0.8 1 1.25 1.5 2 3 4 5 6 8 10 15 20 30 45 60"
CHECKOUT = {"http_route": "/checkout", "http_request_method": "POST"}
CALL = {"grpc_type": "unary", "grpc_service": "shop.v1.Checkout", "grpc_method": "Pay"}
PODS = {"verb": "POST", "resource": "pods", "subresource": "", "scope": "namespace", "group": "", "version": "v1"}
POST = {"handler": "/checkout", "method": "POST"}

COUNTED = {
    "http/availability": Exposed(
        counters=by_label(
            "http_server_request_duration_seconds_count",
            "http_response_status_code",
            "404",
            "503",
            CHECKOUT,
            {"http_route": "/cart"},
            {"http_request_method": "GET"},
            {"http_response_status_code": ""},
        ),
        given={"route": "/checkout", "method": "POST", "except": "/cart"},
        pushed=True,
    ),
    "http/latency": Exposed(
        counters=histogram(
            "http_server_request_duration_seconds", OTEL_BOUNDS, "0.5", CHECKOUT, {"http_route": "/healthz"}
        ),
        given={"threshold": "500ms", "except": "/healthz"},
        pushed=True,
    ),
    "http-requests/availability": Exposed(
        counters=by_label("http_requests_total", "code", "200", "500", POST, {"handler": "/cart"}),
        given={"handler": "/checkout"},
    ),
    "http-requests/latency": Exposed(
        counters=histogram("http_request_duration_seconds", DEFAULT_BOUNDS, "1", POST, {"handler": "/healthz"}),
        given={"except": "/(healthz|metrics)", "threshold": "1s"},
    ),
    "grpc/availability": Exposed(
        counters=by_label(
            "grpc_server_handled_total", "grpc_code", "NotFound", "Unavailable", CALL, {"grpc_service": "shop.v1.Cart"}
        ),
        given={"service": "shop.v1.Checkout", "method": "Pay"},
    ),
    "grpc/latency": Exposed(
        counters=histogram(
            "grpc_server_handling_seconds", DEFAULT_BOUNDS, "0.25", CALL, {"grpc_type": "server_stream"}
        ),
        given={"threshold": "250ms"},
    ),
    "grpc-otel/availability": Exposed(
        counters=by_label(
            "rpc_server_duration_milliseconds_count",
            "rpc_grpc_status_code",
            "5",
            "13",
            {"rpc_system": "grpc", "rpc_service": "shop.v1.Checkout", "rpc_method": "Pay"},
            {"rpc_method": "Refund"},
        ),
        given={"service": "shop.v1.Checkout", "method": "Pay"},
        pushed=True,
    ),
    "kubernetes/apiserver-availability": Exposed(
        counters=by_label("apiserver_request_total", "code", "429", "504", PODS, {"verb": "WATCH"}),
        given={"verb": "GET|LIST|POST", "resource": "pods"},
    ),
    "kubernetes/apiserver-latency": Exposed(
        counters=histogram(
            "apiserver_request_duration_seconds",
            APISERVER_BOUNDS,
            "1",
            PODS,
            {"verb": "WATCH"},
            {"scope": "cluster"},
            {"subresource": "exec"},
        ),
        given={"verb": "POST|PUT", "scope": "namespace"},
    ),
    "celery/success": Exposed(counters=celery, given={"task": "shop.receipt", "queue": "celery"}, start=False),
    "celery/runtime": Exposed(
        counters=histogram(
            "celery_task_runtime",
            PYTHON_BOUNDS,
            "10",
            {"name": "shop.receipt", "hostname": "w1", "queue_name": "celery"},
            {"name": "shop.other"},
        ),
        given={"task": "shop.receipt", "threshold": "10s"},
        start=False,
    ),
    "postgres/commits": Exposed(counters=postgres, given={"database": "shop"}, ledger=True),
}


def scenario(name: str, exposed: Exposed, version: str) -> Scenario:
    """Return an exporter that restarts once: under a new instance where it pushes, in place where it is scraped."""
    job = name.replace("/", "-")
    before, after = Process(stop_s=RESTART_S), Process(start_s=RESTART_S + 20)
    spelling = three if version == "prom3" else dict
    if exposed.pushed:
        targets = (
            Target(labels=labels(job, "a"), runs=(before,), until_s=RESTART_S, removed=False, spelling=spelling),
            Target(labels=labels(job, "b"), runs=(after,), from_s=RESTART_S + 20, spelling=spelling),
        )
    else:
        targets = (Target(labels=labels(job, "a:80"), runs=(before, after), spelling=spelling),)
    events = traffic(flat(600), outages(OUTAGE, within=0.3, otherwise=0.01), from_s=10 * MINUTE, end_s=END_S - HOUR)
    quiet = (RESTART_S - 5 * MINUTE, RESTART_S + 5 * MINUTE)  # what a restart costs is not the point here
    fleet = Fleet(
        events=tuple(event for event in events if not quiet[0] <= event.time < quiet[1]),
        targets=targets,
        counters=exposed.counters,
        ledger=exposed.ledger,
        zeros=exposed.ledger,
        up=not exposed.pushed,
        starts=exposed.start,
        end_s=END_S,
    )
    return Scenario(id=job, fleet=fleet, slo={"sli": {"uses": name, "with": {"job": job, **exposed.given}}})


def three(given: Labels) -> Labels:
    """Return the labels as Prometheus 3 writes them: le="1.0"."""
    le = given.get("le", "")
    return {**given, "le": f"{le}.0"} if le.isdigit() else given


@pytest.mark.parametrize("version", VERSIONS)
def test_what_exporters_count_is_counted_exactly(version: str) -> None:
    """Total, failed and what is left of the budget, over an outage and a restart of each exporter."""
    cases = [scenario(name, exposed, version) for name, exposed in COUNTED.items()]
    result = play(cases, version, end_s=END_S)
    assert "\n".join(line for case in cases for line in complaints(case, result)) == ""


# --- probes -----------------------------------------------------------------

PROBED_S = 2 * HOUR
BAD = (HOUR, HOUR + 10 * MINUTE)


class Gauge(NamedTuple):
    """A gauge that an SLI probes: its good and bad value, what must not be probed, and the parameters."""

    name: str
    good: float
    bad: float
    ours: dict[str, str]
    noise: tuple[dict[str, str], ...]
    given: dict[str, str]


SHOP = {"instance": "https://shop.example.com"}
LAG = {"group": "billing", "topic": "orders", "lag": "1000"}
PROBED = {
    "blackbox/success": Gauge("probe_success", 1, 0, SHOP, ({"instance": "https://b"},), SHOP),
    "blackbox/duration": Gauge(
        "probe_duration_seconds", 0.5, 0.51, SHOP, ({"instance": "https://b"},), {**SHOP, "seconds": "0.5"}
    ),
    "kafka/lag": Gauge(
        "kafka_consumergroup_lag_sum",
        1000,
        1001,
        {"consumergroup": "billing", "topic": "orders"},
        ({"topic": "refunds"}, {"consumergroup": "audit"}),
        LAG,
    ),
    "kafka/lag-kminion": Gauge(
        "kminion_kafka_consumer_group_topic_lag",
        0,
        20_000,
        {"group_id": "billing", "topic_name": "orders"},
        ({"topic_name": "refunds"}, {"group_id": "audit"}),
        LAG,
    ),
    "kubernetes/deployment": Gauge(
        "kube_deployment_status_condition",
        1,
        0,
        {
            "namespace": "shop",
            "deployment": "checkout",
            "condition": "Available",
            "status": "true",
            "reason": "MinimumReplicasAvailable",
        },
        ({"status": "unknown"}, {"condition": "ReplicaFailure"}, {"deployment": "cart"}, {"namespace": "test"}),
        {"namespace": "shop", "deployment": "checkout"},
    ),
    "postgres/up": Gauge(
        "pg_up", 1, 0, {"instance": "db-1:9187"}, ({"instance": "db-2:9187"},), {"instance": "db-1:9187"}
    ),
}


def probed(job: str, gauge: Gauge) -> Iterator[Series]:
    """Yield the gauge, bad for ten minutes, and what must not be probed, bad all the time."""
    times = [7 + 30 * n for n in range(int(PROBED_S / 30))]
    values = [gauge.bad if BAD[0] <= time < BAD[1] else gauge.good for time in times]
    about = {"__name__": gauge.name, "job": job, "instance": "a:80", **gauge.ours}
    yield Series(about, times, values)
    for noise in gauge.noise:
        yield Series({**about, **noise}, times, [gauge.bad] * len(times))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_exporters_gauge_is_probed_each_minute(version: str) -> None:
    jobs = {name: name.replace("/", "-") for name in PROBED}
    slos = [
        {"id": jobs[name], "objective": "99", "sli": {"uses": name, "with": {"job": jobs[name], **gauge.given}}}
        for name, gauge in PROBED.items()
    ]
    series = [one for name, gauge in PROBED.items() for one in probed(jobs[name], gauge)]
    queries = {
        "total": Query(f"sum_over_time(slo:events_total:delta1m[{PROBED_S}s])", PROBED_S),
        "failed": Query(f"sum_over_time(slo:events_failed:delta1m[{PROBED_S}s])", PROBED_S),
        "ticks": Query(f"count_over_time(slo:events_total:delta1m[{PROBED_S}s])", PROBED_S),
        "period": Query("slo:events_total:sum_period", PROBED_S),
        "remaining": Query("slo:budget_remaining:ratio", PROBED_S),
    }
    result = simulate(only(rule_files(slos), *COUNTING), series, queries, end_s=PROBED_S, version=version)
    assert result.errors == {}
    for slo in jobs.values():
        total, failed, ticks, period = (result.value(name, slo=slo) for name in ("total", "failed", "ticks", "period"))
        assert (slo, failed) == (slo, 10)
        assert total == ticks >= PROBED_S / MINUTE - 2, slo
        assert period >= total - 5, slo  # sums of a day and more are made every five minutes
        assert result.value("remaining", slo=slo) == pytest.approx(1 - 10 / (0.01 * period)), slo


def test_every_sli_of_the_library_is_tried() -> None:
    assert COUNTED.keys() | PROBED.keys() == shipped().keys()
