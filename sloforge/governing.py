"""Reads the policy folder: files to what was decided, and what is wrong with it.

For the pipeline, and for those who ask what may ship: these have no definitions at hand, and no time to load what
compiles them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sloforge.diagnostics import Diagnostic, SpanMap
from sloforge.model.governance import Governance
from sloforge.model.objects import Service
from sloforge.model.policy_bind import bind_policy
from sloforge.model.policy_checks import check_policy
from sloforge.model.policy_facts import Decided
from sloforge.parse.policy_document import find_policy, read_policy
from sloforge.parse.text import read_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Governed:
    """What was decided, every complaint about it, the text of each file by its path, and where each entry stands."""

    governance: Governance
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    spans: SpanMap

    @property
    def failed(self) -> bool:
        """Whether any finding is an error."""
        return any(diagnostic.is_error for diagnostic in self.diagnostics)


def read_governance(folder: Path, service: str) -> Governed:
    """Return what was decided about `service`, and what is wrong with it as far as can be told without definitions."""
    undefined = Service(name=service, slos=(), path="", digest="")
    return govern(folder, (undefined,), {}, needed=True, sure=False)


def govern(
    folder: Path, services: Sequence[Service], drafts: Mapping[str, str], *, needed: bool, sure: bool
) -> Governed:
    """Return what was decided in `folder` about `services`; `drafts` stand in for files, `sure` is as in `Decided`."""
    files, findings = find_policy(folder, needed=needed)
    texts = {name: (str(folder / name), text) for name, text in drafts.items()}
    for name, file in files.items():
        text, complaints = (None, []) if name in texts else read_text(file)
        findings += complaints
        if text is not None:
            texts[name] = (str(file), text)
    governed = govern_texts(texts, services, sure=sure)
    return replace(governed, diagnostics=(*findings, *governed.diagnostics))


def govern_texts(texts: Mapping[str, tuple[str, str]], services: Sequence[Service], *, sure: bool) -> Governed:
    """Return what was decided about `services` in files that are at hand as (path, text), by name."""
    document, complaints = read_policy(texts)
    known = {service.name: service for service in services}
    governance = bind_policy(document, next(iter(known)) if len(known) == 1 else "")
    decided = Decided(governance=governance, services=known, sure=sure)
    diagnostics = (*complaints, *check_policy(decided, document.spans))
    return Governed(governance=governance, diagnostics=diagnostics, sources=dict(texts.values()), spans=document.spans)
