"""The Prometheus operator: PrometheusRule objects, one for what the SLOs of a service share and one for each SLO.

An object has to stay small, and which rules are in one must not depend on how many SLOs there are: an object that
grows or is divided anew moves groups to other files, and alerts lose their state.
"""

from typing import Final

from sloforge.plan.cuts import cut
from sloforge.plan.ir import RuleFile, RuleGroup
from sloforge.render.artifacts import Layout
from sloforge.render.serialize import Data
from sloforge.targets.engine import Engine, Limits
from sloforge.targets.fields import group_item

# The operator refuses 512 KiB and `kubectl apply` an annotation of 256 KiB, which holds all of it once more.
LIMITS: Final = Limits(file_bytes=200 * 1024)
OURS: Final = ("slo", "sloforge")  # the label that deploy/kubernetes selects rules by

_HEADER: Final = """\
Made by sloforge from the SLO definitions of service {service}, for the operator. Do not edit: run `sloforge generate`.
Definitions: {digest}"""


def small_groups(file: RuleFile) -> RuleFile:
    """Return the plan in groups of one SLO each; of any size, as Prometheus has no limit."""
    return cut(file)


def lay_out(file: RuleFile) -> tuple[Layout, ...]:
    """Return the objects of a service, `service` and `service.slo`."""
    objects: dict[str, list[RuleGroup]] = {}
    for group in file.groups:
        objects.setdefault(_name(file.service, group), []).append(group)
    return tuple(_object(file, name, groups) for name, groups in objects.items())


def _name(service: str, group: RuleGroup) -> str:
    (stage,) = group.stages
    return f"{service}.{stage.slo}" if stage.slo else service  # names have no dot, so no two of these are alike


def _object(file: RuleFile, name: str, groups: list[RuleGroup]) -> Layout:
    labels: dict[str, Data] = {OURS[0]: OURS[1], **dict(file.metadata)}
    data: Data = {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": name, "labels": labels},
        "spec": {"groups": [group_item(group) for group in groups]},
    }
    header = _HEADER.format(service=file.service, digest=file.digest)
    return Layout(path=f"kubernetes/{name}.yaml", header=header, data=data)


OPERATOR = Engine(name="operator", lay_out=lay_out, cut=small_groups, limits=LIMITS)
