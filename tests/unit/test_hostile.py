"""No definitions, however broken, get more than findings: texts cut, spliced and doubled at random."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sloforge.diagnostics import Diagnostic
from sloforge.findings_text import FORMATS, render
from sloforge.model.bind import bind
from sloforge.model.checks import check, check_all
from sloforge.model.policy_bind import bind_policy
from sloforge.model.policy_checks import check_policy
from sloforge.model.policy_facts import Decided
from sloforge.parse.document import read_document
from sloforge.parse.policy_document import read_policy
from sloforge.parse.text import parse_yaml

DEFINITIONS = """\
apiVersion: sloforge/v1
service: shop
identity: {cluster: eu1}
labels: &labels {team: a}
alerts: {page: {fast: {long: 1h, short: 5m, budget: 2}, when: 'up == 1'}, min_failures: {page: 3}}
tiers: {premium: {objective: 99.9}}
clients: {acme: premium}
slos:
  - id: ratio
    objective: 99.5
    traffic: 10000
    sli: {ratio: {total: 'x{a="b"}', good: ['y{c!="d"}', z], excluded: w}}
    by: {labels: [client], limit: 5, alerts: true}
    reasons: {failed: v, by: [why]}
  - id: latency
    objective: 99
    labels: *labels
    sli: {latency: {histogram: h, threshold: 250ms, type: native}}
  - id: events
    objective: 99
    period: 7d
    sli:
      events:
        total: |
          sum(increase(x[{{window}}]))
        bad: "sum(increase(y[{{window}}]))"
  - {id: probe, objective: 95, sli: {probe: {metric: up, good: == 1, missing: bad}}}
  - {id: hard, counter: ledger, sli: {hard: {violations: q}}}
"""
PIECES = """{ } [ ] : - " ' &a *a | > # ! !!x % @ ` {{ }} ? --- ... <<: -1 1e9 99999999999999999999 null true {} [] 0x .
or offset =~"[" [5m] , \\ \t \x00 é \u2028 🎉 \r (""".split(" ")

POLICY = """\
apiVersion: sloforge-policy/v1
exclusions:
  - id: e
    slos: &slos [ratio]
    scope: {client: "x"}
    from: 2026-11-22T06:00:00Z
    to: 2026-11-22T07:00:00+00:00
    cause: outage
    by: ana
    at: 2026-11-22T08:00:00Z
    reason: |
      their status page
  - {id: e, approved_by: ben, approved_at: 2026-11-22T08:00:00Z}
  - {id: f, slos: *slos, from: 2026-11-22T06:00:00Z, to: 2026-11-22T07:00:00Z, cause: x, by: a, reason: r,
     at: 2026-11-22T08:00:00Z}
"""
edits = st.lists(
    st.tuples(st.integers(0, len(DEFINITIONS)), st.integers(0, 30), st.sampled_from([*PIECES, "\n", "  ", ""])),
    min_size=1,
    max_size=5,
)


def findings(text: str) -> list[Diagnostic]:
    parsed = parse_yaml(text, "f.yml")
    document, found = read_document(parsed, "f.yml")
    if document is None:
        return [*parsed.diagnostics, *found]
    service, complaints = bind(document, parsed.spans, "f.yml")
    found = [*parsed.diagnostics, *found, *complaints]
    return (
        found
        if service is None
        else [*found, *check(service, parsed.spans), *check_all([service], {"f.yml": parsed.spans})]
    )


def edited(text: str, changes: list[tuple[int, int, str]]) -> str:
    for at, length, piece in changes:
        text = text[:at] + piece + text[at + length :]
    return text


def policy_findings(text: str) -> list[Diagnostic]:
    parsed = parse_yaml(DEFINITIONS, "f.yml")
    definitions, _ = read_document(parsed, "f.yml")
    assert definitions is not None
    service, _ = bind(definitions, parsed.spans, "f.yml")
    assert service is not None
    document, found = read_policy({"exclusions.yml": ("p.yml", text)})
    decided = Decided(governance=bind_policy(document, "shop"), services={"shop": service})
    return [*found, *check_policy(decided, document.spans)]


def test_the_definitions_are_sound_before_they_are_broken() -> None:
    assert not [finding for finding in findings(DEFINITIONS) if finding.is_error]


@settings(max_examples=300)
@given(edits)
def test_broken_definitions_get_findings_at_places_in_the_file(changes: list[tuple[int, int, str]]) -> None:
    text = edited(DEFINITIONS, changes)
    found = findings(text)
    assert all(finding.span.path == "f.yml" and finding.message for finding in found)
    assert all(isinstance(render(found, form, {"f.yml": text}), str) for form in FORMATS)


def test_the_policy_file_is_sound_before_it_is_broken() -> None:
    assert not [finding for finding in policy_findings(POLICY) if finding.is_error]


@settings(max_examples=300)
@given(edits)
def test_a_broken_policy_file_gets_findings_at_places_in_it(changes: list[tuple[int, int, str]]) -> None:
    text = edited(POLICY, changes)
    found = policy_findings(text)
    assert all(finding.span.path == "p.yml" and finding.message for finding in found)
    assert all(isinstance(render(found, form, {"p.yml": text}), str) for form in FORMATS)
