"""What every recorded series and alert means, for the reference: the one place of these words outside of the README.

A name stands for all of its windows: `WINDOW` for a duration, `TIER` for page_fast, page_slow, ticket_fast and
ticket_slow. A series is public if dashboards, gates and people may read it; the rest is what rules remember.
"""

from collections.abc import Mapping
from typing import Final

# By section, name and meaning.
SERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "Counts": {
        "slo:events_total:delta1m": "Events of the last minute.",
        "slo:events_failed:delta1m": "Failures of the last minute; below 0 where more was made good than failed.",
        "slo:events_total:delta5m": "Events of the last five minutes: what the sums of a day and more are made of.",
        "slo:events_failed:delta5m": "Failures of the last five minutes.",
        "slo:events_total:sum_period": "Events of the SLO's period.",
        "slo:events_failed:sum_period": "Failures of the SLO's period.",
        "slo:events_failed:sumWINDOW": "Failures within the window: the floor that alerts need.",
        "slo:tick:present": "1 for each minute that was seen at all.",
        "slo:coverage:ratio": "Share of the period's minutes that were seen, since the SLO's first.",
    },
    "Ratios and budget": {
        "slo:objective:ratio": "The objective, as 0.995.",
        "slo:error_budget:ratio": "1 − objective.",
        "slo:period:seconds": "How long the budget lasts.",
        "slo:sli:ratio_period": "1 − failed / total over the period; absent while nothing happened.",
        "slo:sli_error:ratioWINDOW": "Failed / total over the window; absent while nothing happens, never NaN.",
        "slo:burn_rate:ratioWINDOW": "Error ratio / error budget: 1 spends the budget in exactly one period.",
        "slo:budget_remaining:ratio": "1 = untouched, 0 = spent, negative = overspent.",
        "slo:budget_remaining:events": "The same in events that may still fail.",
        "slo:budget_exhaustion:seconds": "How long what is left lasts at the burn of the last 6 hours; absent below 1.",
        "slo_info": "1, with title, ref, class, owner, period, runbook and the file's labels.",
    },
    "After approved exclusions": {
        "slo:events_total:sum_period:with_exclusions": "Events of the period that count.",
        "slo:events_failed:sum_period:with_exclusions": "Failures of the period that count.",
        "slo:sli:ratio_period:with_exclusions": "The SLI of those.",
        "slo:budget_remaining:ratio:with_exclusions": "What is left of the budget: what bands go by.",
        "slo:budget_remaining:events:with_exclusions": "The same in events.",
        "slo_group:events_failed:sum_period:with_exclusions": "Failures of each combination that count.",
        "slo_group:budget_remaining:ratio:with_exclusions": "What each combination has left.",
    },
    "Burns": {
        "slo:burn_TIER:active": "1 while the burn of this pair of windows is on, else 0: what alerts read.",
        "slo:burn_page:active": "1 while any page's burn is on.",
        "slo:page_when:active": "1 while the condition under `page.when` holds.",
        "slo_group:burn_rate:ratioWINDOW": "The burn of each combination, with `by.alerts: true`.",
        "slo_group:burn_TIER:active": "Its burn conditions.",
        "slo_group:events_failed:sumWINDOW": "Its failures within the window.",
    },
    "The policy in force": {
        "slo:band:state": "0 GREEN, 1 YELLOW, 2 RED, -1 unknown.",
        "slo:band:reason": "Why, by `reason`: budget, ticket_burn, page_burn, hard_stop, coverage, learning, "
        "few_failures; the value is the number behind it.",
        "slo_service:band:state": "The worst band of the service's SLOs.",
        "slo:freeze:active": "1 while the service's changes are frozen.",
        "slo:freeze:last_red_timestamp_seconds": "When the service was RED last: an approval has to be newer.",
        "slo:hard_stop:active": "1 while a violation stands that nobody approved, by `rule`.",
        "slo:hard_stop:violations": "How many violations a ledger has seen, while more than were acknowledged.",
        "slo:postmortem:required": "1 while an incident waits for its postmortem.",
    },
    "By combination (`by`) and by reason": {
        "slo_group:events_total:delta1m": "Events of the last minute of each combination.",
        "slo_group:events_failed:delta1m": "Its failures.",
        "slo_group:events_total:delta5m": "Its events of five minutes.",
        "slo_group:events_failed:delta5m": "Its failures of five minutes.",
        "slo_group:events_total:sum_period": "Its events of the period.",
        "slo_group:events_failed:sum_period": "Its failures of the period.",
        "slo_group:budget_remaining:ratio": "What it has left of its own budget.",
        "slo_group:budget_remaining:events": "The same in events.",
        "slo_group:band:state": "Its band, by that budget alone.",
        "slo_group:objective:ratio": "Its objective, where it may differ from the SLO's.",
        "slo_group:error_budget:ratio": "1 − that.",
        "slo_group:tier:info": "1, with the tier of its client.",
        "slo_client:tier:info": "1 for each client, with its one tier.",
        "slo_reason:events_failed:delta1m": "Failures of the last minute by reason.",
        "slo_reason:events_failed:delta5m": "The same of five minutes.",
        "slo_reason:events_failed:sum1d": "Failures of the last day by reason.",
        "slo_reason:events_failed:sum_period": "Failures of the period by reason.",
    },
    "By tier, label value and share": {
        "slo_KIND:events_total:sum_period": "Events of the period: of each tier, of each value of a label.",
        "slo_KIND:events_failed:sum_period": "Failures of the period.",
        "slo_KIND:objective:ratio": "What it is promised.",
        "slo_KIND:error_budget:ratio": "1 − that.",
        "slo_KIND:sli:ratio_period": "What it gets.",
        "slo_KIND:budget_remaining:ratio": "What it has left of its budget.",
        "slo_KIND:budget_remaining:events": "The same in events.",
        "slo_partition:share:ratio": "Each share of a divided budget.",
        "slo_partition:events_failed:sum_period": "What failed of it.",
        "slo_partition:budget_remaining:ratio": "What is left of it.",
        "slo_partition:budget_remaining:events": "The same in events.",
    },
}

# What rules remember for themselves: by prefix. No promise is made about these.
INNER: Final[Mapping[str, str]] = {
    "slo_slow": "Sums over a day and more, made every five minutes; the rules of every minute read them.",
    "slo_ledger": "Sums over the period of counters that never reset.",
    "slo_snapshot": "Readings of raw counters, with `snapshots: true`.",
    "slo:band:": "Moments at which a band was asked for, and for which it is held.",
    "slo_service:band:": "Moments at which the service was RED.",
    "slo_group:band:": "The same for combinations.",
    "slo_client:tier:": "When a client's tier was last seen.",
    "slo:hard_stop:": "Moments of violations.",
    "slo:postmortem:": "Moments at which an incident was dear enough.",
}

ALERTS: Final[Mapping[str, str]] = {
    "SLOBurnPageFast": "2 % of the budget went within 1h, and it goes on (5m); at least 3 failures. Pages.",
    "SLOBurnPageSlow": "5 % of the budget went within 6h, and it goes on (30m); at least 3 failures. Pages.",
    "SLOBurnTicketFast": "10 % of the budget went within a day, and it goes on (2h); at least 2 failures. A ticket.",
    "SLOBurnTicketSlow": "10 % of the budget went within three days, and it goes on (6h). A ticket.",
    "SLOHardViolation": "What must never happen has happened, and nobody has approved. Pages.",
    "SLOBudgetYellow": "The SLO is YELLOW: features ship behind flags, with canary and approval. A ticket.",
    "SLOBudgetRed": "The SLO is RED: only fixes ship. A ticket.",
    "SLOFreezeActive": "The service's changes are frozen: for a webhook, such as that of feature flags.",
    "SLOPostmortemRequired": "An incident cost so much that a postmortem is due. A ticket.",
    "SLODataMissing": "The SLO's metrics are gone: nobody knows whether anything fails.",
    "SLODuplicateDefinition": "Two rule files record the same SLO.",
    "SLORulesFailing": "Rules of this service fail, or evaluations were missed.",
    "SLOLedgerInconsistent": "The exporter's counts do not add up.",
    "SLOWatchdog": "Fires always: a dead man's switch elsewhere rings when it stops.",
}
