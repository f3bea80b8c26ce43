"""Dashboards: one over all services, and one of each service, from recorded series only; a click leads further in.

No text of a definition stands in them: titles are read from `slo_info`, so that an edit of one shows at once. That of
a service is the same for all copies of it: which one is shown (`identity`), the reader chooses.
"""

from collections.abc import Callable, Sequence

from sloforge import vocabulary as v
from sloforge.model.governance import Governance
from sloforge.model.objects import Service
from sloforge.plan.dashboard_ir import (
    ROW_WIDTH,
    Colour,
    Dashboard,
    Label,
    Link,
    Look,
    Mark,
    Panel,
    Query,
    Section,
    Step,
    Steps,
    Unit,
    Variable,
    Word,
    Words,
)
from sloforge.plan.hard_stops import is_hard
from sloforge.plan.panels import ACTIVE, BANDS, BURNING, NOT_ONE, Chosen, left_steps, seen_steps
from sloforge.plan.promql import Scope
from sloforge.plan.rules import UNGOVERNED
from sloforge.policy import Band, Enforcement
from sloforge.quantities import DAY

_IDENTITY = "identity_"  # before the names of variables that choose a copy of the service
_FROZEN: Words = (Word("0", "open", Colour.GOOD), Word("1", "FROZEN", Colour.BAD))
_SOON: Steps = (Step(None, Colour.BAD), Step(str(3 * DAY), Colour.WARNING))
Series = Callable[[str], str]  # the selector of a recorded name, of whatever the reader chose
_TIMES = "${__url_time_range}&${datasource:queryparam}"


def plan_dashboards(services: Sequence[Service], governance: Governance = UNGOVERNED) -> tuple[Dashboard, ...]:
    """Return the overview and the dashboard of each service, in the order of `services`."""
    numbers = governance.enforcement
    return (overview(numbers), *(service_dashboard(service, numbers) for service in services))


def overview(numbers: Enforcement) -> Dashboard:
    """Return the dashboard over all services of the data source, whoever generated their rules."""
    braces = f'{{{v.SERVICE}=~"${{service}}"}}'

    def chosen(name: str) -> str:
        return name + braces

    return Dashboard(
        uid=v.OVERVIEW_UID,
        path=v.OVERVIEW_FILE,
        title="SLOs: overview",
        description="all services with SLOs: what may ship, what is left of each budget, what burns",
        variables=(Variable(name="service", title="Service", series=v.INFO, of=v.SERVICE, many=True),),
        sections=(
            Section(title="At this moment", panels=_counts(chosen)),
            Section(title="Services", panels=(_services(chosen, numbers), _band_history(chosen))),
            Section(title="SLOs", panels=(_slos(chosen, (v.SERVICE, v.SLO), numbers, height=16),)),
        ),
        marks=_marks(chosen),
    )


def service_dashboard(service: Service, numbers: Enforcement) -> Dashboard:
    """Return the dashboard of one service: its state, its SLOs, and one of them in full."""
    identity = tuple((label, f"${{{_IDENTITY}{label}}}") for label, _ in service.identity)
    scope = Scope(service.name, identity)
    own = Scope(service.name).series(v.INFO)
    return Dashboard(
        uid=v.dashboard_uid(service.name),
        path=v.dashboard_file(service.name),
        title=f"SLOs: {service.name}",
        description=f"the SLOs of service {service.name}, and one of them in full",
        variables=(
            *(Variable(name=_IDENTITY + label, title=label, series=own, of=label) for label, _ in identity),
            Variable(name="slo", title="SLO", series=scope.series(v.INFO), of=v.SLO),
        ),
        sections=(
            Section(title="Service", panels=(*_state(scope, service), _of_service(scope, service, numbers))),
            Chosen(scope, service, numbers).section(),
        ),
        marks=_marks(scope.series),
        links=(Link(title="All services", uid=v.OVERVIEW_UID),),
    )


# --- the overview -------------------------------------------------------------


def _counts(series: Series) -> tuple[Panel, ...]:
    """How many, each in the colour of its kind. Where nothing is recorded there is no zero: silence is not GREEN."""
    band = series(v.SERVICE_BAND)
    bad, so_so, unknown = NOT_ONE, (Step(None, Colour.GOOD), Step("1", Colour.WARNING)), Colour.UNKNOWN
    counts: tuple[tuple[str, str, str, Steps], ...] = (
        ("RED services", "Whose worst SLO is RED: only fixes may ship.", f"{band} == bool {Band.RED.value}", bad),
        ("YELLOW services", "Features ship behind flags only.", f"{band} == bool {Band.YELLOW.value}", so_so),
        ("Unknown services", "Too young, or too little was seen; what may ship is as in YELLOW.",
         f"{band} == bool {Band.UNKNOWN.value}", (Step(None, Colour.GOOD), Step("1", unknown))),
        ("Change freezes", "Services whose changes are frozen until somebody on duty ends it.", series(v.FREEZE), bad),
        ("Hard stops", "Violations that stop all shipping until people deal with them.", series(v.HARD_STOP), bad),
        ("Page burns", "SLOs whose budget burns so fast that somebody is woken.", series(v.PAGE_BURN), bad),
    )  # fmt: skip
    return tuple(
        Panel(
            title=title,
            description=description,
            look=Look.FIGURE,
            queries=(Query(expr=f"sum ({expr})", name=title),),
            steps=steps,
            absent="none recorded" if title == "Hard stops" else "no data",
        )
        for title, description, expr, steps in counts
    )


def _services(series: Series, numbers: Enforcement) -> Panel:
    by = f"by ({v.SERVICE})"
    return Panel(
        title="State of each service",
        description="The worst of each service's SLOs. A click on a service opens its dashboard.",
        look=Look.TABLE,
        queries=(
            _band_column(f"max {by} ({series(v.SERVICE_BAND)})"),
            Query(expr=f"max {by} ({series(v.FREEZE)})", name="Changes", unit=Unit.STATE, words=_FROZEN),
            Query(expr=f"sum {by} ({series(v.HARD_STOP)})", name="Hard stops", steps=NOT_ONE),
            _left_column(f"min {by} ({series(v.REMAINING_RATIO + v.WITH_EXCLUSIONS)})", numbers, "Least budget left"),
            Query(expr=f"max {by} ({series(v.burn_rate('1h'))})", name="Fastest burn, 1h", steps=BURNING),
            _spent_column(f"min {by} ({series(v.EXHAUSTION)})"),
            Query(expr=f"sum {by} ({series(v.POSTMORTEM)})", name="Postmortems owed", steps=NOT_ONE),
            _coverage_column(f"min {by} ({series(v.COVERAGE)})", numbers, "Least coverage"),
        ),
        labels=(Label(name=v.SERVICE, title="Service", link=f"/d/slo-${{__value.raw}}?{_TIMES}"),),
        sorted_by="Band",
        absent="–",
        width=ROW_WIDTH,
        height=9,
    )


def _band_history(series: Series) -> Panel:
    return Panel(
        title="Bands of services",
        description="The band of each service over time.",
        look=Look.TIMELINE,
        queries=(Query(expr=f"max by ({v.SERVICE}) ({series(v.SERVICE_BAND)})", name=f"{{{{{v.SERVICE}}}}}"),),
        unit=Unit.STATE,
        words=BANDS,
        width=ROW_WIDTH,
        height=8,
    )


# --- of a service ---------------------------------------------------------------


def _state(scope: Scope, service: Service) -> tuple[Panel, ...]:
    hard = any(map(is_hard, service.slos))
    return (
        _figure(
            "Band of the service",
            "The worst SLO of the service says what may ship.",
            scope.series(v.SERVICE_BAND),
            BANDS,
        ),
        _figure("Changes", "Frozen from RED on until somebody on duty ends it.", scope.series(v.FREEZE), _FROZEN),
        *(
            [_number("Hard stops", "Violations that nobody has dealt with yet.", f"sum ({scope.series(v.HARD_STOP)})")]
            if hard
            else []
        ),
        _number("Page burns", "SLOs whose budget burns fast enough to page.", f"sum ({scope.series(v.PAGE_BURN)})"),
        _number("Postmortems owed", "Incidents that nobody has written up.", f"sum ({scope.series(v.POSTMORTEM)})"),
        Panel(
            title="Least coverage",
            description="The share of minutes of the period that was seen, of the SLO of which least was seen.",
            look=Look.FIGURE,
            queries=(Query(expr=f"min ({scope.series(v.COVERAGE)})", name="seen"),),
            unit=Unit.SHARE,
        ),
    )


def _of_service(scope: Scope, service: Service, numbers: Enforcement) -> Panel:
    uid = v.dashboard_uid(service.name)
    copy = "".join(f"&${{{_IDENTITY}{label}:queryparam}}" for label, _ in service.identity)
    return _slos(scope.series, (v.SLO,), numbers, height=9, link=f"/d/{uid}?var-slo=${{__value.raw}}{copy}&{_TIMES}")


def _figure(title: str, description: str, expr: str, words: Words) -> Panel:
    queries = (Query(expr=expr, name=title),)
    return Panel(title=title, description=description, look=Look.FIGURE, queries=queries, unit=Unit.STATE, words=words)


def _number(title: str, description: str, expr: str) -> Panel:
    queries = (Query(expr=expr, name=title),)
    return Panel(title=title, description=description, look=Look.FIGURE, queries=queries, steps=NOT_ONE)


# --- what both have ---------------------------------------------------------------


def _slos(series: Series, names: tuple[str, ...], numbers: Enforcement, height: int, link: str = "") -> Panel:
    """The table of SLOs: of several copies of one, the worst figure."""
    by = f"by ({', '.join(names)})"
    whole = f"/d/slo-${{__data.fields.{v.SERVICE}}}?var-slo=${{__value.raw}}&{_TIMES}"
    return Panel(
        title="All SLOs",
        description="Each SLO's band, what is left of its budget after exclusions, and how fast it burns. "
        "A click on an SLO shows all of it.",
        look=Look.TABLE,
        queries=(
            Query(expr=f"group by ({', '.join((*names, 'title', 'class'))}) ({series(v.INFO)})", name="", hidden=True),
            _band_column(f"max {by} ({series(v.BAND)})"),
            _left_column(f"min {by} ({series(v.REMAINING_RATIO + v.WITH_EXCLUSIONS)})", numbers, "Budget left"),
            Query(expr=f"min {by} ({series(v.REMAINING_EVENTS + v.WITH_EXCLUSIONS)})", name="Failures left"),
            Query(expr=f"min {by} ({series(v.SLI_PERIOD + v.WITH_EXCLUSIONS)})", name="SLI", unit=Unit.SHARE),
            Query(expr=f"max {by} ({series(v.OBJECTIVE)})", name="Objective", unit=Unit.SHARE),
            Query(expr=f"max {by} ({series(v.burn_rate('1h'))})", name="Burn, 1h", steps=BURNING),
            _spent_column(f"min {by} ({series(v.EXHAUSTION)})"),
            Query(expr=f"max {by} ({series(v.POSTMORTEM)})", name="Postmortem owed", unit=Unit.STATE, words=ACTIVE),
            _coverage_column(f"min {by} ({series(v.COVERAGE)})", numbers, "Coverage"),
        ),
        labels=(
            *([Label(name=v.SERVICE, title="Service")] if v.SERVICE in names else []),
            Label(name=v.SLO, title="SLO", link=link or whole),
            Label(name="title", title="Title"),
            Label(name="class", title="Class"),
        ),
        sorted_by="Band",
        absent="–",
        width=ROW_WIDTH,
        height=height,
    )


def _band_column(expr: str) -> Query:
    return Query(expr=expr, name="Band", unit=Unit.STATE, words=BANDS)


def _left_column(expr: str, numbers: Enforcement, name: str) -> Query:
    return Query(expr=expr, name=name, unit=Unit.SHARE, steps=left_steps(numbers))


def _spent_column(expr: str) -> Query:
    return Query(expr=expr, name="Spent in", unit=Unit.SECONDS, steps=_SOON)


def _coverage_column(expr: str, numbers: Enforcement, name: str) -> Query:
    return Query(expr=expr, name=name, unit=Unit.SHARE, steps=seen_steps(numbers))


def _marks(series: Series) -> tuple[Mark, ...]:
    return (
        Mark(title="Incidents", expr=f"{series(v.PAGE_BURN)} == 1", text="{{slo}} burns its budget", colour=Colour.BAD),
        Mark(title="Hard stops", expr=f"{series(v.HARD_STOP)} == 1", text="{{slo}} is violated", colour=Colour.SERIOUS),
        Mark(title="Freezes", expr=f"{series(v.FREEZE)} == 1", text="{{slo_service}}: changes are frozen",
             colour=Colour.UNKNOWN),
    )  # fmt: skip
