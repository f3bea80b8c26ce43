"""Who is hit, over all SLOs: the values of a label such as `client_id`, and everything of one of them."""

from typing import Any, Final

from sloforge.gate import words
from sloforge.model.objects import Matcher
from sloforge.plan.promql import Scope
from sloforge.policy import Band
from sloforge.query.affected import SHARE, combinations_query, read_parts, values_query
from sloforge.query.replicas import Agreed
from sloforge.web.links import service_path
from sloforge.web.parts import part_tables
from sloforge.web.rows import bar
from sloforge.web.site import Site

VALUES: Final = 100
COMBINATIONS: Final = 100
FIND, IS = ".find", ".is"  # no label has such a name, so that identity labels can stand beside them

Facts = dict[str, Any]


def label_page(site: Site, agreed: Agreed, label: str, find: str) -> Facts:
    """Return the page of a label: its values with most failures, among those that contain `find`."""
    state, scope = agreed.snapshot, Scope(agreed.snapshot.service, agreed.snapshot.identity)
    told = site.ask(state, values_query(scope, label, find, VALUES))
    figures: dict[str, dict[str, float]] = {}
    total = 0
    for sample in told.vectors[0]:
        if sample.label(SHARE) == "count":
            total = int(sample.value)
        else:
            figures.setdefault(sample.label(label), {})[sample.label(SHARE)] = sample.value
    most = max((one.get("failed", 0.0) for one in figures.values()), default=0.0)
    values = [
        {
            "name": name,
            "href": service_path(state.service, state.identity, "by", label, **{IS: name}),
            "failed": words.count(one.get("failed")),
            "bar": bar(one.get("failed", 0.0) / most) if most > 0 else 0,
            "chip": _chip(one.get("band")),
        }
        for name, one in sorted(figures.items(), key=lambda pair: (-pair[1].get("failed", 0.0), pair[0]))
    ]
    return {**_head(agreed, label), "find": find, "values": values, "total": total, "failures": _doubts(told.failures)}


def value_page(site: Site, agreed: Agreed, label: str, value: str) -> Facts:
    """Return the page of one value of a label: what it has of each SLO."""
    state, scope = agreed.snapshot, Scope(agreed.snapshot.service, agreed.snapshot.identity)
    told = site.ask(state, combinations_query(scope, None, COMBINATIONS, Matcher(label, "=", value)))
    parts = read_parts(told.vectors[0], scope)
    return {
        **_head(agreed, label),
        "value": value,
        "tier": next((part.tier for part in parts if part.tier), ""),
        "tables": part_tables(parts),
        "failures": _doubts(told.failures),
    }


def _head(agreed: Agreed, label: str) -> Facts:
    state = agreed.snapshot
    return {
        "service": state.service,
        "service_href": service_path(state.service, state.identity),
        "label": label,
        "label_href": service_path(state.service, state.identity, "by", label),
        "identity": state.identity,
        "recorded": words.moment(state.recorded_s),
    }


def _chip(band: float | None) -> words.Chip | None:
    return words.CHIPS[Band(int(band))] if band in tuple(Band) and band is not None else None


def _doubts(failures: Any) -> list[str]:
    return [f"{failure}." for failure in failures]
