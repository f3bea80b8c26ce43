"""What tiers, classes and shares cost hangs on how many clients there are, and is what the estimate says."""

import pytest

from bench.clients import compiled, read_a_minute, told_a_minute

SPAN_S = 2 * 3600, 3 * 3600


@pytest.mark.parametrize("clients", [5, 40])
def test_estimate_is_what_the_engine_reads(clients: int) -> None:
    of = compiled(clients // 2)
    assert told_a_minute(of, clients, *SPAN_S) == pytest.approx(read_a_minute(of, clients, *SPAN_S), rel=0.1)


def test_clients_make_no_rules() -> None:
    """A thousand clients in the definitions are longer lines of one rule, and no rule more."""
    few, many = ([rule for group in compiled(clients).plans[0].groups for rule in group.rules] for clients in (2, 1000))
    assert len(few) == len(many)
    differ = [getattr(one, "record", "") for one, other in zip(few, many, strict=True) if one != other]
    assert differ == ["slo_client:tier:info"]


def test_samples_grow_by_the_client() -> None:
    """A client more costs the same, be it the eleventh or the thousandth."""
    of = compiled(0)
    ten, hundred, thousand = (told_a_minute(of, clients, *SPAN_S) for clients in (10, 100, 1000))
    assert (thousand - hundred) / 900 == pytest.approx((hundred - ten) / 90, rel=0.001)
