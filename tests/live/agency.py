"""Services as the pages show them: an agency that is RED, a shop, one of hostile names, a large one."""

from pathlib import Path

from sloforge import vocabulary as v
from sloforge.plan.groups import REASON_PERIOD
from sloforge.quantities import DAY, format_time
from tests.live.kept import Kept

AGENCY = "raize-the-vibe"
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"
LONG = "a-client-with-a-name-that-goes-on-" + "and-on-" * 20

BURNING = {"5m": 4.1, "30m": 3.2, "1h": 3.4, "2h": 3.1, "6h": 2.9, "1d": 2.95, "3d": 1.6}
RISING = {"5m": 9.2, "30m": 6.1, "1h": 4.4, "2h": 2.4, "6h": 0.9, "1d": 0.8, "3d": 0.7}
RATIOS = (
    ("audit-completeness", "SLO-08", "Side effects with audit event and proof", "trust", 0.999, 21_900, 4),
    ("queue-publishing", "SLO-04", "Publishing jobs start within 2 minutes", "timeliness", 0.99, 13_720, 21),
    ("reply-timeliness", "SLO-06B", "Automatic replies within 10 minutes", "timeliness", 0.95, 6_100, 88),
)
REASONS = (
    ("publish-api", "platform_rejected", "rate_limit", 21),
    ("publish-api", "platform_rejected", "auth_expired", 17),
    ("publish-api", "runner_failure", "timeout", 12),
    ("publish-api", "platform_rejected", "captcha", 8),
    ("publish-browser", "tool_failure", "selector_gone", 31),
    ("reply-timeliness", "runner_failure", "queue_full", 88),
)
CLIENTS = (  # client, platform, events, failures, band
    ("cafe-luna", "instagram", 2_400, 26, 2),
    ("cafe-luna", "tiktok", 1_100, 3, 1),
    ("bits-and-bolts", "instagram", 3_100, 14, 1),
    ("acme", "linkedin", 1_900, 9, 1),
    ("dots", "x", 1_740, 6, 0),
)
LEFT = (  # days ago, left after exclusions, left counting everything
    (28, 1, 1),
    (22, 0.93, 0.93),
    (15.2, 0.81, 0.81),
    (14.9, 0.78, 0.545),
    (9, 0.7, 0.466),
    (6, 0.62, 0.386),
    (5.8, 0.31, 0.076),
    (1, 0.27, 0.036),
    (0, 0.1016, -0.1328),
)

ROTA = """\
apiVersion: sloforge-policy/v1
rota:
  - {person: ada, from: 2026-01-01T00:00:00Z, to: 2036-01-01T00:00:00Z}
"""
INCIDENTS = """\
apiVersion: sloforge-policy/v1
incidents:
  - id: inc-7
    service: raize-the-vibe
    title: Logins of one platform expired
    slos: [publish-api]
    opened: %(6)s
    opened_by: ada
  - id: inc-7
    closed: %(5.5)s
    closed_by: ada
    shares: {publish-api: 31}
"""
EXCLUSIONS = """\
apiVersion: sloforge-policy/v1
exclusions:
  - id: dep-1
    service: raize-the-vibe
    slos: [publish-api]
    from: %(15.2)s
    to: %(14.9)s
    cause: provider_outage
    by: ada
    at: %(14)s
    reason: their status page says so
    approved_by: ada
"""
APPROVALS = """\
apiVersion: sloforge-policy/v1
approvals:
  - kind: change
    service: raize-the-vibe
    change_type: feature
    scope: new inbox
    by: ada
    at: %(9)s
    expires: %(7)s
    reason: one client waits for it
"""


def agency(now_s: int) -> Kept:
    """Return the agency: one budget nearly spent, a burn under way, clients and reasons."""
    kept = Kept(AGENCY, now_s)
    kept.slo(
        "publish-api",
        2,
        10_240,
        58,
        excluded=12,
        reasons={"budget": 0.1016},
        burns=BURNING,
        title="Publish success, API lane",
        ref="SLO-01",
        owner="on-call",
        runbook="https://runbooks.example.com/publish-api",
    )
    kept.add(v.EXHAUSTION, 0.9 * DAY, slo="publish-api").add(v.POSTMORTEM, 1, slo="publish-api")
    kept.slo(
        "publish-browser",
        1,
        3_480,
        31,
        objective=0.985,
        reasons={"budget": 0.406},
        burns=RISING,
        title="Publish success, browser lane",
        ref="SLO-02",
        owner="on-call",
        runbook="javascript:alert(1)",
    )
    for slo, ref, title, kind, objective, total, failed in RATIOS:
        kept.slo(slo, 0, total, failed, objective=objective, kind=kind, title=title, ref=ref)
    kept.slo(
        "time-to-visible",
        -1,
        5_011,
        12,
        objective=0.99,
        kind="trust",
        coverage=0.71,
        reasons={"coverage": 0.71},
        title="Posts verified visible within 10 minutes",
        ref="SLO-03",
    )
    kept.hard("wrong-account", title="No action on a wrong account", ref="SLO-07")
    for slo, failure_class, reason, failed in REASONS:
        kept.add(REASON_PERIOD, failed, slo=slo, failure_class=failure_class, reason=reason)
    for client, platform, total, failed, band in CLIENTS:
        by = {"slo": "publish-api", "client_id": client, "platform": platform}
        kept.group(total, failed, band, **by)
        kept.add(v.GROUP_TIER, 1, tier="premium" if client == "acme" else "default", **by)
    for tier, total, failed in (("default", 8_340, 49), ("premium", 1_900, 9)):
        kept.part(v.TIER_PREFIX, total, failed, slo="publish-api", tier=tier)
    kept.fell("publish-api", *LEFT).fell("publish-browser", (11, 0.9, 0.9), (0, 0.406, 0.406))
    kept.lost("publish-api", 10_240, (22, 10), (15, 7), (6, 16), (0.1, 13)).burning_for("publish-api", 80)
    return kept.whole(2, 1, last_red_s=kept.now_s - 60)


def calm(now_s: int) -> Kept:
    """Return a service of which nothing is to be said."""
    kept = Kept("bookshop", now_s)
    kept.slo("orders", 0, 88_000, 30, title="Orders are taken", owner="books-team")
    kept.slo("search", 0, 410_000, 1_200, objective=0.99, kind="timeliness", title="Searches answer in half a second")
    return kept.whole(0)


def stopped(now_s: int) -> Kept:
    """Return a service in which happened what must never happen."""
    kept, runbook = Kept("messenger", now_s), "https://runbooks.example.com/wrong-account"
    kept.hard("wrong-account", 1, title="No action on a wrong account", owner="safety-team", runbook=runbook)
    kept.slo("replies", 0, 6_100, 8, objective=0.95, kind="timeliness", title="Replies within 10 minutes")
    return kept.whole(2, 1, last_red_s=kept.now_s - 60)


def shop(now_s: int) -> Kept:
    """Return a service in a cluster, YELLOW."""
    kept = Kept("shop", now_s, cluster="eu1")
    kept.slo("checkout", 1, 88_000, 300, reasons={"budget": 0.318}, title="Checkouts succeed")
    kept.slo("search", 0, 410_000, 1_200, objective=0.99, kind="timeliness", title="Searches answer in half a second")
    return kept.whole(1)


def odd(now_s: int) -> Kept:
    """Return a service of whose labels none may act: markup, long names, a budget far overspent."""
    kept = Kept("odd", now_s)
    runbook = 'https://x.example/"><script>alert(1)</script>'
    kept.slo("deep", 2, 1_000, 900, title=HOSTILE, owner=HOSTILE, reasons={"budget": -179.0}, runbook=runbook)
    kept.slo("quiet", -1, 1, 0, coverage=0, reasons={"coverage": 0, HOSTILE: 3}, title=LONG)
    for client in (HOSTILE, LONG, "a/b?c=d&e#f"):
        kept.group(300, 290, 2, slo="deep", client_id=client)
    kept.add(REASON_PERIOD, 900, slo="deep", reason=HOSTILE)
    return kept.whole(2, 1)


def many(now_s: int, slos: int = 200, clients: int = 1_000) -> Kept:
    """Return a service of many SLOs and clients."""
    kept = Kept("many", now_s)
    for number in range(slos):
        name, failed = f"slo-{number:03}", 30 if number == 0 else number % 20
        reasons = {"budget": 0.4} if number == 0 else {}
        kept.slo(name, int(number == 0), 10_000, failed, reasons=reasons, title=f"Requests of part {number} succeed")
        kept.add(REASON_PERIOD, 1 + number % 20, slo=name, failure_class="runner_failure", reason="timeout")
    for number in range(clients):
        kept.group(1_000, number % 40, slo="slo-000", client_id=f"client-{number:04}")
    return kept.whole(1)


def decisions(folder: Path, now_s: int) -> None:
    """Write a policy folder about the agency."""
    folder.mkdir()
    days = {f"{days:g}": format_time(int(now_s - days * DAY) // 60 * 60) for days in (15.2, 14.9, 14, 9, 7, 6, 5.5)}
    files = {"rota": ROTA, "incidents": INCIDENTS, "exclusions": EXCLUSIONS, "approvals": APPROVALS}
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text % days if "%" in text else text, encoding="utf-8")
