"""Every name that leaves the program: recorded series, labels, alerts, groups and files.

Rename nothing here lightly: history in a user's Prometheus hangs on these words.
Standard library only, so that the exporter can share it.
"""

from hashlib import sha256
from typing import Final

API_VERSION: Final = "sloforge/v1"
POLICY_API_VERSION: Final = "sloforge-policy/v1"
SLI_API_VERSION: Final = "sloforge-sli/v1"

# --- labels -----------------------------------------------------------------
SERVICE: Final = "slo_service"
SLO: Final = "slo"
SEVERITY: Final = "severity"
OWNER: Final = "owner"
TIER: Final = "tier"
DEFAULT_TIER: Final = "default"
CLIENT_ID: Final = "client_id"

SEVERITIES_OF_SERVICES: Final = ("freeze", "watchdog")  # nobody can rename these, as `severities:` does others

DEPENDENCY_INCIDENT: Final = "dependency_incident"  # why the exporter excludes attempts, and a file's `cause`

# Labels that sloforge itself sets on series or alerts; a definition may not set them.
RESERVED_LABELS: Final = frozenset(
    {SERVICE, SLO, SEVERITY, OWNER, TIER, "service", "alertname", "job", "instance", "le", "__name__"}
)
# Those of slo_info beside them, and of what stands beside an identity; metrics may well have labels of these names.
INFO_LABELS: Final = frozenset({"title", "ref", "class", "period", "runbook", "rule", "reason"})

# --- counts -----------------------------------------------------------------
TOTAL_TICK: Final = "slo:events_total:delta1m"
FAILED_TICK: Final = "slo:events_failed:delta1m"
TICK_PRESENT: Final = "slo:tick:present"
TOTAL_DELTA5M: Final = "slo:events_total:delta5m"
FAILED_DELTA5M: Final = "slo:events_failed:delta5m"
TOTAL_PERIOD: Final = "slo:events_total:sum_period"
FAILED_PERIOD: Final = "slo:events_failed:sum_period"

# The slow group's own sums: read only by the fast group, by last_over_time.
SLOW_PREFIX: Final = "slo_slow"
# The exact period sums of ledger counters, also made in the slow group.
LEDGER_PREFIX: Final = "slo_ledger"
SNAPSHOT_PREFIX: Final = "slo_snapshot"
GROUP_PREFIX: Final = "slo_group"
REASON_PREFIX: Final = "slo_reason"
TIER_PREFIX: Final = "slo_tier"  # by `slo` and `tier`
LABEL_PREFIX: Final = "slo_label"  # by `slo` and one label whose values have objectives of their own
PARTITION_PREFIX: Final = "slo_partition"  # by `slo` and the label that its budget is divided by

# --- ratios, budget ---------------------------------------------------------
OBJECTIVE: Final = "slo:objective:ratio"
ERROR_BUDGET: Final = "slo:error_budget:ratio"
PERIOD: Final = "slo:period:seconds"
INFO: Final = "slo_info"
SLI_PERIOD: Final = "slo:sli:ratio_period"
REMAINING_RATIO: Final = "slo:budget_remaining:ratio"
REMAINING_EVENTS: Final = "slo:budget_remaining:events"
EXHAUSTION: Final = "slo:budget_exhaustion:seconds"
COVERAGE: Final = "slo:coverage:ratio"
HARD_STOP: Final = "slo:hard_stop:active"
VIOLATIONS: Final = "slo:hard_stop:violations"  # of a ledger: how many were ever seen, while more than acknowledged
PAGE_WHEN: Final = "slo:page_when:active"

# --- the policy in force ----------------------------------------------------
BAND: Final = "slo:band:state"  # 0 GREEN, 1 YELLOW, 2 RED, -1 unknown
BAND_REASON: Final = "slo:band:reason"  # by `reason`; the value is the number behind it
BAND_ASKED: Final = "slo:band:asked_timestamp_seconds"  # by `reason` and `band`; there only while that reason asks
BAND_HELD: Final = "slo:band:held_timestamp_seconds"  # the same, for as long as a band is held after it was asked for
SERVICE_BAND: Final = "slo_service:band:state"  # the worst band of the service's SLOs
FREEZE: Final = "slo:freeze:active"
LAST_RED: Final = "slo:freeze:last_red_timestamp_seconds"  # the freeze ends by an approval that is newer
PAGE_BURN: Final = "slo:burn_page:active"  # whether any page burns
POSTMORTEM: Final = "slo:postmortem:required"
GROUP_BAND_ASKED: Final = f"{GROUP_PREFIX}:band:asked_timestamp_seconds"  # by `band`, as above
GROUP_BAND_HELD: Final = f"{GROUP_PREFIX}:band:held_timestamp_seconds"
GROUP_BAND: Final = f"{GROUP_PREFIX}:band:state"
GROUP_REMAINING: Final = f"{GROUP_PREFIX}:budget_remaining:ratio"
GROUP_REMAINING_EVENTS: Final = f"{GROUP_PREFIX}:budget_remaining:events"
GROUP_TOTAL_PERIOD: Final = f"{GROUP_PREFIX}:events_total:sum_period"
GROUP_FAILED_PERIOD: Final = f"{GROUP_PREFIX}:events_failed:sum_period"
GROUP_OBJECTIVE: Final = f"{GROUP_PREFIX}:objective:ratio"  # of combinations with an objective of their own
GROUP_ERROR_BUDGET: Final = f"{GROUP_PREFIX}:error_budget:ratio"
GROUP_TIER: Final = f"{GROUP_PREFIX}:tier:info"  # 1 for each combination, by the tier of its client
CLIENT_TIER: Final = "slo_client:tier:info"  # 1 for each client, by its one tier
CLIENT_TIER_SHOWN: Final = "slo_client:tier:shown_timestamp_seconds"
RULE: Final = "rule"
REASON: Final = "reason"
LABEL: Final = "label"  # which label a figure of slo_label is by
WITH_EXCLUSIONS: Final = ":with_exclusions"  # suffix of the period's figures after approved exclusions


def error_ratio(window: str) -> str:
    """Return the recorded error ratio over `window` (as `1h`): failed / total."""
    return f"slo:sli_error:ratio{window}"


def failed_sum(window: str) -> str:
    """Return the recorded number of failures over `window`."""
    return f"slo:events_failed:sum{window}"


def burn_rate(window: str) -> str:
    """Return the recorded burn rate over `window`; 1 spends the budget in exactly one period."""
    return f"slo:burn_rate:ratio{window}"


def burn_active(tier: str) -> str:
    """Return the recorded 0/1 burn condition of a tier such as `page_fast`."""
    return f"slo:burn_{tier}:active"


def group_burn_active(tier: str) -> str:
    """Return the recorded 0/1 burn condition of a tier, one series for each label combination."""
    return f"{GROUP_PREFIX}:burn_{tier}:active"


# --- alerts -----------------------------------------------------------------
BURN_ALERTS: Final = {
    "page_fast": "SLOBurnPageFast",
    "page_slow": "SLOBurnPageSlow",
    "ticket_fast": "SLOBurnTicketFast",
    "ticket_slow": "SLOBurnTicketSlow",
}
HARD_VIOLATION: Final = "SLOHardViolation"
DATA_MISSING: Final = "SLODataMissing"
DUPLICATE_DEFINITION: Final = "SLODuplicateDefinition"
RULES_FAILING: Final = "SLORulesFailing"
BUDGET_YELLOW: Final = "SLOBudgetYellow"
BUDGET_RED: Final = "SLOBudgetRed"
FREEZE_ACTIVE: Final = "SLOFreezeActive"
POSTMORTEM_REQUIRED: Final = "SLOPostmortemRequired"
LEDGER_INCONSISTENT: Final = "SLOLedgerInconsistent"
WATCHDOG: Final = "SLOWatchdog"

# --- groups and files -------------------------------------------------------
MANIFEST: Final = "manifest.json"
ALERTMANAGER_FILE: Final = "alertmanager/alertmanager.yml"
ROUTES_FILE: Final = "alertmanager/slo-routes.yml"
OPERATOR_ROUTES_FILE: Final = "alertmanager/alertmanagerconfig.yml"
TEMPLATES_FOLDER: Final = "alertmanager/templates"
TEMPLATES_GLOB: Final = "templates/*.tmpl"  # as Alertmanager's configuration beside them names them
ROUTE_TESTS_FILE: Final = "tests/routes.yml"
OFFICE_HOURS: Final = "slo-office-hours"  # the time interval of tickets


def fast_group(service: str) -> str:
    """Return the name of the service's 1m group; alert state hangs on it, so it depends on nothing else."""
    return f"{service}-fast"


def slow_group(service: str) -> str:
    """Return the name of the service's 5m group."""
    return f"{service}-slow"


def planned_groups(service: str) -> str:
    """Return the pattern of both, as Prometheus names groups in metrics about them."""
    return f".*;{service}-(fast|slow)"


def small_groups(service: str) -> str:
    """Return the pattern of a service's groups where engines want them small: see plan/cuts.py."""
    return f".*;{service}[.].+"


def rule_file(service: str) -> str:
    """Return the path of a service's rule file below the output folder."""
    return f"prometheus/{service}.rules.yml"


def vmalert_file(service: str) -> str:
    """Return the path of a service's rule file for vmalert below the output folder."""
    return f"vmalert/{service}.rules.yml"


LINT_FILE: Final = "grafana/.lint"  # where dashboard-linter looks for it
OVERVIEW: Final = "overview"
OVERVIEW_FILE: Final = f"grafana/{OVERVIEW}.json"
OVERVIEW_UID: Final = "slo_overview"  # no service's: their names have no underscore
MAX_UID: Final = 40  # longer ones are refused by Grafana


def dashboard_file(service: str) -> str:
    """Return the path of a service's dashboard below the output folder; a service may be called `overview`."""
    return f"grafana/{service}_.json" if service == OVERVIEW else f"grafana/{service}.json"


def dashboard_uid(service: str) -> str:
    """Return the address of a service's dashboard in Grafana: `slo-` and its name, cut where that is too long."""
    uid = f"slo-{service}"
    return uid if len(uid) <= MAX_UID else f"{uid[: MAX_UID - 9]}_{sha256(service.encode()).hexdigest()[:8]}"


CHECKLIST_FILE: Final = "runbooks/incident-checklist.md"
POSTMORTEM_FILE: Final = "runbooks/postmortem.md"


def runbook(service: str, slo: str) -> str:
    """Return the path of an SLO's runbook below the folder of runbooks."""
    return f"{service}/{slo}.md"


def service_runbook(service: str) -> str:
    """Return the path of a service's runbook there. No SLO can be called so; Git servers show it with the folder."""
    return f"{service}/README.md"


def runbook_file(path: str) -> str:
    """Return the path of a runbook below the output folder."""
    return f"runbooks/{path}"


def test_file(service: str) -> str:
    """Return the path of a service's promtool tests below the output folder."""
    return f"tests/{service}.test.yml"


# --- the exporter's metrics ---------------------------------------------------
ATTEMPTS: Final = "sloforge_attempts_total"
SUCCESSES: Final = "sloforge_attempt_successes_total"
FAILURES: Final = "sloforge_attempt_failures_total"
RECOVERIES: Final = "sloforge_attempt_recoveries_total"
LATE_RECOVERIES: Final = "sloforge_attempt_late_recoveries_total"
EXCLUDED: Final = "sloforge_attempts_excluded_total"
TRIES: Final = "sloforge_attempt_tries_total"
DUPLICATES: Final = "sloforge_attempt_duplicates_total"
DURATION: Final = "sloforge_attempt_duration_seconds"
IN_FLIGHT: Final = "sloforge_attempts_in_flight"
VISIBILITY: Final = "sloforge_post_visibility_total"
VISIBILITY_DELAY: Final = "sloforge_visibility_delay_seconds"
VISIBILITY_OLDEST: Final = "sloforge_visibility_oldest_pending_timestamp_seconds"
DUE_JOBS: Final = "sloforge_due_jobs_total"
START_DELAY: Final = "sloforge_job_start_delay_seconds"
QUEUE_OLDEST: Final = "sloforge_queue_oldest_due_timestamp_seconds"
QUEUE_JOBS: Final = "sloforge_queue_jobs"
EPISODES: Final = "sloforge_episodes_total"
EPISODE_DURATION: Final = "sloforge_episode_duration_seconds"
EPISODES_RUNNING: Final = "sloforge_episodes_running"
INTERVENTIONS: Final = "sloforge_manual_interventions_total"
INBOUND: Final = "sloforge_inbound_events_total"
INBOUND_DELAY: Final = "sloforge_inbound_delay_seconds"
AUTO_REPLIES: Final = "sloforge_auto_replies_total"
AUTO_REPLY_DELAY: Final = "sloforge_auto_reply_delay_seconds"
WRONG_ACCOUNT: Final = "sloforge_wrong_account_actions_total"
NEAR_MISSES: Final = "sloforge_wrong_account_near_misses_total"
SIDE_EFFECTS: Final = "sloforge_side_effects_total"
DUPLICATE_SIDE_EFFECTS: Final = "sloforge_duplicate_side_effects_total"
AUDITS: Final = "sloforge_audits_total"
SPAM_LOOPS: Final = "sloforge_spam_loops_total"
EVENTS: Final = "sloforge_events_total"
EVENT_FAILURES: Final = "sloforge_event_failures_total"
PROMISES: Final = "sloforge_promises_total"
PROMISE_DELAY: Final = "sloforge_promise_delay_seconds"
INCIDENT_ACTIVE: Final = "sloforge_dependency_incident_active"
INCIDENT_SECONDS: Final = "sloforge_dependency_incident_seconds_total"
CLIENT_INFO: Final = "sloforge_client_info"
LABEL_OVERFLOW: Final = "sloforge_label_overflow_total"
STORE_ERRORS: Final = "sloforge_store_errors_total"
UNPROTECTED: Final = "sloforge_unprotected_runs_total"
STORE_UP: Final = "sloforge_store_up"
LEDGER_LAST_WRITE: Final = "sloforge_ledger_last_write_timestamp_seconds"
LAST_UPDATE: Final = "sloforge_last_update_timestamp_seconds"
BUILD_INFO: Final = "sloforge_build_info"
