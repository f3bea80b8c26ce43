"""Audit completeness (SLO-08): each side effect is judged once, by what was written down within the grace."""

import pytest

from sloforge.exporter.api import Exporter
from sloforge.exporter.audits import Audits
from sloforge.exporter.families import AUDITS, DUPLICATE_SIDE_EFFECTS, SIDE_EFFECTS
from tests.exporter.clocks.bench import ACME, Bench
from tests.exporter.conftest import START_S

Call = tuple[float, str, float | None]

SITUATIONS: dict[str, tuple[list[Call], dict[str, float]]] = {
    "complete": ([(0, "effect", None), (1, "event", None), (2, "proof", None)], {"complete": 1}),
    "the other way round": ([(0, "effect", None), (1, "proof", None), (300, "event", None)], {"complete": 1}),
    "the event first": ([(0, "event", None), (1, "effect", None), (2, "proof", None)], {"complete": 1}),
    "the effect last": ([(0, "event", None), (1, "proof", None), (2, "effect", None)], {"complete": 1}),
    "no event": ([(0, "effect", None), (1, "proof", None), (300, "sweep", None)], {"missing_event": 1}),
    "no proof": ([(0, "effect", None), (1, "event", None), (300, "sweep", None)], {"missing_proof": 1}),
    "neither": ([(0, "effect", None), (300, "sweep", None)], {"missing_both": 1}),
    "proof too late": (
        [(0, "effect", None), (1, "event", None), (301, "proof", None), (900, "sweep", None)],
        {"missing_proof": 1},
    ),
    "told late": ([(0, "effect", None), (900, "event", 10), (901, "proof", 20)], {"complete": 1}),
    "told after it was counted": (
        [(0, "effect", None), (1, "event", None), (300, "sweep", None), (301, "proof", 20)],
        {"missing_proof": 1},
    ),
    "grace still runs": ([(0, "effect", None), (299, "sweep", None)], {}),
    "an event without effect": ([(0, "event", None), (0, "proof", None), (900, "sweep", None)], {}),
}


def play(bench: Bench, calls: list[Call]) -> None:
    audits = Audits(bench.ledger, bench.settings)
    for told, what, at in calls:
        bench.at(told)
        when = None if at is None else START_S + at
        match what:
            case "sweep":
                bench.sweep()
            case "effect":
                audits.effect("post", ACME)
            case _:
                getattr(audits, what)("post", f"{what} 17", at=when)


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_effect_gets_one_result(bench: Bench, name: str) -> None:
    calls, results = SITUATIONS[name]
    play(bench, calls)
    assert bench.results(AUDITS) == results
    play(bench, calls)
    assert bench.results(AUDITS) == results


def test_an_effect_counts_once_and_then_as_a_duplicate(bench: Bench) -> None:
    play(bench, [(0, "effect", None), (1, "effect", None), (2, "effect", None)])
    assert (bench.total(SIDE_EFFECTS), bench.total(DUPLICATE_SIDE_EFFECTS)) == (1, 2)


def test_what_is_empty_is_no_evidence(bench: Bench) -> None:
    audits = Audits(bench.ledger, bench.settings)
    audits.effect("post", ACME)
    audits.event("post", "")
    audits.proof("post", "")
    bench.at(300)
    bench.sweep()
    assert bench.results(AUDITS) == {"missing_both": 1}


def test_the_effect_of_an_attempt_is_audited(bench: Bench) -> None:
    exporter = Exporter(bench.ledger)
    for key in ("audited", "forgotten"):
        with exporter.lane("api").attempt(
            client_id="acme", platform="instagram", action_type="publish", key=key
        ) as attempt:
            with attempt.side_effect():
                pass
            attempt.succeed(post_id="17", verified=True)
    exporter.audit.event("audited", "event 17")
    exporter.audit.proof("audited", "s3://proofs/17")
    bench.at(301)
    bench.sweep()
    assert bench.results(AUDITS) == {"complete": 1, "missing_both": 1}
    assert bench.total(SIDE_EFFECTS) == 2
