"""`sloforge exporter record …` as people and scripts run it: counted once for each key, or refused in a sentence."""

import re
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sloforge.cli import app
from sloforge.exporter import Exporter, Settings
from sloforge.exporter import families as f
from sloforge.exporter.families import Family
from sloforge.exporter.sweeper import sweep

SLOFORGE = Path(sys.executable).with_name("sloforge")
COMMANDS = ["attempt", "visibility", "job", "episode", "intervention", "wrong-account", "audit", "incident", "exclude"]
COMMANDS += ["event", "promise"]
MEMBERS = """
members:
  groups: {newcomers: 40, regulars: 230}
  spaces: [help]
  events: {conversation: [heated, misunderstood]}
  promises: {newcomer-answered: 48h}
"""

Tell = Callable[..., tuple[int, str]]


@pytest.fixture
def ledger(tmp_path: Path) -> str:
    return f"sqlite://{tmp_path}/ledger.db"


@pytest.fixture
def members(tmp_path: Path) -> str:
    """Return the file that declares groups, spaces, events and promises."""
    path = tmp_path / "members.yml"
    path.write_text(MEMBERS, encoding="utf-8")
    return str(path)


@pytest.fixture
def tell(ledger: str) -> Tell:
    """Run a command; return its exit code and what it said."""

    def run(command: str, *options: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["exporter", "record", command, "--ledger", ledger, *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, " ".join(done.output.replace("│", "").split())

    return run


def attempt(tell: Tell, key: str, result: str, *options: str, client: str = "acme") -> tuple[int, str]:
    labels = ("--client", client, "--platform", "x", "--action", "publish")
    return tell("attempt", *labels, "--key", key, "--result", result, *options)


class Counted:
    """What a ledger has counted."""

    def __init__(self, ledger: str) -> None:
        self.exporter = Exporter(ledger)
        sweep(self.exporter.ledger, Settings())
        self.totals = self.exporter.ledger.totals()
        self.exporter.close()

    def __call__(self, family: Family, **labels: str) -> float:
        names = (family.name, f"{family.name}_bucket")
        return sum(t.value for t in self.totals if t.name in names and labels.items() <= dict(t.labels).items())

    def by(self, family: Family, label: str) -> dict[str, float]:
        found: Counter[str] = Counter()
        for total in self.totals:
            if total.name == family.name:
                found[dict(total.labels)[label]] += int(total.value)
        return dict(found)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_ends_with_two_examples_that_run(tmp_path: Path, command: str) -> None:
    def run(*argv: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([SLOFORGE, *argv], capture_output=True, text=True, timeout=60, cwd=tmp_path)

    (tmp_path / "members.yml").write_text(MEMBERS, encoding="utf-8")
    shown = run("exporter", "record", command, "--help").stdout.split("Examples:")[1]
    examples = [line.strip() for line in shown.splitlines() if line.strip()]
    assert len(examples) == 2
    for example in examples:
        words = shlex.split(example)
        assert words[1:4] == ["exporter", "record", command]
        done = run(*words[1:])
        assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert (tmp_path / "ledger.db").exists()


def test_an_attempt_counts_once_however_often_it_is_told(tell: Tell, ledger: str) -> None:
    for _ in range(3):
        assert attempt(tell, "a", "succeeded", "--post-id", "1845", "--took", "42s") == (0, "")
    for _ in range(2):
        assert attempt(tell, "b", "failed", "--failure-class", "platform_rejected", "--reason", "auth") == (0, "")
    assert attempt(tell, "c", "blocked") == (0, "")
    code, told = attempt(tell, "a", "failed", "--failure-class", "tool_failure")
    assert (code, "has succeeded before" in told) == (0, True)
    counted = Counted(ledger)
    assert (counted(f.ATTEMPTS), counted(f.SUCCESSES), counted(f.FAILURES)) == (3, 1, 1)
    assert counted.by(f.FAILURES, "reason") == {"auth": 1}
    assert counted.by(f.EXCLUDED, "reason") == {"policy_blocked": 1}
    assert counted(f.DURATION, le="60.0") == 1
    assert counted(f.TRIES, outcome="failed") == 2  # told twice, it was tried twice


def test_what_was_made_good_recovers(tell: Tell, ledger: str) -> None:
    attempt(tell, "a", "failed", "--failure-class", "runner_failure", "--final")
    attempt(tell, "a", "succeeded", "--verified", "--workload-class", "paid_ads")
    attempt(tell, "b", "failed", "--failure-class", "tool_failure", "--workload-class", "paid_ads")
    assert tell("exclude", "--key", "b", "--reason", "dependency_incident") == (0, "")
    code, told = tell("exclude", "--key", "b", "--reason", "dependency_incident")
    assert (code, "nothing to exclude" in told) == (0, True)
    counted = Counted(ledger)
    assert (counted(f.ATTEMPTS), counted(f.RECOVERIES), counted(f.EXCLUDED)) == (2, 1, 1)
    assert counted(f.ATTEMPTS, workload_class="paid_ads") == counted(f.EXCLUDED, workload_class="paid_ads") == 1


def test_a_key_that_a_worker_holds_is_left_to_it(tell: Tell, ledger: str) -> None:
    exporter = Exporter(ledger)
    exporter.lane("api").attempt(client_id="acme", platform="x", action_type="publish", key="held").__enter__()
    code, told = attempt(tell, "held", "succeeded", "--post-id", "1")
    assert (code, told) == (1, "sloforge: another worker holds this key: nothing was counted")
    exporter.close()
    attempt(tell, "a", "succeeded", "--post-id", "1")
    code, told = attempt(tell, "a", "succeeded", "--post-id", "1", client="globex")
    assert (code, "its client differs: nothing was counted" in told) == (1, True)


def test_a_published_post_is_settled_by_who_looks(tell: Tell, ledger: str) -> None:
    for key in ("seen", "gone"):
        assert attempt(tell, key, "published", "--post-id", "7") == (0, "")
        for _ in range(2):
            assert tell("visibility", "--key", key, "--result", key) == (0, "")
    counted = Counted(ledger)
    assert counted.by(f.VISIBILITY, "result") == {"in_time": 1, "late": 1}
    assert (counted(f.SUCCESSES), counted(f.FAILURES, reason="no_visibility")) == (1, 1)


def test_jobs_are_judged_by_when_they_started(tell: Tell, ledger: str) -> None:
    due = ("--due", "2026-01-05T08:00:00Z", "--client", "acme")
    for key, at in (("punctual", "2026-01-05T08:01:00Z"), ("late", "2026-01-05T08:03:00+00:00")):
        for _ in range(2):
            assert tell("job", "--queue", "publishing", "--key", key, "--state", "scheduled", *due) == (0, "")
            assert tell("job", "--queue", "publishing", "--key", key, "--state", "started", "--at", at) == (0, "")
            assert tell("job", "--queue", "publishing", "--key", key, "--state", "finished") == (0, "")
    assert Counted(ledger).by(f.DUE_JOBS, "result") == {"on_time": 1, "late": 1}


def test_episodes_and_toil_count_once(tell: Tell, ledger: str) -> None:
    for result in ("completed", "intervened", "failed", "completed"):  # the last one repeats the first's key
        told = ("--client", "acme", "--key", result, "--side-effects", "--result", result)
        assert tell("episode", *told) == (0, "")
    for key in ("ticket-1", "ticket-1", "ticket-2"):
        assert tell("intervention", "--client", "acme", "--kind", "captcha", "--key", key) == (0, "")
    counted = Counted(ledger)
    assert counted.by(f.EPISODES, "result") == {"completed": 1, "intervened": 1, "failed": 1}
    assert counted.by(f.INTERVENTIONS, "kind") == {"captcha": 2}
    assert counted(f.EPISODE_DURATION) == 0  # nobody said how long they took


def test_an_episode_that_runs_is_ended_by_who_knows_better(tell: Tell, ledger: str) -> None:
    exporter = Exporter(ledger)
    with exporter.episode(client_id="acme", side_effects=True, key="run-1"):
        tell("episode", "--client", "acme", "--key", "run-1", "--side-effects", "--result", "failed")
    exporter.close()
    assert Counted(ledger).by(f.EPISODES, "result") == {"failed": 1}


def test_wrong_accounts_audits_and_incidents(tell: Tell, ledger: str) -> None:
    labels = ("--client", "acme", "--platform", "x", "--action", "publish")
    for key in ("a", "a", "b"):
        assert tell("wrong-account", *labels, "--key", key)[0] == 0
    assert tell("wrong-account", *labels, "--key", "c", "--near-miss")[0] == 0
    attempt(tell, "post", "succeeded", "--post-id", "1")
    assert tell("audit", "--key", "post", "--event", "e1", "--proof", "s3://x") == (0, "")
    attempt(tell, "fails", "failed", "--failure-class", "tool_failure")
    began = datetime.fromtimestamp(int(time.time()) - 60, UTC).isoformat()
    out, approved = ("--dependency", "graph", "--platform", "x"), ("--approved-by", "owner", "--at", began)
    for state in ("open", "open", "closed", "closed"):
        assert tell("incident", *out, "--state", state, *(approved if state == "open" else ())) == (0, "")
    counted = Counted(ledger)
    assert (counted(f.WRONG_ACCOUNT), counted(f.NEAR_MISSES)) == (2, 1)
    assert counted.by(f.AUDITS, "result") == {"complete": 1}
    assert counted.by(f.EXCLUDED, "reason") == {"dependency_incident": 1}


def test_the_settings_are_those_of_the_workers(tell: Tell, ledger: str, tmp_path: Path) -> None:
    numbers = tmp_path / "settings.yml"
    numbers.write_text("exempt: {platform_rejected: [rate_limit]}\nproof_lanes: [browser, api]\n", encoding="utf-8")
    failed = ("failed", "--failure-class", "platform_rejected", "--reason", "rate_limit")
    assert attempt(tell, "a", *failed, "--settings", str(numbers))[0] == 0
    assert Counted(ledger).by(f.EXCLUDED, "reason") == {"exempt_class": 1}
    code, told = attempt(tell, "b", "succeeded", "--post-id", "1", "--settings", str(numbers))
    assert (code, "in the lane api needs --proof" in told) == (2, True)


BAD = [
    (("--result", "failed"), 2, "'' is none of platform_rejected, tool_failure"),
    (("--result", "failed", "--failure-class", "bad_luck"), 2, "'bad_luck' is none of platform_rejected"),
    (("--result", "failed", "--failure-class", "tool_failure", "--reason", "auth"), 2, "'auth' is none of gateway"),
    (("--result", "blocked", "--reason", "auth"), 2, "'auth' needs --failure-class beside it"),
    (("--result", "succeeded"), 2, "a success in the lane api needs --post-id or --verified"),
    (("--result", "succeeded", "--lane", "browser", "--post-id", "1"), 2, "the lane browser needs --proof"),
    (("--result", "blocked", "--lane", "mobile"), 1, "no lane 'mobile' in leases_s; there are api, browser"),
    (("--result", "blocked", "--final"), 2, "only a failure can be final"),
    (("--result", "blocked", "--took", "long"), 2, "'long' is not a duration"),
    (("--result", "blocked", "--key", " "), 2, "it is empty"),
    (("--result", "done"), 2, "'done' is not one of"),
    (("--result", "blocked", "--ledger", "memory://"), 1, "a ledger in memory ends with this command"),
    (("--result", "blocked", "--ledger", "sqlite:///no/such/folder/x.db"), 3, "/no/such/folder"),
    (("--result", "blocked", "--ledger", "redis://127.0.0.1:1/0"), 3, "127.0.0.1:1"),
    (("--result", "blocked", "--ledger", "nonsense"), 1, "no ledger at 'nonsense'"),
    (("--result", "blocked", "--settings", "/no/such/file"), 1, "/no/such/file: No such file"),
]


@pytest.mark.parametrize(("options", "code", "sentence"), BAD)
def test_what_cannot_be_recorded_is_said_in_a_sentence(
    tell: Tell, ledger: str, options: tuple[str, ...], code: int, sentence: str
) -> None:
    labels = ("--client", "acme", "--platform", "x", "--action", "publish", "--key", "k")
    found, told = tell("attempt", *labels, *options)
    assert (found, sentence in told) == (code, True), told
    assert Counted(ledger)(f.ATTEMPTS) == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("visibility", "--key", "k", "--result", "seen", "--at", "yesterday"), "'yesterday' is not a time"),
        (("visibility", "--key", "k", "--result", "seen", "--at", "2026-11-22T08:00:00"), "with its zone"),
        (("job", "--key", "k", "--queue", "publishing", "--state", "scheduled"), "needs --due and --client"),
        (("intervention", "--client", "acme", "--kind", "coffee", "--key", "k"), "'coffee' is none of approval"),
        (("audit", "--key", "k"), "one of the two is needed"),
        (("exclude", "--key", "k", "--reason", "weather"), "'weather' is none of dependency_incident"),
        (
            ("incident", "--dependency", "d", "--platform", "x", "--state", "closed", "--approved-by", "o"),
            "--state open",
        ),
    ],
)
def test_wrong_usage_is_told(tell: Tell, options: tuple[str, ...], sentence: str) -> None:
    code, told = tell(*options)
    assert (code, sentence in told) == (2, True), told


def test_a_job_of_an_unknown_queue_is_refused(tell: Tell) -> None:
    code, told = tell("job", "--key", "k", "--queue", "posting", "--state", "started")
    assert (code, bool(re.search("no queue 'posting' in queue_delays_s; there are publishing", told))) == (1, True)


def test_an_exporter_that_is_switched_off_says_so(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLOFORGE_EXPORTER", "off")
    code, told = attempt(tell, "a", "blocked")
    assert (code, "nothing was recorded" in told) == (1, True)


def test_a_conversation_counts_once_and_fails_once_though_it_fails_later(tell: Tell, ledger: str, members: str) -> None:
    thread = ("--universe", members, "--kind", "conversation", "--key", "thread-81")
    assert tell("event", *thread, "--group", "newcomers", "--space", "help") == (0, "")
    assert tell("event", *thread, "--reason", "heated") == (0, "")  # its group is known
    code, told = tell("event", *thread, "--reason", "misunderstood")
    assert (code, "told before" in told) == (0, True)
    counted = Counted(ledger)
    assert (counted(f.EVENTS), counted(f.EVENT_FAILURES)) == (1, 1)
    assert counted(f.EVENT_FAILURES, member_group="newcomers", space="help", reason="heated") == 1


def test_a_promise_that_nobody_keeps_is_late_without_a_word(tell: Tell, ledger: str, members: str) -> None:
    def owed(key: str, state: str, *options: str) -> tuple[int, str]:
        return tell(
            "promise", "--universe", members, "--kind", "newcomer-answered", "--key", key, "--state", state, *options
        )

    long_ago = datetime.fromtimestamp(time.time() - 3 * 86400, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    for key in ("kept", "late", "released", "open"):
        at = () if key == "open" else ("--at", long_ago)
        assert owed(key, "made", "--group", "newcomers", *at) == (0, "")
    assert owed("kept", "kept", "--at", long_ago) == owed("released", "released", "--at", long_ago) == (0, "")
    assert Counted(ledger).by(f.PROMISES, "result") == {"kept": 1, "late": 1, "released": 1}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--kind", "conversation", "--group", "@otter"), "no group '@otter' is declared"),
        (("--kind", "conversation", "--space", "lounge"), "no space 'lounge' is declared"),
        (("--kind", "quarrel"), "no kind of event 'quarrel'"),
        (("--kind", "conversation", "--reason", "because of otter"), "no reason of conversation"),
    ],
)
def test_nobody_can_be_named(tell: Tell, ledger: str, members: str, options: tuple[str, ...], sentence: str) -> None:
    code, told = tell("event", "--universe", members, "--key", "thread-1", *options)
    assert (code, sentence in told) == (1, True)
    assert tell("event", "--universe", members, "--key", "t", "--kind", "conversation", "--member", "otter")[0] == 2
    assert Counted(ledger)(f.EVENTS) == 0
