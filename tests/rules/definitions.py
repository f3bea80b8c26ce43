"""Definitions as a user writes them, compiled to the text of rule files."""

from collections.abc import Iterable, Mapping

import yaml

from sloforge.model.governance import Governance
from sloforge.pipeline import compile_text
from sloforge.plan.rules import UNGOVERNED, plan_rules
from sloforge.render.artifacts import rule_artifact
from sloforge.targets import TARGETS
from sloforge.targets.engine import Engine
from sloforge.targets.prometheus import PROMETHEUS

Definition = Mapping[str, object]


def rule_files(
    slos: Iterable[Definition],
    *,
    service: str = "oracle",
    governance: Governance = UNGOVERNED,
    target: str = "prometheus",
    as_engine: Engine = PROMETHEUS,
    **more: object,
) -> dict[str, str]:
    """Compile one service and return its rule files, name -> YAML text; `more` are keys of the file's top level.

    The groups are those of `target`, in the form that `as_engine` reads.
    """
    document = {"apiVersion": "sloforge/v1", "service": service, **more, "slos": [dict(slo) for slo in slos]}
    compiled = compile_text(yaml.safe_dump(document, sort_keys=False), f"{service}.yml")
    errors = [d for d in compiled.diagnostics if d.is_error]
    assert not errors, "\n".join(f"{d.span}: {d.code.number} {d.message}; {d.hint}" for d in errors)
    planned = [TARGETS[target].cut(plan_rules(one, governance)) for one in compiled.checked.services]
    artifacts = [rule_artifact(layout) for plan in planned for layout in as_engine.lay_out(plan)]
    return {artifact.path.rsplit("/", 1)[-1]: artifact.text for artifact in artifacts}


def only(files: Mapping[str, str], *records: str) -> dict[str, str]:
    """Return the same files with no rules but the recording rules that bear one of the names or prefixes."""
    return {name: _filtered(text, records) for name, text in files.items()}


def without(files: Mapping[str, str], *records: str) -> dict[str, str]:
    """Return the same files without the recording rules of these names: a test feeds the series itself."""
    return {name: _filtered(text, records, keep=False) for name, text in files.items()} if records else dict(files)


def _filtered(text: str, records: tuple[str, ...], *, keep: bool = True) -> str:
    document = yaml.safe_load(text)
    for group in document["groups"]:
        group["rules"] = [rule for rule in group["rules"] if rule.get("record", "").startswith(records) is keep]
    return yaml.safe_dump(document, sort_keys=False, width=1_000_000)
