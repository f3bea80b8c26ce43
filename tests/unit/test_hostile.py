"""No definitions, however broken, get more than findings: texts cut, spliced and doubled at random."""

from hypothesis import given, settings
from hypothesis import strategies as st

from sloforge.diagnostics import Diagnostic
from sloforge.model.bind import bind
from sloforge.model.checks import check, check_all
from sloforge.parse.document import read_document
from sloforge.parse.text import parse_yaml
from sloforge.report import FORMATS, render

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


def test_the_definitions_are_sound_before_they_are_broken() -> None:
    assert not [finding for finding in findings(DEFINITIONS) if finding.is_error]


@settings(max_examples=300, deadline=None)
@given(edits)
def test_broken_definitions_get_findings_at_places_in_the_file(changes: list[tuple[int, int, str]]) -> None:
    text = DEFINITIONS
    for at, length, piece in changes:
        text = text[:at] + piece + text[at + length :]
    found = findings(text)
    assert all(finding.span.path == "f.yml" and finding.message for finding in found)
    assert all(isinstance(render(found, form, {"f.yml": text}), str) for form in FORMATS)
