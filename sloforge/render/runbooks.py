"""Runbooks as Markdown. What people wrote into definitions stands there as they wrote it, and formats nothing."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Final

from sloforge import vocabulary as v
from sloforge.model.objects import Hard, Slo
from sloforge.parse.runbooks import CHECKLIST, FAILURE_CLASS, FAILURES, PLACEHOLDER, POSTMORTEM
from sloforge.plan.runbooks import Runbook, ServiceRunbook
from sloforge.policy import Enforcement
from sloforge.quantities import format_duration, format_number
from sloforge.render.artifacts import HEADER_MARK, Artifact
from sloforge.render.prose import blank_postmortem, runbook_page
from sloforge.wording import Phrases, reword

Say = Callable[[str], str]
Page = Callable[[str, Mapping[str, object]], str]

_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>()#|!~$&:@])")
_CONTROL: Final = re.compile(r"[\s\x00-\x1f\x7f]+")
_NOTE: Final = (
    f"<!-- {HEADER_MARK}: edits are lost. Words of your own: templates in runbooks/ beside the definitions. -->\n"
)


def runbooks(
    plans: Sequence[ServiceRunbook], numbers: Enforcement, templates: Mapping[str, str], phrases: Phrases = ()
) -> Iterator[Artifact]:
    """Yield the runbooks of all services, the incident checklist and an empty postmortem.

    `templates` are texts by name: of each class, of the checklist, of single SLOs, and of a postmortem of the user's
    own; `phrases` are what is said instead of ours elsewhere.
    """
    told = _numbers(numbers)
    page, say = partial(runbook_page, phrases=phrases), partial(reword, phrases=phrases)
    for plan in plans:
        for runbook in plan.runbooks:
            path = v.runbook_file(v.runbook(runbook.service, runbook.slo.id))
            yield Artifact(path=path, text=_of_slo(runbook, told, templates, page, say))
        yield Artifact(path=v.runbook_file(v.service_runbook(plan.service.name)), text=_of_service(plan, told, page))
    if plans:
        yield Artifact(path=v.CHECKLIST_FILE, text=_NOTE + page("_checklist", {"steps": templates[CHECKLIST]}))
        yield Artifact(path=v.POSTMORTEM_FILE, text=_NOTE + blank_postmortem(phrases, templates.get(POSTMORTEM, "")))


def markdown(text: str) -> str:
    """Return `text` so that Markdown shows it as it is, on one line."""
    return _MARKUP.sub(r"\\\1", _CONTROL.sub(" ", text)).replace(r"\<", "&lt;").replace(r"\&", "&amp;")


def _numbers(numbers: Enforcement) -> dict[str, str]:
    return {
        "green": format_number(numbers.green_from * 100),
        "yellow": format_number(numbers.yellow_from * 100),
        "ticket_days": str(numbers.ticket_days),
        "span_days": str(numbers.ticket_span_days),
        "page_for": format_duration(numbers.page_for_s),
        "postmortem": format_number(numbers.postmortem_share * 100),
    }


def _of_slo(plan: Runbook, numbers: Mapping[str, str], templates: Mapping[str, str], page: Page, say: Say) -> str:
    slo = plan.slo
    facts = {
        "service": plan.service,
        "slo": slo.id,
        "title": markdown(slo.title),
        "objective": "" if slo.objective is None else format_number(slo.objective * 100),
        "period": format_duration(slo.period_s),
        "owner": markdown(slo.owner),
        "selector": plan.selector,
    }
    template = templates[slo.id if slo.id in templates else slo.slo_class.value]
    more: dict[str, object] = {
        "ref": markdown(slo.ref),
        "class": slo.slo_class.value,
        "by": ", ".join(slo.by.labels) if slo.by else "",
        "hard": isinstance(slo.indicator, Hard) or slo.hard_stop,
        "elsewhere": _address(plan.elsewhere),
        "events": plan.events,
        "failures": plan.failures,
        "dashboard": v.dashboard_uid(plan.service),
        "alerts": [asdict(alert) for alert in plan.alerts],
        "lookups": [{"what": say(lookup.what), "expr": lookup.expr} for lookup in plan.lookups],
        "numbers": numbers,
        "steps": _filled(template, facts),
        "failures_of": [(name, _filled(templates[name], facts)) for name in FAILURES] if _is_classed(slo) else [],
    }
    return _NOTE + page("_slo", {**facts, **more})


def _filled(template: str, facts: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: facts[found[1]], template).rstrip()


def _is_classed(slo: Slo) -> bool:
    """Return whether the policy's classes tell the failures of an SLO apart."""
    return slo.reasons is not None and FAILURE_CLASS in slo.reasons.by


def _of_service(plan: ServiceRunbook, numbers: Mapping[str, str], page: Page) -> str:
    rows = [
        {
            "slo": runbook.slo.id,
            "title": markdown(runbook.slo.title),
            "objective": "" if runbook.slo.objective is None else format_number(runbook.slo.objective * 100),
            "period": format_duration(runbook.slo.period_s),
            "class": runbook.slo.slo_class.value,
        }
        for runbook in plan.runbooks
    ]
    service = plan.service
    facts = {"service": service.name, "owner": markdown(service.owner), "dashboard": v.dashboard_uid(service.name)}
    told: dict[str, object] = {
        "rows": rows,
        "alerts": [asdict(alert) for alert in plan.alerts],
        "numbers": numbers,
        "objective": "",
    }
    return _NOTE + page("_service", {**facts, **told})


def _address(url: str) -> str:
    """Return an address that may stand between angle brackets; nothing where it is none."""
    return url if re.fullmatch(r"https?://[^\s<>\\]+", url) else ""
