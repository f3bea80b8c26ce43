"""States and decisions for the tests of the gate."""

from sloforge.model.governance import Action, Approval, ApprovalKind, Duty, Governance, Incident
from sloforge.policy import Band
from sloforge.query.snapshot import Figures, SloState, Snapshot

NOW_S = 1_795_000_000


def state(band: Band, *, frozen: bool = False, slos: tuple[SloState, ...] = ()) -> Snapshot:
    """Return service shop in `band`, recorded 20 seconds ago."""
    return Snapshot(
        url="http://p",
        service="shop",
        at_s=NOW_S,
        recorded_s=NOW_S - 20,
        band=band,
        frozen=frozen,
        slos=slos,
        last_red_s=NOW_S - 3600 if frozen else None,
    )


def slo(name: str, band: Band, *reasons: tuple[str, float], hard_stop: bool = False, left: float = 0.34) -> SloState:
    """Return one SLO of which `left` of the budget remains."""
    figures = Figures(sli=0.9967, remaining=left, events=left * 50)
    return SloState(
        slo=name,
        band=band,
        slo_class="correctness",
        reasons=reasons,
        objective=0.995,
        figures=figures,
        after_exclusions=figures,
        hard_stop=hard_stop,
    )


def approval(
    change_type: str = "feature", scope: str = "x", *, service: str = "shop", since: int = -60, until: int | None = 60
) -> Approval:
    """Return an approval that holds from `since` to `until` seconds from now."""
    return Approval(
        kind=ApprovalKind.CHANGE,
        service=service,
        by="ada",
        at_s=NOW_S + since,
        reason="small and watched",
        origin=(),
        change_type=change_type,
        scope=scope,
        expires_s=None if until is None else NOW_S + until,
    )


def incident(*, done: bool, service: str = "shop") -> Incident:
    """Return an incident with a corrective action."""
    return Incident(
        id="inc-7",
        service=service,
        slos=("checkout",),
        opened_s=NOW_S - 9000,
        opened_by="ada",
        title="Everything was down",
        origin=(),
        action=Action(what="add a second provider", owner="bob", done_s=NOW_S - 10 if done else None),
    )


def governance(*entries: Approval | Incident | Duty) -> Governance:
    """Return what was decided: `entries`, each in its list."""
    return Governance(
        approvals=tuple(one for one in entries if isinstance(one, Approval)),
        incidents=tuple(one for one in entries if isinstance(one, Incident)),
        rota=tuple(one for one in entries if isinstance(one, Duty)),
    )
