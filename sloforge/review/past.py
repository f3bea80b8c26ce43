"""What there is to compare with: definitions that may have errors, or the little that generated files tell."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.model.governance import Governance
from sloforge.model.objects import Hard, Service, Slo, SloClass
from sloforge.parse.policy_document import FILES
from sloforge.policy import PERIOD_S
from sloforge.quantities import parse_number
from sloforge.review.changes import State

OBJECTIVES_ONLY: Final = "objectives only, as generated files hold no definitions"


def judge(
    services: Sequence[Service], governance: Governance, diagnostics: Iterable[Diagnostic], told: Sequence[Diagnostic]
) -> tuple[State, list[Diagnostic]]:
    """Return what can be compared, and a warning for each file with errors.

    `told` are warnings that there are already, of files that could not even be read.
    """
    errors: dict[str, list[Diagnostic]] = {}
    for finding in diagnostics:
        if finding.is_error:
            errors.setdefault(finding.span.path, []).append(finding)
    warnings = [*told, *(_broken(path, faults) for path, faults in errors.items())]
    paths = {service.path for service in services}
    nameless = {warning.span.path for warning in warnings if warning.code is Code.PAST_BROKEN} - paths
    policies = {path for path in nameless if PurePosixPath(path).name in FILES}
    state = State(
        services=tuple(services),
        governance=governance,
        broken=frozenset(service.name for service in services if service.path in errors),
        complete=nameless == policies,
        governed=not policies,
    )
    return state, warnings


def generated(objectives: Mapping[str, str], services: Iterable[str], after: State) -> State:
    """Return the state that a manifest tells of, in per cent by `service/id`: all that it is silent of is as after."""
    names = set(services)
    known = [_as_generated(service, objectives) for service in after.services if service.name in names]
    gone = names - {service.name for service in known}
    known += [_with_gone(Service(name=name, slos=(), path="", digest=""), objectives) for name in sorted(gone)]
    return replace(after, services=tuple(known))


def _as_generated(service: Service, objectives: Mapping[str, str]) -> Service:
    slos = [
        replace(slo, objective=parse_number(text) / 100) if text else slo
        for slo in service.slos
        if (text := objectives.get(f"{service.name}/{slo.id}")) or slo.objective is None
    ]
    return _with_gone(replace(service, slos=tuple(slos)), objectives)


def _with_gone(service: Service, objectives: Mapping[str, str]) -> Service:
    """Return the service with the SLOs that are only in the manifest: of these, nothing but the objective is known."""
    there = {slo.id for slo in service.slos}
    pairs = (name.partition("/") for name in objectives)
    gone = sorted(slo for owner, _, slo in pairs if owner == service.name and slo not in there)
    lost = [
        Slo(
            id=slo,
            ref=slo,
            title=slo,
            slo_class=SloClass.CORRECTNESS,
            objective=parse_number(objectives[f"{service.name}/{slo}"]) / 100,
            period_s=PERIOD_S,
            indicator=Hard(violations=()),
            origin=(),
        )
        for slo in gone
    ]
    return replace(service, slos=(*service.slos, *lost))


def _broken(path: str, faults: Sequence[Diagnostic]) -> Diagnostic:
    more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
    message = f"{faults[0].message} ({faults[0].code.number}){more}"
    return Diagnostic(code=Code.PAST_BROKEN, span=Span(path), message=message)
