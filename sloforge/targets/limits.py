"""What of a run goes beyond what its engine bears, and what to do about it. The limits are the engines' data."""

from collections.abc import Iterator, Sequence

from sloforge.diagnostics import Code, Route
from sloforge.model.complaint import Complaint
from sloforge.plan.ir import AlertRule, Rule, RuleFile
from sloforge.render.artifacts import Artifact
from sloforge.targets.engine import Limits

_OF_ALERTS = 3  # alertname, alertstate and the name ALERTS itself: an alert is a series as well


def beyond(limits: Limits, file: RuleFile, artifacts: Sequence[Artifact]) -> Iterator[Complaint]:
    """Yield what of one service's cut plan, and of its files, is beyond `limits`."""
    for group in file.groups:
        if limits.rules is not None and len(group.rules) > limits.rules:
            message = f"group {group.name} has {len(group.rules)} rules that have to run together, of {limits.rules}"
            yield Complaint(Code.GROUP_RULES, _origin(group.rules), message)
        for rule in group.rules:
            if limits.labels is not None and (names := _label_names(rule)) > limits.labels:
                message = f"{_name(rule)} has {names} labels, of {limits.labels}"
                yield Complaint(Code.SERIES_LABELS, rule.origin, message)
    for artifact in artifacts:
        if limits.file_bytes is not None and (size := len(artifact.text.encode())) > limits.file_bytes:
            message = f"{artifact.path} has {size:,} bytes, of {limits.file_bytes:,}, and cannot be divided further"
            yield Complaint(Code.RESOURCE_SIZE, _origin(file.groups[0].rules), message)


def too_many_groups(limits: Limits, files: Sequence[RuleFile]) -> Iterator[Complaint]:
    """Yield a complaint if the groups of a whole run are more than one tenant may have."""
    groups = sum(len(file.groups) for file in files)
    if limits.groups is not None and groups > limits.groups:
        yield Complaint(Code.TENANT_GROUPS, (), f"the run has {groups} groups, of {limits.groups}")


def _origin(rules: Sequence[Rule]) -> Route:
    return next((rule.origin for rule in rules if rule.origin), ())


def _label_names(rule: Rule) -> int:
    return len(rule.labels) + (_OF_ALERTS if isinstance(rule, AlertRule) else 1)


def _name(rule: Rule) -> str:
    return rule.alert if isinstance(rule, AlertRule) else rule.record
