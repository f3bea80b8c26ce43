"""Thanos Ruler: the plan's two groups as Prometheus has them, and never a partial answer."""

from collections.abc import Sequence
from typing import Final

from sloforge.plan.ir import RuleFile
from sloforge.render.artifacts import Layout
from sloforge.targets.engine import Engine, snapshots_hint
from sloforge.targets.fields import group_item

# A rule would count too little of a partial answer, and nothing would tell. Rather no sample: SLODataMissing does.
_STRATEGY: Final = {"partial_response_strategy": "abort"}

_HEADER: Final = """\
Made by sloforge from the SLO definitions of service {service}, for Thanos Ruler. Do not edit: run `sloforge generate`.
Definitions: {digest}

Rules read what others of their group have just recorded, so the ruler has to be stateful (no --remote-write.config),
and a store of the querier that it asks (--endpoint on the querier)."""


def lay_out(file: RuleFile) -> tuple[Layout, ...]:
    """Return the rule file as Thanos reads it."""
    header = _HEADER.format(service=file.service, digest=file.digest)
    data = {"groups": [group_item(group, dict(_STRATEGY)) for group in file.groups]}
    return (Layout(path=f"thanos/{file.service}.rules.yaml", header=header, data=data),)


def hints(files: Sequence[RuleFile]) -> list[str]:
    """Return what missed evaluations cost."""
    return snapshots_hint("Thanos Ruler", files)


THANOS = Engine(name="thanos", lay_out=lay_out, hints=hints)
