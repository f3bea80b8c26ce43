"""Objectives by tier of the client and by label, in whole numbers against known truth, on both engines."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import pytest

from tests.rules.definitions import only, rule_files
from tests.rules.engine import VERSIONS, Query, Result, Series, simulate
from tests.rules.fleet import HOUR, MINUTE, SCRAPE_S, Event, Fleet, Pairs, Truth, attempts, share, traffic
from tests.rules.scenarios import Definition, good_attempts, pair

END_S = 10 * HOUR
CLIENTS = {"acme": 5.0, "b.c|d": 2.0, "globex": 2.0, "initech": 1.0, "umbrella": 1.0}
TIERS = {"premium": {"objective": 99.9}, "silver": {"objective": 95}}
QUIET = (END_S - 6.5 * HOUR, END_S - 5.5 * HOUR)  # the period begins in it, so that what it holds is beyond doubt
BUDGETS = {"premium": 0.001, "silver": 0.05, "default": 0.01}
RECORDS = ("slo_group:", "slo_slow_group:", "slo_ledger_group:", "slo_tier:", "slo_label:", "slo_client:")
CONSTANTS = ("slo:error_budget:", "slo:period:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One SLO, and the fleet that it judges."""

    id: str
    fleet: Fleet
    more: Definition

    @property
    def definition(self) -> Definition:
        by = {"labels": ["client_id"], "limit": 50}
        head: Definition = {"id": self.id, "objective": 99, "by": by, "alerts": False}
        return head | good_attempts(self.id) | self.more


def steady(time: float) -> float:
    """Return 300 events an hour, and none where the period begins."""
    return 0 if QUIET[0] <= time < QUIET[1] else 300


def case(name: str, *, ledger: bool, **more: object) -> Case:
    """Return an SLO of five clients, of whose attempts two in a hundred fail."""
    kind = "ledger" if ledger else "process"
    events = traffic(steady, share(0.02), from_s=10 * MINUTE, end_s=END_S - HOUR, clients=CLIENTS, seed=len(name))
    fleet = Fleet(events=events, targets=pair(name), counters=attempts, ledger=ledger, end_s=END_S)
    return Case(id=name, fleet=fleet, more={"counter": kind, **more})


def shown(
    tier: str, client: str, from_s: float, until_s: float, instance: str = "a:80", *, ends: bool = True
) -> Series:
    """Return a client's tier as an exporter shows it; `ends` says whether the next page is without it."""
    times = [7 + n * SCRAPE_S for n in range(int(until_s - 7) // SCRAPE_S + 1) if 7 + n * SCRAPE_S >= from_s]
    labels = {"__name__": "sloforge_client_info", "client_id": client, "tier": tier, "job": "x", "instance": instance}
    return Series(labels, times, [1] * len(times), stale=((times[-1] + SCRAPE_S, 0),) if ends else ())


def always(tiers: Mapping[str, str]) -> list[Series]:
    return [shown(tier, client, 0, END_S, ends=False) for client, tier in tiers.items()]


def play(
    cases: Sequence[Case],
    info: Iterable[Series],
    queries: Mapping[str, Query],
    version: str,
    *,
    period: str = "6h",
    clients: Mapping[str, str] | None = None,
) -> Result:
    """Simulate the cases as SLOs of one service, with the tiers that exporters show and definitions tell."""
    rules = rule_files(
        [one.definition for one in cases],
        period=period,
        identity={"cluster": "eu1"},
        tiers=TIERS,
        clients=dict(clients or {}),
    )
    series = [series for one in cases for series in one.fleet.scrape()]
    files = only(rules, *RECORDS, *CONSTANTS)
    result = simulate(files, [*series, *info], queries, end_s=END_S, version=version)
    assert result.errors == {}
    return result


def at_end(*names: str) -> dict[str, Query]:
    return {name: Query(name, END_S) for name in names}


FIGURES = at_end(
    *(
        f"{prefix}:{name}"
        for prefix in ("slo_tier", "slo_label", "slo_group")
        for name in (
            "events_total:sum_period",
            "events_failed:sum_period",
            "objective:ratio",
            "budget_remaining:ratio",
            "budget_remaining:events",
        )
    ),
    "slo_tier:sli:ratio_period",
)


def figures(result: Result, prefix: str, **labels: str) -> dict[str, float | None]:
    """Return what was recorded under `prefix`, by the middle of the name."""
    return {name.split(":", 1)[1]: result.value(name, **labels) for name in FIGURES if name.startswith(f"{prefix}:")}


def expected(true: Truth, budget: float) -> dict[str, object]:
    """Return what has to be recorded of these events."""
    return {
        "events_total:sum_period": true.total,
        "events_failed:sum_period": true.failed,
        "objective:ratio": 1 - budget,
        "budget_remaining:ratio": pytest.approx(1 - true.failed / (budget * true.total), rel=1e-9, abs=1e-9),
        "budget_remaining:events": pytest.approx(budget * true.total - true.failed, rel=1e-9, abs=1e-9),
    }


def truth(fleet: Fleet, clients: Iterable[str]) -> Truth:
    """Return what the clients had together in the last period."""
    each = [fleet.truth(fleet.end_s - 6 * HOUR, client=client) for client in clients]
    return Truth(sum(one.total for one in each), sum(one.failed for one in each))


@pytest.mark.parametrize("version", VERSIONS)
def test_events_of_each_tier_and_the_objective_of_each_client(version: str) -> None:
    """A client that no exporter shows, or with a tier that nobody defined, is of the default tier."""
    cases = [case("process", ledger=False), case("ledger", ledger=True)]
    info = always({"acme": "premium", "b.c|d": "premium", "globex": "silver", "umbrella": "unheard-of"})
    result = play(cases, info, FIGURES, version)
    members = {"premium": ("acme", "b.c|d"), "silver": ("globex",), "default": ("initech", "umbrella")}
    for one in cases:
        for tier, clients in members.items():
            true = truth(one.fleet, clients)
            assert true.failed > 0
            got = figures(result, "slo_tier", slo=one.id, tier=tier)
            sli = pytest.approx(1 - true.failed / true.total)
            assert got == expected(true, BUDGETS[tier]) | {"sli:ratio_period": sli}, (one.id, tier)
            for client in clients:
                got = figures(result, "slo_group", slo=one.id, client_id=client)
                assert got == expected(truth(one.fleet, [client]), BUDGETS[tier]), (one.id, client)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_definitions_say_of_a_client_counts_before_what_an_exporter_shows(version: str) -> None:
    cases = [case("told", ledger=False)]
    info = always({"acme": "premium", "globex": "premium", "b.c|d": "premium"})
    told = {"acme": "silver", "b.c|d": "default", "initech": "premium", "nobody": "silver"}
    result = play(cases, info, FIGURES, version, clients=told)
    members = {"premium": ("globex", "initech"), "silver": ("acme",), "default": ("b.c|d", "umbrella")}
    for tier, clients in members.items():
        got = figures(result, "slo_tier", slo="told", tier=tier)
        del got["sli:ratio_period"]
        assert got == expected(truth(cases[0].fleet, clients), BUDGETS[tier]), tier


@pytest.mark.parametrize("version", VERSIONS)
def test_an_own_tier_of_an_slo_and_a_tier_without_events(version: str) -> None:
    """Another SLO's tier means nothing here; a tier that nobody has is untouched."""
    cases = [
        case("own", ledger=False, tiers={"premium": {"objective": 98}, "gold": {"objective": 99.99}}),
        case("plain", ledger=False),
    ]
    result = play(cases, always({"acme": "premium", "globex": "gold"}), FIGURES, version)
    assert result.value("slo_group:objective:ratio", slo="own", client_id="acme") == 0.98
    assert result.value("slo_group:objective:ratio", slo="plain", client_id="acme") == 0.999
    assert result.value("slo_group:objective:ratio", slo="own", client_id="globex") == 0.9999
    assert result.value("slo_group:objective:ratio", slo="plain", client_id="globex") == 0.99
    for slo in ("own", "plain"):
        assert result.value("slo_tier:budget_remaining:ratio", slo=slo, tier="silver") == 1
        assert result.value("slo_tier:events_total:sum_period", slo=slo, tier="silver") is None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_client_changes_its_tier_and_loses_its_exporter(version: str) -> None:
    """The new tier counts at once, for all events of the period; the last one known counts an hour longer."""
    changed, gone = 7 * HOUR, 8 * HOUR
    one = case("changing", ledger=False)
    info = [
        shown("premium", "acme", 0, changed),
        shown("silver", "acme", changed, gone, ends=False),
        shown("silver", "globex", 0, changed),
        shown("premium", "globex", changed, gone, ends=False),
    ]
    moments = {
        "before": changed - 2 * MINUTE,
        "after": changed + 3 * MINUTE,
        "without": gone + 50 * MINUTE,
        "forgotten": gone + 70 * MINUTE,
    }
    queries = {name: Query("slo_group:objective:ratio", at) for name, at in moments.items()}
    queries["tiers"] = Query('slo_group:tier:info{client_id="acme"}', changed + 3 * MINUTE)
    result = play([one], info, queries, version)
    objectives = {
        name: [result.value(name, client_id=client) for client in ("acme", "globex", "initech")] for name in moments
    }
    assert objectives == {
        "before": [0.999, 0.95, 0.99],
        "after": [0.95, 0.999, 0.99],
        "without": [0.95, 0.999, 0.99],
        "forgotten": [0.99, 0.99, 0.99],
    }
    assert [points.labels["tier"] for points in result.answers["tiers"]] == ["silver"]


@pytest.mark.parametrize("version", VERSIONS)
def test_exporters_that_agree_count_once_and_of_two_tiers_the_stricter_counts(version: str) -> None:
    one = case("two", ledger=True)
    info = [
        shown(tier, client, 0, END_S, instance, ends=False)
        for instance, tiers in (
            ("a:80", {"acme": "premium", "globex": "silver", "initech": "premium"}),
            ("b:80", {"acme": "premium", "globex": "premium", "initech": "unheard-of"}),
        )
        for client, tier in tiers.items()
    ]
    result = play([one], info, FIGURES, version)
    got = figures(result, "slo_tier", slo="two", tier="premium")
    del got["sli:ratio_period"]
    assert got == expected(truth(one.fleet, ["acme", "globex", "initech"]), 0.001)


# --- objectives by the value of a label ---------------------------------------


def by_class(event: Event) -> Iterable[Pairs]:
    """As attempts, with a label more: a client is named `id/class`."""
    client, _, workload_class = event.client.partition("/")
    for labels in attempts(event._replace(client=client)):
        yield (*labels, ("workload_class", workload_class)) if workload_class else labels


CLASSES = {
    "acme/paid_ads": 3.0,
    "acme/organic": 4.0,
    "globex/paid_ads": 2.0,
    "globex/community_ops": 2.0,
    "globex": 1.0,
}


@pytest.mark.parametrize("version", VERSIONS)
def test_objectives_by_label_and_of_two_objectives_the_stricter(version: str) -> None:
    """Combinations have the strictest of their tier's and their class's objective, classes the one that is theirs."""
    events = traffic(steady, share(0.02), from_s=10 * MINUTE, end_s=END_S - HOUR, clients=CLASSES, seed=3)
    fleet = Fleet(events=events, targets=pair("classes"), counters=by_class, end_s=END_S)
    objectives = {"workload_class": {"paid_ads": 99.5, "community_ops": 90}, "client_id": {"globex": 98}}
    by = {"labels": ["client_id", "workload_class"], "objectives": objectives}
    result = play([Case(id="classes", fleet=fleet, more={"by": by})], always({"acme": "premium"}), FIGURES, version)
    budgets = {
        "acme/paid_ads": 0.001,
        "acme/organic": 0.001,
        "globex/paid_ads": 0.005,
        "globex/community_ops": 0.02,
    }
    for name, budget in budgets.items():
        client, workload_class = name.split("/")
        got = figures(result, "slo_group", client_id=client, workload_class=workload_class)
        assert got == expected(truth(fleet, [name]), budget), name
    unclassed = [p for p in result.answers["slo_group:objective:ratio"] if "workload_class" not in p.labels]
    assert [(points.labels["client_id"], points.values) for points in unclassed] == [("globex", [0.98])]
    for workload_class, budget in {"paid_ads": 0.005, "community_ops": 0.1, "organic": 0.01}.items():
        members = [name for name in CLASSES if name.endswith(f"/{workload_class}")]
        got = figures(result, "slo_label", label="workload_class", workload_class=workload_class)
        assert got == expected(truth(fleet, members), budget), workload_class
    for client, budget in {"acme": 0.01, "globex": 0.02}.items():
        members = [name for name in CLASSES if name.partition("/")[0] == client]
        got = figures(result, "slo_label", label="client_id", client_id=client)
        assert got == expected(truth(fleet, members), budget), client


@pytest.mark.parametrize("version", VERSIONS)
def test_combinations_burn_their_own_budgets(version: str) -> None:
    """Two failures in a hundred are a burn of 20 for a premium client, and of 0.4 for a silver one."""
    one = case("burning", ledger=False, alerts=True)
    one.more["by"] = {"labels": ["client_id"], "alerts": True}
    queries = {
        "burn": Query("slo_group:burn_rate:ratio6h", END_S),
        "page": Query("slo_group:burn_page_slow:active", END_S - 2 * HOUR),
    }
    result = play([one], always({"acme": "premium", "globex": "silver"}), queries, version, period="28d")
    for client, budget in (("acme", 0.001), ("globex", 0.05), ("initech", 0.01)):
        true = truth(one.fleet, [client])
        assert result.value("burn", client_id=client) == pytest.approx(true.failed / true.total / budget)
    pages = {client: result.value("page", client_id=client) for client in ("acme", "globex")}
    assert pages == {"acme": 1, "globex": 0}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_limit_keeps_the_busiest_clients(version: str) -> None:
    """Of a ledger's sums, and of each minute's counts; failures are kept of the same clients."""
    one = case("limited", ledger=True, by={"labels": ["client_id"], "limit": 3})
    bad = {"total": 'attempts_total{job="bad"}', "bad": 'attempt_successes_total{job="bad"}'}
    other = case("bad", ledger=True, by={"labels": ["client_id"], "limit": 3}, sli={"ratio": bad})
    names = [f"slo_{made}:events_{side}:{span}" for made, span in KINDS for side in ("total", "failed")]
    result = play([one, other], (), at_end(*names), version)
    for name in names:
        for slo in ("limited", "bad"):
            clients = {p.labels["client_id"] for p in result.answers[name] if p.labels["slo"] == slo}
            assert len(clients) == 3, (name, slo)
            if "period" in name:
                assert clients == {"acme", "b.c|d", "globex"}


KINDS = (("group", "delta1m"), ("ledger_group", "sum_period"))
