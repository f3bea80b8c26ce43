"""Routes, inhibitions and expectations of the SLO alerts of a run, as data.

Services that call pages and tickets the same share a tree. All matchers keep to what Alertmanager 0.25 to 0.34 read
alike: plain label names, quoted values.
"""

from collections.abc import Iterable, Iterator, Sequence

from sloforge import vocabulary as v
from sloforge.model.objects import Matcher, Pairs, Service
from sloforge.model.routing import Kind, Owner, Routing
from sloforge.plan.route_ir import Expectation, Inhibition, Matchers, RouteNode, RoutePlan

USUAL_WORDS: Pairs = (("page", "page"), ("ticket", "ticket"))


class _Family:
    """Services whose pages and tickets are called the same, and what singles their alerts out."""

    def __init__(self, words: Pairs, services: Sequence[Service]) -> None:
        self.words = dict(words)
        self.services = services
        # The usual words are for every SLO there is: alerts of a service that another run compiles arrive as well.
        names = "|".join(service.name for service in services)
        self.guard = Matcher(v.SERVICE, "!=", "") if words == USUAL_WORDS else Matcher(v.SERVICE, "=~", names)
        self.identity = tuple(sorted({name for service in services for name, _ in service.identity}))
        self.combinations = tuple(sorted({label for service in services for label in _alerting_labels(service)}))

    def severity(self, kind: Kind) -> Matcher:
        return Matcher(v.SEVERITY, "=", self.word(kind))

    def word(self, kind: Kind) -> str:
        return self.words.get(kind.value, kind.value)


def _alerting_labels(service: Service) -> Iterator[str]:
    """The labels of combinations that have alerts of their own."""
    for slo in service.slos:
        if slo.by and slo.by.alerts:
            yield from slo.by.labels


def plan_routes(services: Iterable[Service], routing: Routing) -> RoutePlan:
    """Return the routes of all `services`, in whatever order they come."""
    families = _families(services)
    return RoutePlan(
        routes=tuple(_tree(family, routing) for family in families),
        inhibitions=tuple(_inhibition(family) for family in families),
        office=routing.office,
        receivers=tuple(sorted(routing.named())),
        expectations=tuple(expected for family in families for expected in _expectations(family, routing)),
    )


def _families(services: Iterable[Service]) -> list[_Family]:
    """Return the families; the one that takes any service comes last."""
    by_words: dict[Pairs, list[Service]] = {}
    for service in sorted(services, key=lambda service: service.name):
        by_words.setdefault(tuple(sorted(service.severities)), []).append(service)
    ordered = sorted(by_words, key=lambda words: (words == USUAL_WORDS, words))
    return [_Family(words, by_words[words]) for words in ordered]


# --- the tree ---------------------------------------------------------------


def _tree(family: _Family, routing: Routing) -> RouteNode:
    ticket = routing.receivers[Kind.TICKET]
    names = ", ".join(service.name for service in family.services[:5]) + (", ..." if len(family.services) > 5 else "")
    return RouteNode(
        note=f"SLO alerts of {names}. One notification for all alerts of an SLO that are equally urgent.",
        matchers=(family.guard,),
        receiver=ticket,
        group_by=(*family.identity, v.SERVICE, v.SLO, v.SEVERITY),
        timing=routing.timings[Kind.TICKET],
        children=(
            *_clients(family, routing),
            _whole(
                family, routing, Kind.FREEZE, "A change freeze begins or ends: told to the machine that enforces it."
            ),
            _whole(
                family, routing, Kind.WATCHDOG, "Always firing: the dead man's switch raises the alarm when it stops."
            ),
            _urgent(family, routing, Kind.PAGE, "Wakes somebody up."),
            _urgent(family, routing, Kind.TICKET, "Can wait until somebody is at work." if routing.office else ""),
        ),
    )


def _clients(family: _Family, routing: Routing) -> Iterator[RouteNode]:
    both = "|".join(_literally(family.word(kind)) for kind in (Kind.PAGE, Kind.TICKET))
    for client, receiver in routing.clients:
        yield RouteNode(
            note=f"What hits {client} is told there as well.",
            matchers=(Matcher(v.CLIENT_ID, "=", client), Matcher(v.SEVERITY, "=~", both)),
            receiver=receiver,
            origin=("clients", client),
            continues=True,
        )


def _whole(family: _Family, routing: Routing, kind: Kind, note: str) -> RouteNode:
    """The route of what concerns a whole service, and no SLO."""
    return RouteNode(
        note=note,
        matchers=(family.severity(kind),),
        receiver=routing.receivers[kind],
        origin=("receivers", kind.value),
        group_by=(*family.identity, v.SERVICE),
        timing=routing.timings[kind],
    )


def _urgent(family: _Family, routing: Routing, kind: Kind, note: str) -> RouteNode:
    """The route of pages or of tickets, with one below it for each owner who gets them elsewhere."""
    office = kind is Kind.TICKET and routing.office is not None
    return RouteNode(
        note=note,
        matchers=(family.severity(kind),),
        receiver=routing.receivers[kind],
        origin=("receivers", kind.value),
        timing=routing.timings[kind],
        office_hours=office,
        children=tuple(
            RouteNode(
                matchers=(Matcher(v.OWNER, "=", owner.name),),
                receiver=receiver,
                origin=("owners", owner.name, kind.value),
                office_hours=office,  # not inherited: Alertmanager looks at the route that delivers
            )
            for owner in routing.owners
            if (receiver := _of(owner, kind))
        ),
    )


def _of(owner: Owner, kind: Kind) -> str:
    return owner.page if kind is Kind.PAGE else owner.ticket


def receiver_of(owner: str, kind: Kind, routing: Routing) -> str:
    """Return who receives what is `owner`'s: a receiver of their own, or everybody's."""
    own = next((_of(known, kind) for known in routing.owners if known.name == owner), "")
    return own or routing.receivers[kind]


def _inhibition(family: _Family) -> Inhibition:
    """A page silences the ticket of the same SLO, and never another page: the slow one would ring after recovery.

    Labels that both sides lack count as equal, so both have to say that they are about an SLO at all.
    """
    about_slo: Matchers = (family.guard, Matcher(v.SLO, "!=", ""))
    return Inhibition(
        note="While an SLO pages, its tickets would only repeat it. A fast burn does not silence the slow one.",
        source=(*about_slo, family.severity(Kind.PAGE)),
        target=(*about_slo, family.severity(Kind.TICKET)),
        equal=tuple(dict.fromkeys((*family.identity, v.SERVICE, v.SLO, *family.combinations))),
    )


# --- what is expected of it -------------------------------------------------


def _expectations(family: _Family, routing: Routing) -> Iterator[Expectation]:
    """Yield one alert for each way through the tree: by kind, owner and client."""
    for service in family.services:
        yield from _of_service(service, family, routing)


def _of_service(service: Service, family: _Family, routing: Routing) -> Iterator[Expectation]:
    for kind in (Kind.FREEZE, Kind.WATCHDOG):
        labels = _labels(service, family, kind, service.owner)
        yield Expectation(name=f"{kind.value} of {service.name}", labels=labels, receivers=(routing.receivers[kind],))
    seen: set[tuple[str, bool]] = set()
    for slo in service.slos:
        of_clients = bool(slo.by and slo.by.alerts and v.CLIENT_ID in slo.by.labels)
        if (slo.owner, of_clients) in seen:
            continue
        seen.add((slo.owner, of_clients))
        for kind in (Kind.PAGE, Kind.TICKET):
            receiver = receiver_of(slo.owner, kind, routing)
            labels, name = _labels(service, family, kind, slo.owner, slo.id), f"{kind.value} of {service.name}/{slo.id}"
            yield Expectation(name=name, labels=labels, receivers=(receiver,))
            for client, told in routing.clients if of_clients else ():
                theirs = tuple(sorted((*labels, (v.CLIENT_ID, client))))
                yield Expectation(name=f"{name} that hits {client}", labels=theirs, receivers=(told, receiver))


def _labels(service: Service, family: _Family, kind: Kind, owner: str, slo: str = "") -> Pairs:
    labels = {v.SERVICE: service.name, v.SEVERITY: family.word(kind), v.OWNER: owner, v.SLO: slo}
    return tuple(sorted((name, value) for name, value in (labels | dict(service.identity)).items() if value))


def _literally(text: str) -> str:
    """Return `text` as a regular expression of Go's that matches nothing else."""
    return "".join(f"\\{char}" if char in r"\.+*?()|[]{}^$" else char for char in text)
