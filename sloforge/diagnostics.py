"""A complaint is data: a stable code, a place in the input, what is wrong, and what to type instead."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

Route = tuple[str | int, ...]


class Span(NamedTuple):
    """A place in an input file. `line` and `column` count from 1, in characters; 0 means the whole file.

    `width` is the number of characters of a value that stands in the file letter by letter, else 0 (escapes, folds).
    """

    path: str
    line: int = 0
    column: int = 0
    width: int = 0

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


SpanMap = dict[Route, Span]  # a key whose value is a scalar has its own place under route + (KEY,)
KEY = "<key>"


def locate(spans: SpanMap, route: Route) -> Span:
    """Return the place of `route`; a missing key is blamed on its nearest parent."""
    for length in range(len(route), -1, -1):
        if (span := spans.get(route[:length])) is not None:
            return span
    return Span("<input>")


def locate_key(spans: SpanMap, route: Route) -> Span:
    """Return the place of the key that ends `route`, rather than that of its value."""
    return spans.get((*route, KEY)) or locate(spans, route)


class Severity(Enum):
    """ERROR stops the run (exit 1); WARNING is shown and stops it only under --strict."""

    ERROR = "error"
    WARNING = "warning"


class Code(Enum):
    """Every finding there is: its number, severity, title, and a help text that a person can act on."""

    # fmt: off
    # SF1xx: the file and its YAML
    FILE_UNREADABLE = ("SF101", Severity.ERROR, "file cannot be read",
        "Check that the path exists, is a regular file and may be read.")
    FILE_NOT_TEXT = ("SF102", Severity.ERROR, "file is not UTF-8 text",
        "Save the definitions as plain UTF-8 text.")
    FILE_EMPTY = ("SF103", Severity.ERROR, "file is empty",
        "Write at least apiVersion, service and slos; the README shows a whole file.")
    FILE_TOO_LARGE = ("SF104", Severity.ERROR, "file is too large",
        "A definitions file may have 16 MiB; split the service into several.")
    YAML_SYNTAX = ("SF105", Severity.ERROR, "not valid YAML",
        "Look at the line and the one above it: indentation, a missing colon or an open quote.")
    YAML_SECOND_DOCUMENT = ("SF106", Severity.ERROR, "more than one YAML document",
        "Keep one document a file: move what follows `---` to a file of its own.")
    YAML_DUPLICATE_KEY = ("SF107", Severity.ERROR, "key given twice",
        "Keep one of the two; YAML readers disagree about which one wins.")
    YAML_ANCHOR_BOMB = ("SF108", Severity.ERROR, "aliases expand too far",
        "Write the values out, or use the defaults at the head of the file.")
    YAML_ALIAS = ("SF109", Severity.ERROR, "alias cannot be resolved",
        "An alias must name an anchor that ends before it.")
    YAML_MERGE_KEY = ("SF110", Severity.ERROR, "merge keys are not supported",
        "Write the keys out (`yq 'explode(.)' FILE` does), or use the defaults at the head of a definitions file.")
    YAML_KEY = ("SF111", Severity.ERROR, "key is not plain text",
        "Keys are words. A value that starts with { or [ must be quoted.")
    YAML_DEPTH = ("SF112", Severity.ERROR, "nesting is too deep",
        "No definition needs more than a few levels; look for unclosed brackets.")
    YAML_TAG = ("SF113", Severity.ERROR, "YAML tags are not supported",
        "Remove the tag; every value is read as text and checked afterwards.")
    NO_DEFINITIONS = ("SF114", Severity.ERROR, "no definitions found",
        "Name a file, or a folder that holds *.yml with `apiVersion: sloforge/v1`.")
    # SF2xx: structure and types
    UNKNOWN_KEY = ("SF201", Severity.ERROR, "unknown key",
        "`sloforge schema` lists every key; a value that is not used must not look as if it were.")
    MISSING_KEY = ("SF202", Severity.ERROR, "key is missing",
        "Add the key.")
    WRONG_TYPE = ("SF203", Severity.ERROR, "wrong kind of value",
        "Give a mapping, a list or a single value, as the message asks.")
    BAD_NUMBER = ("SF204", Severity.ERROR, "not a number that fits",
        "Write plain digits, as 99.5; no exponent, no unit, no separator.")
    BAD_DURATION = ("SF205", Severity.ERROR, "not a duration that fits",
        "Write a Prometheus duration: 30s, 5m, 1h30m, 28d.")
    BAD_BOOLEAN = ("SF206", Severity.ERROR, "not true or false",
        "Write true or false; yes, no, on and off are text here.")
    BAD_NAME = ("SF207", Severity.ERROR, "not a name",
        "Names of services and SLOs have 1 to 63 of a-z, 0-9 and -.")
    BAD_WORD = ("SF208", Severity.ERROR, "not one of the known words",
        "Use one of the words that the message lists.")
    EMPTY_VALUE = ("SF209", Severity.ERROR, "value is empty",
        "Give a value, or remove the key.")
    SLI_KIND = ("SF210", Severity.ERROR, "not exactly one kind of SLI",
        "Give exactly one of ratio, latency, probe, events, hard and uses.")
    API_VERSION = ("SF211", Severity.ERROR, "unknown apiVersion",
        "Write `apiVersion: sloforge/v1`.")
    LABEL_NAME = ("SF212", Severity.ERROR, "not a label name",
        "Label names match [a-zA-Z_][a-zA-Z0-9_]* and do not start with __.")
    LABEL_RESERVED = ("SF213", Severity.ERROR, "label is taken",
        "sloforge or Prometheus sets this label, or the file uses it twice; choose another name.")
    LABEL_VALUE = ("SF214", Severity.ERROR, "label value does not fit",
        "Label values are one line of at most 2048 bytes.")
    TEMPLATE_IN_TEXT = ("SF215", Severity.ERROR, "text would run as a template",
        "Prometheus expands {{ }} in labels and in our annotations; only your own `annotations` may hold templates.")
    BAD_ADDRESS = ("SF216", Severity.ERROR, "not the address of a folder",
        "Write where the generated runbooks can be read, from https:// on, without a query or an anchor.")
    # SF3xx: facts about SLOs
    GOOD_OR_BAD = ("SF301", Severity.ERROR, "ratio needs exactly one of good and bad",
        "Give `good:` or `bad:`, whichever your counters count.")
    EXCLUDED_WITHOUT_GOOD = ("SF302", Severity.ERROR, "excluded without good",
        "Excluded events are taken from the total, which says nothing about failures counted by `bad:`.")
    GOOD_IS_TOTAL = ("SF303", Severity.ERROR, "two parts of the ratio are the same",
        "As written, the SLI is always 100 % or always 0 %.")
    DUPLICATE_SLO = ("SF304", Severity.ERROR, "SLO defined twice",
        "(service, id) is unique over all files of a run: every series carries it.")
    OBJECTIVE_RANGE = ("SF305", Severity.ERROR, "objective out of range",
        "An objective lies between 0 and 100 per cent; where no failure at all is allowed, use `sli: {hard: ...}`.")
    OBJECTIVE_MISSING = ("SF306", Severity.ERROR, "objective is missing",
        "Every SLO but a hard one needs `objective:`, in per cent.")
    HARD_WITH_OBJECTIVE = ("SF307", Severity.ERROR, "hard SLO with an objective",
        "A hard SLO allows no violation: it has neither objective nor budget. Remove `objective:`.")
    HARD_RESETS = ("SF308", Severity.WARNING, "hard SLO on a counter that resets",
        "Keep violations in a ledger (`counter: ledger`), so that a restart cannot hide one.")
    ALERT_NEVER_FIRES = ("SF309", Severity.ERROR, "alert can never fire",
        "Lower the budget share, lengthen the window, or switch the tier off.")
    WINDOW_TOO_SHORT = ("SF310", Severity.ERROR, "window too short or not whole minutes",
        "A window holds at least four ticks of one minute, and whole minutes.")
    WINDOW_ORDER = ("SF311", Severity.ERROR, "short window is not shorter",
        "The short window ends the alert; give about a twelfth of the long one.")
    WINDOW_BEYOND_PERIOD = ("SF312", Severity.ERROR, "alert window longer than the period",
        "Lengthen `period:` or switch the tier off.")
    PERIOD_RANGE = ("SF313", Severity.ERROR, "period does not fit",
        "A period has whole multiples of 5 minutes, between 1h and 366d.")
    NO_ALERT = ("SF314", Severity.WARNING, "SLO without any alert",
        "Nobody will hear when this budget burns; switch a tier on, or accept it knowingly.")
    NO_RUNBOOK = ("SF315", Severity.WARNING, "SLO without a runbook",
        "Add `runbook: https://...`, or `runbooks:` for those that are generated: whoever is woken needs a first step.")
    BUDGET_BELOW_ONE = ("SF316", Severity.ERROR, "budget allows less than one failure",
        "Lower the objective, lengthen the period, or use a hard SLO.")
    LATENCY_HISTOGRAM = ("SF317", Severity.ERROR, "not the selector of a histogram",
        "Name the histogram's base name (or its _bucket) without a matcher on `le`; `threshold:` says which bucket.")
    LATENCY_THRESHOLD = ("SF318", Severity.ERROR, "threshold is not a time",
        "Write a duration (10m, 250ms) or seconds (0.25), above zero.")
    NATIVE_HISTOGRAM = ("SF319", Severity.WARNING, "native histograms have conditions",
        "They need Prometheus 3.8 or newer; a threshold off a bucket boundary is an estimate.")
    EVENTS_WINDOW = ("SF320", Severity.ERROR, "query without {{window}}",
        "Count over a range of {{window}}, as in increase(x_total[{{window}}]).")
    EVENTS_RATE = ("SF321", Severity.ERROR, "query is a rate, not a count",
        "Count events: increase(x[{{window}}]) instead of rate(x[{{window}}]).")
    PROBE_GOOD = ("SF322", Severity.ERROR, "good is not a comparison",
        "Write a comparison with a number, as '== 1' or '< 0.5'.")
    GROUPING = ("SF323", Severity.ERROR, "grouping does not fit",
        "`by` needs at least one label, a limit of at least 1 and counters to group.")
    SAMPLE_DELAY = ("SF324", Severity.ERROR, "sample_delay does not fit",
        "Between 10s and 5m: more than scrape duration plus ingestion delay, less than the look-back.")
    SNAPSHOTS_KIND = ("SF325", Severity.ERROR, "snapshots need counters",
        "Remove `snapshots:`; there is no counter to keep.")
    COUNTER_KIND = ("SF326", Severity.ERROR, "counter or births do not apply",
        "`counter:` and `births:` describe counters; probes and events have none. Remove the key.")
    OBJECTIVE_LOWERED = ("SF327", Severity.ERROR, "objective lowered without a reason",
        "Add `justification: ...` to the SLO (policy, section 9.2), or keep the objective.")
    UNKNOWN_TIER = ("SF328", Severity.ERROR, "unknown tier",
        "Define the tier under `tiers:`, or use default.")
    TIERS_UNUSED = ("SF329", Severity.WARNING, "tiers that no SLO tells apart",
        "Give an SLO `by: {labels: [client_id]}`: a client's tier is found by its client_id.")
    ALERTS_ON_HARD = ("SF330", Severity.ERROR, "burn alerts on a hard SLO",
        "A hard SLO has no budget to burn: any violation pages. Remove `alerts:` from it.")
    ALERT_BUDGET = ("SF331", Severity.ERROR, "budget share out of range",
        "`budget:` is the per cent of the period's budget: above 0, at most 100.")
    DUPLICATE_SERVICE = ("SF332", Severity.ERROR, "service defined in two files",
        "A service's rules are one file and two groups: keep all of its SLOs in one definitions file.")
    HARD_STOP_KEY = ("SF333", Severity.ERROR, "hard_stop does not apply",
        "A hard SLO stops shipping anyway: remove `hard_stop:` from it.")
    TIER_OBJECTIVE = ("SF334", Severity.WARNING, "tier without an objective",
        "Add `objective:`, in per cent, or remove the tier: without it nothing differs.")
    TIER_GROUPING = ("SF335", Severity.ERROR, "tiers on an SLO that does not tell clients apart",
        "Add client_id to the labels of `by`, or remove `tiers:`.")
    LABEL_OBJECTIVES = ("SF336", Severity.ERROR, "objectives by a label do not fit",
        "`by.objectives` has, for one of the labels of `by`, the objective of some of its values in per cent.")
    PARTITION_LABEL = ("SF337", Severity.ERROR, "budget divided by a label that is not counted",
        "Add the label to the labels of `by`, or divide the budget by one of those.")
    PARTITION_SHARES = ("SF338", Severity.ERROR, "shares do not fit",
        "Each share is above 0, and they add up to exactly 100; `other` is for values that are not listed.")
    SLI_UNKNOWN = ("SF341", Severity.ERROR, "no such SLI in the library",
        "`sloforge sli` lists the library; `./sli/name.yml` is a file of your own, beside the definitions.")
    SLI_PATH = ("SF342", Severity.ERROR, "SLI file outside of the definitions' folder",
        "Keep SLI files in the folder of the definitions or below it; links out of it are not followed.")
    PARAMETER_MISSING = ("SF343", Severity.ERROR, "parameter is missing",
        "Add it under `with:`; `sloforge sli NAME` lists an SLI's parameters.")
    PARAMETER_UNKNOWN = ("SF344", Severity.ERROR, "unknown parameter",
        "Remove it; `sloforge sli NAME` lists an SLI's parameters.")
    PARAMETER_VALUE = ("SF345", Severity.ERROR, "parameter has the wrong type",
        "Give a value of the parameter's type: label, pattern, name, duration or number.")
    PARAMETER_USE = ("SF346", Severity.ERROR, "parameters and placeholders of an SLI file do not fit",
        "Each parameter is used as [[ name ]], without quotes, and each [[ name ]] is a parameter.")
    RUNBOOK_PLACEHOLDER = ("SF347", Severity.ERROR, "unknown placeholder in a runbook template",
        "A template may use [[ service ]], [[ slo ]], [[ title ]], [[ objective ]], [[ period ]], [[ owner ]] and "
        "[[ selector ]]; that of a postmortem the incident's facts and parts: docs/runbooks.md.")
    RUNBOOK_PATH = ("SF348", Severity.ERROR, "runbook template outside of its folder",
        "Keep templates in the folder runbooks/ beside the definitions; links out of it are not followed.")
    PERSON_LABEL = ("SF351", Severity.ERROR, "definition about people that would rank or name single persons",
        "Count by groups of many (member_group), by space or by reason: nobody's failures are anybody's statistics.")
    PERSON_NAMED = ("SF352", Severity.ERROR, "text names a person",
        "Leave the name out: titles, labels and decisions are read by all, and kept for ever.")
    PEOPLE_CROSSED = ("SF353", Severity.ERROR, "two labels that together can point at one person",
        "Use one label only: newcomers are many, and newcomers in one space on one evening may be one.")
    # SF4xx: PromQL
    PROMQL_SYNTAX = ("SF401", Severity.ERROR, "PromQL does not parse",
        "Try the expression in Prometheus; the place is where the parser gave up, or as near as can be told.")
    SELECTOR_SHAPE = ("SF402", Severity.ERROR, "not one plain selector",
        'Give one metric with matchers, as x_total{lane="api"}; ranges, offsets and functions are added by sloforge.')
    SELECTOR_NAME = ("SF403", Severity.ERROR, "selector without one plain metric name",
        "Name exactly one metric; names match [a-zA-Z_:][a-zA-Z0-9_:]*.")
    PROMQL_VERSION = ("SF404", Severity.ERROR, "needs a newer Prometheus",
        "Use what the oldest supported Prometheus knows, or raise --prometheus-version.")
    PROMQL_TYPE = ("SF405", Severity.ERROR, "expression has the wrong type",
        "The expression must be an instant vector.")
    PROMQL_DIALECT = ("SF406", Severity.ERROR, "not PromQL but MetricsQL",
        "Prometheus has no `or` between matchers; use a regular expression or two selectors.")
    # SF5xx: the output folder
    OUTPUT_UNWRITABLE = ("SF501", Severity.ERROR, "output cannot be written",
        "Check permissions and free space; the folder is as it was before.")
    OUTPUT_PATH = ("SF502", Severity.ERROR, "path leaves the output folder",
        "Files are only written below DIR; remove the link or the `..`.")
    OUTPUT_DRIFT = ("SF503", Severity.ERROR, "generated files are out of date",
        "Run `sloforge generate` and commit the result.")
    OUTPUT_FOREIGN = ("SF504", Severity.ERROR, "file was not written by sloforge",
        "Move the file away, or choose another output folder.")
    OUTPUT_LOCKED = ("SF505", Severity.ERROR, "output folder is in use",
        "Another sloforge is writing here; wait for it to end.")
    OUTPUT_EXISTS = ("SF506", Severity.ERROR, "file is there already",
        "Move it away, or choose another folder; `sloforge schema -o .sloforge` renews schemas alone.")
    # SF6xx: verification and other programs
    TOOL_COMPLAINT = ("SF601", Severity.ERROR, "generated file was refused",
        "The definition at this place led to it; if the definition is right, the generator is wrong: please report it.")
    TOOL_FAILED = ("SF602", Severity.ERROR, "tool could not be run",
        "Run the tool by hand to see why.")
    TOOL_MISSING = ("SF603", Severity.ERROR, "needed tool is missing",
        "Install Prometheus' promtool, or name it in SLOFORGE_PROMTOOL, or do without the option that needs it.")
    # SF621 to SF629: what vmalert and VictoriaMetrics do not bear
    VMALERT_NATIVE = ("SF621", Severity.ERROR, "VictoriaMetrics has no native histograms",
        "Count the classic histogram of the same name, with a bucket at the threshold.")
    VMALERT_LONG_QUERY = ("SF622", Severity.WARNING, "query longer than VictoriaMetrics answers",
        "Start VictoriaMetrics with a higher -search.maxQueryLen, or the rule fails at each evaluation.")
    # SF631 to SF639: what the rules cost
    COST = ("SF631", Severity.WARNING, "rules read more than Prometheus is to bear",
        "Scrape less often, keep budgets (`by`) for fewer combinations, or divide the services over several Prometheus "
        "or Mimir tenants: docs/scale.md.")
    # SF611 to SF620: what an engine bears
    GROUP_RULES = ("SF611", Severity.WARNING, "more rules in a group than the engine takes",
        "Raise ruler_max_rules_per_rule_group for the tenant; these rules have to be of one moment.")
    RESOURCE_SIZE = ("SF612", Severity.ERROR, "object is too large for the Prometheus operator",
        "Divide the SLO: fewer values in `by.objectives`, tiers and exclusions; or the service, over two files.")
    TENANT_GROUPS = ("SF613", Severity.WARNING, "more groups than a tenant may have",
        "Raise ruler_max_rule_groups_per_tenant for the tenant, or divide the services over several.")
    SERIES_LABELS = ("SF614", Severity.WARNING, "more labels than the engine takes",
        "Remove labels of the SLO or the file, or raise max_label_names_per_series for the tenant.")
    METADATA_LABEL = ("SF615", Severity.ERROR, "not a label of Kubernetes",
        "Keys and values have at most 63 letters, digits, `-`, `_` and `.`; a key may have a domain and / before it.")
    # SF7xx: the folder policy/, and what was decided there
    BAD_TIME = ("SF701", Severity.ERROR, "not a time with its zone",
        "Write whole seconds and the zone, as 2026-11-22T08:00:00Z or 2026-11-22T09:00:00+01:00.")
    POLICY_FILE = ("SF702", Severity.ERROR, "file of the policy folder that nobody reads",
        "Rename it to policy.yml, approvals, exclusions, incidents, rota, routing or words.yml, or move it away.")
    ENTRY_CONTRADICTED = ("SF703", Severity.ERROR, "two entries of one id contradict each other",
        "A later entry of the same id may add keys. Give a new decision an id of its own.")
    POLICY_NUMBER = ("SF704", Severity.ERROR, "number of the policy does not fit",
        "Keep to the range in the message, or leave the key out: docs/policy.md has the defaults.")
    POLICY_ORDER = ("SF705", Severity.ERROR, "numbers of the policy are in the wrong order",
        "What is worse must not be reached before what is better, nor be allowed more.")
    POLICY_SERVICE = ("SF706", Severity.ERROR, "entry does not say which service",
        "Add `service:`; without it, an entry is about the only service of the run.")
    POLICY_FOREIGN = ("SF707", Severity.WARNING, "entry about a service that is not in this run",
        "Correct `service:`, or name that service's definitions as well; the entry changes nothing here.")
    POLICY_SLO = ("SF708", Severity.ERROR, "no such SLO",
        "Name an SLO of the service by its id. Where one was removed, remove the entries about it: Git keeps both.")
    APPROVAL_KEYS = ("SF709", Severity.ERROR, "approval's keys do not fit its kind",
        "hard_stop takes slo and acknowledges; change takes change_type, scope and expires; unfreeze takes neither.")
    APPROVAL_EXPIRY = ("SF710", Severity.ERROR, "approval without an end",
        "Give `expires:`, a time after `at:`: what was safe to ship today need not be next month.")
    NO_HARD_STOP = ("SF711", Severity.ERROR, "SLO has no hard stop",
        "Approve the hard stop of an SLO of kind hard, or of one with `hard_stop: true`.")
    NOT_ON_DUTY = ("SF712", Severity.WARNING, "approved by someone who is not on duty",
        "The approval changes nothing. Let the reliability owner approve, or correct policy/rota.yml.")
    EXCLUSION_BOUNDS = ("SF713", Severity.ERROR, "exclusion's bounds do not fit",
        "Give whole minutes, and an end after the beginning: budgets are counted by the minute.")
    EXCLUSION_FUTURE = ("SF714", Severity.ERROR, "exclusion of what nobody can know yet",
        "Exclude what has begun, and at most a day ahead of `at:`; a longer outage gets another entry.")
    EXCLUSION_LONG = ("SF715", Severity.ERROR, "exclusion longer than the period",
        "Nothing would be left to judge: shorten it, or change the objective (policy, section 9.2).")
    EXCLUSION_OVERLAP = ("SF716", Severity.ERROR, "exclusions overlap",
        "Let one entry end where the other begins; events are excluded once.")
    EXCLUSION_SCOPE = ("SF717", Severity.ERROR, "scope that the SLO's budget does not know",
        "Scope by labels that stand in the SLO's `by:`, or leave the scope out.")
    UNKNOWN_CLIENT = ("SF718", Severity.ERROR, "no such client",
        "Name a client that the definitions list under `clients:`.")
    EXCLUDED_TWICE = ("SF719", Severity.ERROR, "cause is excluded by the exporter as well",
        'Excuse a cause in one place: here, with {reason!="..."} in the SLO\'s `excluded:`, or in the exporter.')
    EXCLUDED_SHARE = ("SF720", Severity.ERROR, "too much of the period is excluded",
        "Exclude less, or raise `max_excluded_share:` in policy.yml and say why in the commit.")
    NOT_APPROVED = ("SF721", Severity.WARNING, "exclusion that nobody approved",
        "It is recorded and changes nothing. Add `approved_by:` once somebody agrees (policy, section 4.3).")
    INCIDENT_ORDER = ("SF722", Severity.ERROR, "incident's times are in the wrong order",
        "An incident is opened, then closed; its action is done after it was opened.")
    INCIDENT_CLOSING = ("SF723", Severity.ERROR, "incident is not closed properly",
        "`closed:` comes with `closed_by:` and a share for each SLO with a budget; `sloforge incident close` adds it.")
    INCIDENT_SHARES = ("SF724", Severity.ERROR, "shares do not fit the incident",
        "A share is the per cent of the budget that one of the incident's SLOs lost, 0 or more.")
    POSTMORTEM_DUE = ("SF725", Severity.WARNING, "postmortem or its action is missing",
        "Add `postmortem: https://...` and one `action:` with an owner (policy, section 7.3).")
    DUTY_BOUNDS = ("SF726", Severity.ERROR, "duty ends before it begins",
        "Give `to:` a time after `from:`.")
    DUTY_OVERLAP = ("SF727", Severity.WARNING, "two people are on duty at once",
        "Let one duty end where the next begins: section 9.1 knows one reliability owner.")
    DUTY_GAP = ("SF728", Severity.WARNING, "nobody is on duty",
        "Fill the gap: nobody could end a freeze in it.")
    # SF8xx: routes, and the Alertmanager configuration that they go into (the base)
    BASE_MISSING = ("SF801", Severity.ERROR, "Alertmanager configuration is missing",
        "Name your own configuration, or leave --alertmanager-base out: then the routes are written alone.")
    BASE_INVALID = ("SF802", Severity.ERROR, "not an Alertmanager configuration",
        "Run `amtool check-config` on it; deploy/alertmanager/base.yml is one to start from.")
    BASE_ROOT = ("SF803", Severity.ERROR, "no root route with a receiver",
        "Write `route: {receiver: NAME}`: the root gets every alert that no other route takes.")
    BASE_SECRET = ("SF804", Severity.ERROR, "secret stands in the configuration",
        "Generated files are committed. Put the secret into a file, and name that file by the key that ends in _file.")
    RECEIVER_ABSENT = ("SF805", Severity.ERROR, "route to a receiver that does not exist",
        "Define the receiver in the base, or name another in policy/routing.yml.")
    RECEIVER_TWICE = ("SF806", Severity.ERROR, "two receivers of one name",
        "Rename one, or put the integrations of both into one receiver.")
    ROUTE_SHADOWED = ("SF807", Severity.WARNING, "route never gets what it asks for",
        "Name its receiver in policy/routing.yml, or put it first with `continue: true`.")
    INTERVAL_TAKEN = ("SF808", Severity.ERROR, "name of a generated time interval is taken",
        "Rename the one in the base, or set `office_hours: false` in policy/routing.yml.")
    BASE_PATH = ("SF809", Severity.WARNING, "path is relative to another folder",
        "Write the whole path: Alertmanager looks beside the file that is generated.")
    BASE_REFUSED = ("SF810", Severity.ERROR, "amtool refuses the Alertmanager configuration",
        "Correct the base: it is refused as it stands, without what is generated.")
    ROUTE_LOST = ("SF811", Severity.ERROR, "alert does not arrive where it should",
        "Look for a route that takes it before ours, or for the receiver's name in policy/routing.yml.")
    OFFICE_HOURS = ("SF812", Severity.ERROR, "office hours that Alertmanager does not know",
        "Write `office_hours: {days: monday:friday, from: 08:00, to: 18:00, timezone: Europe/Berlin}`, or false.")
    ROUTE_TIMING = ("SF813", Severity.ERROR, "durations of a route do not fit",
        "group_interval is longer than 0s, and repeat_interval not shorter than it.")
    ROUTE_OWNER = ("SF814", Severity.WARNING, "route of an owner who owns nothing",
        "Correct the name: owners are what definitions say under `owner:`.")
    SEVERITY_TAKEN = ("SF815", Severity.ERROR, "severities cannot be told apart",
        "Give pages and tickets two words, neither of them freeze or watchdog.")
    WORDS_PLAIN = ("SF731", Severity.ERROR, "words that are more than words",
        "Write letters, digits and plain punctuation: these words stand in templates, pages and notifications.")
    WORDS_UNSAID = ("SF732", Severity.WARNING, "phrase that none of our texts says",
        "Copy the phrase from a generated file, letter for letter, without what was put into it; or remove it.")
    EXCLUSION_HARD = ("SF729", Severity.ERROR, "exclusion from an SLO that has no budget",
        "A hard SLO allows nothing, whatever the reason: approve its hard stop instead (kind: hard_stop).")
    ACKNOWLEDGED_BEFORE = ("SF730", Severity.WARNING, "approval acknowledges nothing new",
        "`acknowledges:` is the total of violations so far, not the number since the last approval.")
    # SF9xx: what is compared, and what is explained
    REF_UNKNOWN = ("SF901", Severity.ERROR, "no such Git ref",
        "Name a commit, branch or tag that is here; in CI, fetch it first (a shallow clone has one commit only).")
    REF_NO_REPOSITORY = ("SF902", Severity.ERROR, "not in a Git repository",
        "Run it in a clone, or give --against a folder that holds the definitions to compare with.")
    REF_OUTSIDE = ("SF903", Severity.ERROR, "not a file of this repository",
        "Name files and folders of one repository, or give --against a folder.")
    PAST_BROKEN = ("SF904", Severity.WARNING, "definitions to compare with have errors",
        "What they define is not compared; all else is.")
    PAST_LINK = ("SF905", Severity.WARNING, "symbolic link is not followed",
        "Name the file that the link leads to.")
    SLO_UNKNOWN = ("SF906", Severity.ERROR, "no such SLO",
        "Name an SLO of the definitions as SLO or service/SLO.")
    # SF911 to SF929: import and export
    IMPORT_NOTHING = ("SF911", Severity.ERROR, "no SLO to import",
        "Name files with SLOs of Sloth, Pyrra or OpenSLO, or a folder that holds some.")
    IMPORT_VERSION = ("SF912", Severity.ERROR, "version of a foreign format that nobody reads here",
        "Read are Sloth prometheus/v1 and sloth.slok.dev/v1, pyrra.dev/v1alpha1, openslo/v1 and openslo/v1alpha.")
    IMPORT_SHAPE = ("SF913", Severity.ERROR, "foreign object cannot be read",
        "Correct the file where it says; the tool that it is for would refuse it as well.")
    IMPORT_TEMPLATE = ("SF914", Severity.ERROR, "template in a query",
        "Only {{.window}} is read: render the template with the tool that it is for, and import the result.")
    IMPORT_QUERY = ("SF915", Severity.ERROR, "query cannot be carried over",
        "Try the query in Prometheus, or write this SLO by hand.")
    IMPORT_SLI = ("SF916", Severity.ERROR, "indicator cannot be carried over",
        "Write this SLO by hand, as `ratio`, `latency`, `probe` or `events`.")
    IMPORT_DUPLICATE = ("SF917", Severity.ERROR, "two different SLOs of one name",
        "Rename one of them: (service, id) is the identity of an SLO for ever.")
    IMPORT_LOST = ("SF918", Severity.WARNING, "not carried over",
        "Add by hand what you need of it.")
    IMPORT_CHANGED = ("SF919", Severity.WARNING, "carried over with a difference",
        "Check that this is what you mean.")
    IMPORT_SKIPPED = ("SF920", Severity.WARNING, "document that is no SLO",
        "Nothing was read from it; leave it out, or look why it is none.")
    IMPORT_LINK = ("SF921", Severity.ERROR, "link that leaves the folder",
        "Name the file itself if it is meant.")
    IMPORT_ARCHIVE = ("SF922", Severity.ERROR, "archive",
        "Unpack it, and name the folder.")
    IMPORT_EXISTS = ("SF923", Severity.ERROR, "file is there already",
        "Choose another place, or say --force: it is replaced, with whatever was edited in it.")
    IMPORT_REFUSED = ("SF924", Severity.ERROR, "what came of the SLO is refused",
        "Correct the SLO where it comes from, or write it by hand.")
    IMPORT_IRRELEVANT = ("SF925", Severity.WARNING, "has no meaning here",
        "Nothing is lost.")
    # fmt: on

    def __init__(self, number: str, severity: Severity, title: str, help_text: str) -> None:
        self.number = number
        self.severity = severity
        self.title = title
        self.help_text = help_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnostic:
    """One finding. `message` holds the value and the law it broke; `hint` what to type instead."""

    code: Code
    span: Span
    message: str
    hint: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the finding stops the run."""
        return self.code.severity is Severity.ERROR
