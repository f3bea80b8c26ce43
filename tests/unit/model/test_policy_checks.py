"""What the cases of tests/cases cannot show one by one: the arithmetic behind the findings on policy files."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloforge.diagnostics import Code
from sloforge.model.exclusion_checks import overlaps, share, twice
from sloforge.model.governance import Exclusion, Governance
from sloforge.model.objects import Matcher, Pairs, Ratio, Selector, Service, Slo, SloClass
from sloforge.model.policy_bind import bind_policy
from sloforge.model.policy_checks import check_policy
from sloforge.model.policy_facts import Decided
from sloforge.parse.policy_document import read_policy
from sloforge.policy import CHANGES, Enforcement, Verdict
from sloforge.quantities import HOUR, MINUTE

HEAD = "apiVersion: sloforge-policy/v1\n"
PERIOD_S = 1000 * MINUTE
SLO = Slo(
    id="a",
    ref="",
    title="a",
    slo_class=SloClass.TRUST,
    objective=None,
    period_s=PERIOD_S,
    indicator=Ratio(total=(Selector("x"),), good=(Selector("y"),)),
    origin=("slos", 0),
)


def exclusion(n: int, start_s: int, end_s: int, scope: Pairs = (), approved_by: str = "ben") -> Exclusion:
    return Exclusion(
        id=f"e{n}",
        service="shop",
        slos=("a",),
        start_s=start_s,
        end_s=end_s,
        cause="outage",
        by="ana",
        at_s=end_s,
        reason="r",
        origin=("exclusions", n),
        scope=scope,
        approved_by=approved_by,
    )


def decided(*exclusions: Exclusion, slo: Slo = SLO, numbers: Enforcement | None = None) -> Decided:
    governance = Governance(enforcement=numbers or Enforcement(), exclusions=exclusions)
    return Decided(governance=governance, services={"shop": Service(name="shop", slos=(slo,), path="", digest="")})


minutes = st.integers(0, 2000)
scopes = st.sampled_from([(), (("p", "x"),), (("p", "y"),), (("c", "1"),), (("c", "1"), ("p", "x"))])
intervals = st.lists(st.tuples(minutes, st.integers(1, 300), scopes), min_size=1, max_size=8)


def some(drawn: list[tuple[int, int, Pairs]]) -> list[Exclusion]:
    return [exclusion(n, at * 60, (at + length) * 60, scope) for n, (at, length, scope) in enumerate(drawn)]


@given(intervals)
def test_exclusions_overlap_where_an_event_could_be_in_two(drawn: list[tuple[int, int, Pairs]]) -> None:
    """By brute force: some minute, client and platform is in both."""

    def events(one: Exclusion) -> set[tuple[int, str, str]]:
        scope = dict(one.scope)
        times = range(one.start_s, one.end_s, 60)
        return {(t, c, p) for t in times for c in "12" for p in "xy" if {"c": c, "p": p}.items() >= scope.items()}

    given_ = some(drawn)
    pairs = [{one.id, other.id} for one in given_ for other in given_ if one.id < other.id]
    truth = [pair for pair in pairs if set.intersection(*(events(e) for e in given_ if e.id in pair))]
    assert len(list(overlaps(decided(*given_)))) == len(truth)


@given(intervals, st.integers(0, 600))
def test_no_period_may_be_excluded_beyond_the_cap(drawn: list[tuple[int, int, Pairs]], cap_min: int) -> None:
    """By brute force over every minute at which a period may end."""
    given_ = some(drawn)
    excluded = {t for one in given_ for t in range(one.start_s, one.end_s, 60)}
    worst = max(sum(60 for t in excluded if end - PERIOD_S <= t < end) for end in {one.end_s for one in given_})
    numbers = replace(Enforcement(), max_excluded_share=Decimal(cap_min) / 1000)
    found = list(share(decided(*given_, numbers=numbers)))
    assert bool(found) == (worst > cap_min * MINUTE)


def test_what_nobody_approved_excludes_nothing() -> None:
    pending = exclusion(1, 0, PERIOD_S, approved_by="")
    assert not [*overlaps(decided(exclusion(0, 0, MINUTE), pending)), *share(decided(pending))]


EXPORTED = "sloforge_attempts_excluded_total"


@pytest.mark.parametrize(
    ("metric", "matchers", "cause", "found"),
    [
        (EXPORTED, (), "dependency_incident", True),
        (EXPORTED, (), "maintenance", False),  # the exporter has no such reason
        ("own_excluded_total", (), "dependency_incident", False),  # who knows what it holds
        (EXPORTED, (Matcher("reason", "!=", "dependency_incident"),), "dependency_incident", False),
        (EXPORTED, (Matcher("reason", "=", "dependency_incident"),), "dependency_incident", True),
        (EXPORTED, (Matcher("reason", "=~", "policy_blocked|exempt_class"),), "dependency_incident", False),
        (EXPORTED, (Matcher("reason", "!~", "dependency_incident|x"),), "dependency_incident", False),
        (EXPORTED, (Matcher("reason", "!~", "policy_blocked"),), "dependency_incident", True),
        (EXPORTED, (Matcher("reason", "=~", "dep.*"),), "dependency_incident", True),
        ("own_excluded_total", (Matcher("reason", "=", "maintenance"),), "maintenance", True),
        (EXPORTED, (Matcher("lane", "=", "api"),), "dependency_incident", True),
    ],
)
def test_a_cause_is_excluded_once(metric: str, matchers: tuple[Matcher, ...], cause: str, found: bool) -> None:
    indicator = Ratio(total=(Selector("x"),), good=(Selector("y"),), excluded=(Selector(metric, matchers),))
    one = replace(exclusion(0, 0, MINUTE), cause=cause)
    assert bool(list(twice(decided(one, slo=replace(SLO, indicator=indicator))))) == found
    assert not list(twice(decided(replace(one, approved_by=""), slo=replace(SLO, indicator=indicator))))


def bound(text: str) -> Governance:
    document, findings = read_policy({"policy.yml": ("policy.yml", HEAD + text)})
    assert not findings
    return bind_policy(document, "shop")


def test_every_number_can_be_set() -> None:
    text = """\
green_from: 60
yellow_from: 33.3
ticket_days: 2
ticket_span_days: 5
page_for: 20m
dwell: 3h
min_failures: 5
learning: 12h
min_coverage: 80
hard_window: 6h
hard_min_failures: 4
postmortem_share: 25
max_excluded_share: 5
unfreeze: automatic
changes: {feature: {yellow: canary}, data_migration: {red: canary, risky: true, yellow: canary}}
"""
    ours, default = bound(text).enforcement, Enforcement()
    fields = list(default.__dataclass_fields__)
    assert not [name for name in fields if getattr(ours, name) == getattr(default, name)]
    assert (str(ours.yellow_from), ours.dwell_s, str(ours.postmortem_share)) == ("0.333", 3 * HOUR, "0.25")
    assert ours.changes["feature"] == replace(CHANGES["feature"], yellow=Verdict.CANARY)
    assert ours.changes["rollback"] == CHANGES["rollback"]
    assert not check_policy(Decided(governance=bound(text), services={}), {})


def _extremes() -> Iterator[tuple[str, bool]]:
    for key, low, high in (("green_from", 21, 100), ("yellow_from", 0, 49), ("min_coverage", 0, 100)):
        yield from ((f"{key}: {low}", True), (f"{key}: {high}", True), (f"{key}: {low - 1}.9", key == "green_from"))
        yield f"{key}: {high}.1", key == "yellow_from"
    for key, least, most in (("page_for", "2m", "1d"), ("dwell", "5m", "28d"), ("learning", "0s", "28d")):
        yield from ((f"{key}: {least}", True), (f"{key}: {most}", True), (f"{key}: {most}1m", False))
        yield f"{key}: 5m30s", False
    yield from (("ticket_span_days: 28", True), ("ticket_span_days: 29", False), ("ticket_span_days: 2", False))
    yield from ((f"hard_window: {window}", window in ("1h", "6h", "1d", "3d")) for window in ("1h", "2h", "6h", "1d"))
    yield from (("postmortem_share: 0", False), ("max_excluded_share: 0", True), ("max_excluded_share: 101", False))


@pytest.mark.parametrize(("line", "fits"), list(_extremes()), ids=str)
def test_numbers_have_ranges(line: str, fits: bool) -> None:
    findings = check_policy(Decided(governance=bound(line + "\n"), services={}), {})
    assert (findings == []) == fits
    assert {finding.code for finding in findings} <= {Code.POLICY_NUMBER, Code.POLICY_ORDER}
