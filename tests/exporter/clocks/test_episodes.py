"""Episodes (SLO-05): one result for each, however often people step in and whoever carries it on."""

import asyncio

import pytest

from sloforge.exporter.episodes import Episode, Episodes
from sloforge.exporter.families import EPISODE_DURATION, EPISODES, INTERVENTIONS
from tests.exporter.clocks.bench import Bench, labels
from tests.exporter.conftest import START_S


def episode(bench: Bench, key: str = "episode", *, side_effects: bool = False) -> Episode:
    made = Episodes(bench.ledger, bench.settings, labels)
    return made.episode(client_id="acme", side_effects=side_effects, key=key)


def test_an_episode_that_ends_in_peace_is_completed(bench: Bench) -> None:
    with episode(bench, side_effects=True):
        assert bench.open("episode") == [({"side_effects": "true"}, 1, 0)]
        bench.at(100)
    assert bench.results(EPISODES) == {"completed": 1}
    assert bench.results(EPISODES, "side_effects") == {"true": 1}
    assert bench.delay(EPISODE_DURATION) == 100
    assert bench.open("episode") == []


def test_an_exception_fails_it_and_goes_on(bench: Bench) -> None:
    running = episode(bench)
    running.intervention("captcha")
    with pytest.raises(KeyError), running:
        raise KeyError
    assert bench.results(EPISODES) == {"failed": 1}


def test_each_intervention_is_toil_but_budget_is_spent_once(bench: Bench) -> None:
    with episode(bench) as running:
        running.intervention("captcha")
        running.intervention("captcha")
        running.intervention("a kind that nobody knows")
    running.intervention("login")  # afterwards: toil all the same
    assert bench.results(EPISODES) == {"intervened": 1}
    assert bench.results(INTERVENTIONS, "kind") == {"captcha": 2, "other": 1, "login": 1}


def test_toil_outside_of_episodes_counts_as_well(bench: Bench) -> None:
    Episodes(bench.ledger, bench.settings, labels).intervention("acme", "approval")
    assert bench.results(INTERVENTIONS, "client_id") == {"acme": 1}
    assert bench.results(EPISODES) == {}


def test_a_failure_without_an_exception_can_be_told(bench: Bench) -> None:
    with episode(bench) as running:
        running.fail()
    assert bench.results(EPISODES) == {"failed": 1}


def test_an_episode_whose_lease_ends_is_abandoned(bench: Bench) -> None:
    """A zombie that ends it after all only tells how long it took."""
    running = episode(bench)
    running.__enter__()
    bench.at(899)
    bench.sweep()
    assert bench.results(EPISODES) == {}
    bench.at(900)
    bench.sweep()
    assert bench.results(EPISODES) == {"abandoned": 1}
    assert bench.open("episode") == []
    bench.at(1000)
    running.renew()
    running.__exit__(None, None, None)
    assert bench.results(EPISODES) == {"abandoned": 1}
    assert bench.delay(EPISODE_DURATION) == 1000


def test_an_end_that_nobody_has_judged_abandoned_stands(bench: Bench) -> None:
    with episode(bench):
        bench.at(5000)
    bench.sweep()
    assert bench.results(EPISODES) == {"completed": 1}


def test_renewing_keeps_it_alive(bench: Bench) -> None:
    with episode(bench) as running:
        for moment in (800, 1600, 2400):
            bench.at(moment)
            bench.sweep()
            running.renew()
    assert bench.results(EPISODES) == {"completed": 1}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_who_is_told_to_stop_leaves_it_to_the_next(bench: Bench, stop: type[BaseException]) -> None:
    with pytest.raises(stop), episode(bench):
        raise stop
    assert bench.results(EPISODES) == {}
    bench.at(500)
    bench.restart()
    with episode(bench):
        bench.at(1200)
    assert bench.results(EPISODES) == {"completed": 1}
    assert bench.delay(EPISODE_DURATION) == 1200


def test_an_episode_that_has_ended_is_not_counted_again(bench: Bench) -> None:
    for _ in range(2):
        with episode(bench):
            pass
    assert bench.results(EPISODES) == {"completed": 1}


def test_episodes_without_a_key_are_all_different(bench: Bench) -> None:
    for _ in range(2):
        with Episodes(bench.ledger, bench.settings, labels).episode(client_id="acme", side_effects=False):
            pass
    assert bench.results(EPISODES) == {"completed": 2}


def test_async_code_enters_it_as_well(bench: Bench) -> None:
    async def work() -> None:
        async with episode(bench):
            bench.clock.now = START_S + 7

    asyncio.run(work())
    assert bench.results(EPISODES) == {"completed": 1}
