"""Two servers that watch the same: the better seeing one's figures, the worse band, and every disagreement said."""

from dataclasses import replace

from sloforge.policy import Band
from sloforge.query.replicas import agree
from sloforge.query.snapshot import SloState, Snapshot

ONE = Snapshot(
    url="http://one",
    service="shop",
    at_s=100,
    recorded_s=90,
    band=Band.GREEN,
    frozen=False,
    slos=(
        SloState(slo="x", band=Band.GREEN, coverage=0.99, exhaustion_s=1),
        SloState(slo="y", band=Band.GREEN, coverage=1),
    ),
)
TWO = replace(
    ONE,
    url="http://two",
    band=Band.YELLOW,
    slos=(
        SloState(slo="x", band=Band.YELLOW, coverage=0.95, exhaustion_s=2),
        SloState(slo="y", band=Band.GREEN, coverage=1),
    ),
)


def test_same_word_is_no_disagreement() -> None:
    agreed = agree([ONE, replace(ONE, url="http://two")])
    assert (agreed.snapshot, agreed.disagreements) == (ONE, ())


def test_worse_band_counts_and_the_disagreement_is_said() -> None:
    agreed = agree([TWO, ONE])
    assert agreed.snapshot.url == "http://one"  # it saw more
    assert (agreed.snapshot.band, agreed.snapshot.slos[0].band, agreed.snapshot.slos[0].exhaustion_s) == (
        Band.YELLOW,
        Band.YELLOW,
        2,
    )
    assert agreed.disagreements == (
        "The servers disagree on the service's band: YELLOW at http://two, GREEN at http://one",
        "The servers disagree on x: YELLOW at http://two, GREEN at http://one",
    )


def test_any_freeze_and_any_hard_stop_count() -> None:
    stopped = replace(ONE, url="http://two", frozen=True, slos=(replace(ONE.slos[0], hard_stop=True), ONE.slos[1]))
    for order in ([ONE, stopped], [stopped, ONE]):
        agreed = agree(order)
        assert agreed.snapshot.frozen
        assert [slo.slo for slo in agreed.snapshot.hard_stops] == ["x"]
        assert len(agreed.disagreements) == 2


def test_slo_that_one_server_does_not_have_counts() -> None:
    extra = replace(ONE, url="http://two", slos=(*ONE.slos, SloState(slo="z", band=Band.RED, coverage=0.1)))
    agreed = agree([ONE, extra])
    assert agreed.snapshot.slos[0].slo == "z"
    assert "z: not recorded at http://one, RED at http://two" in agreed.disagreements[0]
