"""Reads and checks definitions with the policy folder that belongs to them: all of `sloforge validate`.

Apart from the pipeline, so that an editor which validates at each save waits for nothing that plans and renders.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from sloforge.diagnostics import Code, Diagnostic, Span, SpanMap
from sloforge.governing import govern, govern_texts
from sloforge.model.base_checks import check_base, read_base
from sloforge.model.bind import bind
from sloforge.model.checks import check, check_all, check_history
from sloforge.model.governance import Governance
from sloforge.model.library import expand, used
from sloforge.model.objects import Service
from sloforge.model.routing import Base
from sloforge.parse.document import read_document
from sloforge.parse.find import find_definitions
from sloforge.parse.library import read_library
from sloforge.parse.runbooks import FOLDER as RUNBOOKS
from sloforge.parse.runbooks import read_templates
from sloforge.parse.text import parse_yaml, read_text
from sloforge.verify import promql

POLICY_FOLDER: Final = "policy"
ALERTMANAGER_BASE: Final = Path("deploy/alertmanager/base.yml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was read: the services, what was decided about them, every complaint, and where everything stands."""

    services: tuple[Service, ...] = ()
    governance: Governance = field(default_factory=Governance)
    base: Base | None = None  # the Alertmanager configuration that routes go into, if there is a sound one
    runbooks: Mapping[str, str] = field(default_factory=dict)  # templates by name, with the user's own; empty for ours
    diagnostics: tuple[Diagnostic, ...] = ()
    spans: Mapping[str, SpanMap]
    sources: Mapping[str, str]  # text by path, for showing the line that a finding is about

    @property
    def failed(self) -> bool:
        """Whether any finding is an error."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)

    def and_(self, diagnostics: Iterable[Diagnostic]) -> "Checked":
        """Return the same with more complaints."""
        return replace(self, diagnostics=(*self.diagnostics, *diagnostics))


def policy_folder(paths: Sequence[Path]) -> Path:
    """Return the folder of policy files that belongs to the definitions: `policy` in their folder."""
    first = paths[0]
    return (first if first.is_dir() else first.parent) / POLICY_FOLDER


def alertmanager_base(paths: Sequence[Path]) -> Path | None:
    """Return the Alertmanager configuration that nobody has to name: beside the definitions, or right here."""
    beside = policy_folder(paths).parent / ALERTMANAGER_BASE
    return next((path for path in (beside, ALERTMANAGER_BASE) if path.is_file()), None)


def check_files(
    paths: Sequence[Path],
    previous: Mapping[str, str] | None = None,
    policy: Path | None = None,
    drafts: Mapping[str, str] | None = None,
    base: Path | None = None,
) -> Checked:
    """Read and check the definitions that `paths` name, and the policy folder that belongs to them.

    `previous` holds the objectives of the last run in per cent. `policy` names another folder. `drafts` are texts by
    the name of a policy file, judged in its place before they are written. `base` is an Alertmanager configuration.
    """
    files, diagnostics = find_definitions(paths)
    texts: dict[str, str] = {}
    for file in files:
        text, complaints = read_text(file)
        diagnostics += complaints
        if text is not None:
            texts[str(file)] = text
    checked = check_definitions(texts, previous or {}).and_(diagnostics)
    folder = policy_folder(paths) if policy is None else policy
    governed = govern(folder, checked.services, drafts or {}, needed=policy is not None, sure=not checked.failed)
    slos = [slo.id for service in checked.services for slo in service.slos]
    books = read_templates(policy_folder(paths).parent / RUNBOOKS, slos, governed.governance.words)
    sources = {**checked.sources, **governed.sources, **books.sources}
    checked = replace(checked, governance=governed.governance, runbooks=books.texts, sources=sources)
    checked = checked.and_((*governed.diagnostics, *books.diagnostics))
    return checked if base is None else _with_base(checked, base, governed.spans)


def check_texts(definitions: Mapping[str, str], policy: Mapping[str, tuple[str, str]]) -> Checked:
    """Check definitions that are at hand as text, by what findings call them, under a policy folder's (path, text)."""
    checked = check_definitions(definitions, {})
    governed = govern_texts(policy, checked.services, sure=not checked.failed)
    sources = {**checked.sources, **governed.sources}
    return replace(checked, governance=governed.governance, sources=sources).and_(governed.diagnostics)


def too_new(checked: Checked, version: str) -> list[Diagnostic]:
    """Return what of the PromQL in the definitions Prometheus `version` would not know; nothing if there are errors."""
    services = () if checked.failed else checked.services
    found = [
        promql.check_written(service, checked.spans[service.path], promql.parse_version(version))
        for service in services
    ]
    return [diagnostic for one in found for diagnostic in one]


def check_definitions(texts: Mapping[str, str], previous: Mapping[str, str]) -> Checked:
    """Check definitions that are at hand as text, without a policy; `previous` holds objectives in per cent."""
    services: list[Service] = []
    spans: dict[str, SpanMap] = {}
    diagnostics: list[Diagnostic] = []
    sources = dict(texts)
    before = {name: Decimal(percent) / 100 for name, percent in previous.items()}
    for path, text in texts.items():
        parsed = parse_yaml(text, path)
        spans[path] = parsed.spans
        document, complaints = read_document(parsed, path)
        diagnostics += [*parsed.diagnostics, *complaints]
        if document is None:
            continue
        library = read_library(used(document), Path(path).parent)
        expanded = expand(document, parsed.spans, library)
        spans[path] = expanded.spans
        sources |= library.texts
        service, complaints = bind(expanded.document, expanded.spans, path)
        diagnostics += [*expanded.diagnostics, *complaints]
        if service is not None:
            diagnostics += [*check(service, expanded.spans), *check_history(service, expanded.spans, before)]
            services.append(service)
    diagnostics += check_all(services, spans)
    unique = tuple(dict.fromkeys(diagnostics))  # an SLI file's fault shows in every SLO that uses it
    return Checked(services=tuple(services), diagnostics=unique, spans=spans, sources=sources)


def _with_base(checked: Checked, path: Path, places: SpanMap) -> Checked:
    """Return the same with the Alertmanager configuration at `path`, and what is wrong with it.

    `places` are those of the policy folder. Findings show lines of the text only if it is known to hold no secret.
    """
    if not path.is_file():
        message = "there is no such Alertmanager configuration"
        return checked.and_([Diagnostic(code=Code.BASE_MISSING, span=Span(str(path)), message=message)])
    text, complaints = read_text(path)
    if text is None:
        return checked.and_(complaints)
    parsed = parse_yaml(text, str(path), plain=True)
    base, faults = read_base(parsed, str(path), text)
    complaints = [*parsed.diagnostics, *faults]
    if base is not None:
        complaints += check_base(base, checked.governance, parsed.spans, places)
    if base is not None and not any(complaint.code is Code.BASE_SECRET for complaint in complaints):
        checked = replace(checked, sources={**checked.sources, str(path): text})
    return replace(checked, base=base).and_(complaints)
