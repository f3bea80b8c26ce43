"""Definitions in two versions, for the tests of reviews."""

from sloforge.checking import check_texts
from sloforge.review.changes import Change, Review, State
from sloforge.review.compare import compare

SHOP = """\
apiVersion: sloforge/v1
service: shop
owner: shop-team
slos:
  - id: checkout
    title: Checkouts succeed
    class: correctness
    objective: 99.5
    sli: {ratio: {total: requests_total, bad: 'requests_total{code=~"5.."}'}}
    runbook: https://runbooks.example.com/checkout
  - id: search
    class: timeliness
    objective: 99
    sli: {latency: {histogram: search_seconds, threshold: 0.5s}}
    by: {labels: [region]}
    runbook: https://runbooks.example.com/search
"""
POLICY = "apiVersion: sloforge-policy/v1\n"


def state(definitions: str, **policy: str) -> State:
    """Return the facts of one definitions file, and of policy files by their names without .yml."""
    texts = {f"{name}.yml": (f"policy/{name}.yml", POLICY + text) for name, text in policy.items()}
    checked = check_texts({"slo_definitions.yml": definitions}, texts)
    assert not checked.failed, checked.diagnostics
    return State(services=checked.services, governance=checked.governance)


def edited(*edits: tuple[str, str]) -> Review:
    """Return what changes when SHOP is edited."""
    text = SHOP
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    return compare(state(SHOP), state(text), "before")


def changes(review: Review) -> dict[str, Change]:
    """Return the changes of the only service that changes, by what they are about."""
    (service,) = review.services
    return {change.what: change for change in service.changes}
