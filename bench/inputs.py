"""The same SLOs in both formats: a ratio of two counters, 28 days, every alert on."""

from collections.abc import Iterable

OWN_HEAD = """\
apiVersion: sloforge/v1
service: bench
owner: bench
period: 28d
slos:
"""
OWN_SLO = """\
  - id: slo-{n:04}
    title: Requests of part {n}
    class: correctness
    objective: 99.5
    sli:
      ratio:
        total: http_requests_total{{job="part-{n}"}}
        bad: http_requests_total{{job="part-{n}",outcome="failure"}}
    runbook: https://runbooks.example.com/slo-{n:04}
"""
PEER_HEAD = """\
version: prometheus/v1
service: bench
labels:
  owner: bench
slos:
"""
PEER_SLO = """\
  - name: slo-{n:04}
    description: Requests of part {n}
    objective: 99.5
    sli:
      events:
        error_query: sum(rate(http_requests_total{{job="part-{n}",outcome="failure"}}[{{{{.window}}}}]))
        total_query: sum(rate(http_requests_total{{job="part-{n}"}}[{{{{.window}}}}]))
    alerting:
      name: Burn{n:04}
      annotations:
        runbook_url: https://runbooks.example.com/slo-{n:04}
      page_alert: {{labels: {{severity: page}}}}
      ticket_alert: {{labels: {{severity: ticket}}}}
"""


def own(count: int) -> str:
    """Return a definitions file of `count` SLOs."""
    return OWN_HEAD + _each(OWN_SLO, range(count))


def peer(count: int) -> str:
    """Return the same for Sloth."""
    return PEER_HEAD + _each(PEER_SLO, range(count))


def _each(template: str, numbers: Iterable[int]) -> str:
    return "".join(template.format(n=n) for n in numbers)
