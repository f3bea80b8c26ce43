"""Routes as Alertmanager reads them: grafted onto the user's configuration, and alone for those who own the root."""

import re
from collections.abc import Sequence
from typing import Any, Final

from sloforge import vocabulary as v
from sloforge.files import template_folder
from sloforge.model.routing import Base, OfficeHours, front
from sloforge.parse.text import Plain
from sloforge.plan.route_ir import Inhibition, Matchers, RouteNode, RoutePlan
from sloforge.quantities import format_duration
from sloforge.render.artifacts import Artifact
from sloforge.render.serialize import Data, Item, Noted, Verbatim, to_yaml, to_yaml_with_lines
from sloforge.wording import Phrases, reword

_SPACE: Final = re.compile(r"\s")  # no number, boolean or null has one

_WHOLE: Final = """\
Made by sloforge from your own Alertmanager configuration (the base) and the SLO definitions. Do not edit: change one of
these and run `sloforge generate`. What stands here without a comment is the base, as it was. Paths of secrets and
templates are relative to this file."""
_FRAGMENT: Final = """\
Made by sloforge: what SLO alerts ask of an Alertmanager whose configuration is kept elsewhere. Do not edit.
Put the routes in front of yours, add the other lists to yours, and define these receivers:
{receivers}"""
_TESTS: Final = """\
Made by sloforge: where SLO alerts arrive, as `amtool config routes test` is asked whenever files are generated. Do not
edit. Inhibition and time intervals are no part of this: amtool knows nothing of them."""


def fragment(plan: RoutePlan) -> Artifact:
    """Return the routes for those who own the root."""
    ours: dict[str, Data] = {"route": {"routes": _routes(plan.routes)}, "inhibit_rules": _inhibitions(plan.inhibitions)}
    if plan.office:
        ours["time_intervals"] = [_office(plan.office)]
    ours["templates"] = [v.TEMPLATES_GLOB]
    return _artifact(v.ROUTES_FILE, ours, _FRAGMENT.format(receivers=", ".join(plan.receivers)))


def whole(base: Base, plan: RoutePlan) -> Artifact:
    """Return the user's configuration with the routes grafted onto it.

    Ours stand in front of the first of the user's routes that lets nothing pass, so that none can take our alerts away;
    those before it, which `continue`, go on seeing everything.
    """
    root = dict(base.tree["route"])
    theirs = items(root.get("routes"))
    root["routes"] = [*theirs[: front(theirs)], *_routes(plan.routes), *theirs[front(theirs) :]]
    added: dict[str, list[Item]] = {"inhibit_rules": _inhibitions(plan.inhibitions)}
    if plan.office:
        added["time_intervals"] = [_office(plan.office)]
    templates = items(base.tree.get("templates"))
    added["templates"] = [] if v.TEMPLATES_GLOB in templates else [v.TEMPLATES_GLOB]
    tree = {**base.tree, "route": root}
    tree |= {key: [*items(base.tree.get(key)), *more] for key, more in added.items()}
    return _artifact(v.ALERTMANAGER_FILE, _data(tree), _WHOLE)


def standalone(plan: RoutePlan) -> Artifact:
    """Return the least configuration that the routes fit into, for a check of the fragment; it is never stored."""
    names = sorted({"fallback", *plan.receivers})
    tree = {"route": {"receiver": "fallback"}, "receivers": [{"name": name} for name in names]}
    return whole(Base(path=v.ROUTES_FILE, text="", tree=tree), plan)


def expectations(plan: RoutePlan) -> Artifact:
    """Return where alerts are expected to arrive."""
    tests: list[Item] = [
        {"name": expected.name, "labels": dict(expected.labels), "receivers": list(expected.receivers)}
        for expected in plan.expectations
    ]
    return Artifact(path=v.ROUTE_TESTS_FILE, text=to_yaml({"tests": tests}, _TESTS))


def message_templates(phrases: Phrases = ()) -> list[Artifact]:
    """Return the words of notifications: Alertmanager's own templates, the same for everybody but for `phrases`."""
    files = sorted((template_folder() / "alertmanager").glob("*.tmpl"))
    texts = ((file.name, reword(file.read_text(encoding="utf-8"), phrases)) for file in files)
    return [Artifact(path=f"{v.TEMPLATES_FOLDER}/{name}", text=text) for name, text in texts]


def items(value: object) -> Sequence[Any]:
    """Return a list of the base's; a key with nothing below it is an empty one."""
    return value if isinstance(value, list) else ()


def _artifact(path: str, data: Data, header: str) -> Artifact:
    text, lines = to_yaml_with_lines(data, header)
    return Artifact(path=path, text=text, lines=lines)


def _data(value: Any) -> Any:
    """Return a value of the base ready to be written: what may be more than text without quotes gets none again."""
    if isinstance(value, Plain) and not _SPACE.search(value):
        return Verbatim(str(value) or "null")
    if isinstance(value, dict):
        return {key: _data(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_data(inner) for inner in value]
    return value


# --- the parts --------------------------------------------------------------


def _routes(nodes: Sequence[RouteNode]) -> list[Item]:
    return [Noted(node.note, _route(node), node.origin) for node in nodes]


def _route(node: RouteNode) -> dict[str, Data]:
    fields: dict[str, Data] = {"matchers": _matchers(node.matchers), "receiver": node.receiver}
    if node.group_by:
        fields["group_by"] = list(node.group_by)
    if node.timing:
        fields["group_wait"] = format_duration(node.timing.wait_s)
        fields["group_interval"] = format_duration(node.timing.interval_s)
        fields["repeat_interval"] = format_duration(node.timing.repeat_s)
    if node.continues:
        fields["continue"] = True
    if node.office_hours:
        fields["active_time_intervals"] = [v.OFFICE_HOURS]
    if node.children:
        fields["routes"] = _routes(node.children)
    return fields


def _matchers(matchers: Matchers) -> list[str]:
    return [f"{matcher.label}{matcher.op}{quoted(matcher.value)}" for matcher in matchers]


def quoted(value: str) -> str:
    """Return a matcher's value as all Alertmanagers read it: in double quotes, with no escapes but these."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _inhibitions(rules: Sequence[Inhibition]) -> list[Item]:
    return [
        Noted(
            rule.note,
            {
                "source_matchers": _matchers(rule.source),
                "target_matchers": _matchers(rule.target),
                "equal": list(rule.equal),
            },
        )
        for rule in rules
    ]


def _office(hours: OfficeHours) -> Item:
    when: dict[str, Data] = {
        "weekdays": [day.strip() for day in hours.days.split(",")],
        "times": [{"start_time": hours.start, "end_time": hours.end}],
        "location": hours.timezone,
    }
    interval: dict[str, Data] = {"name": v.OFFICE_HOURS, "time_intervals": [when]}
    return Noted("When tickets are delivered; pages are at any time.", interval)
