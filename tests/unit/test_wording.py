"""A domain's own words: prose alone is touched, whole phrases, the longest first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloforge.wording import reword, says

PHRASES = (
    ("SLO", "social contract"),
    ("budget", "patience"),
    ("error budget", "forgiveness budget"),
    ("freeze", "cool-down"),
    ("patience", "never said"),
    ("the change freeze", "the cool-down"),
)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("The error budget of an SLO.", "The forgiveness budget of an social contract."),
        ("Error budget, Budget, budgets", "Forgiveness budget, Patience, budgets"),
        ("the change\n  freeze holds", "the cool-down holds"),
        ("an error\nbudget, an SLObudget", "an forgiveness budget, an SLObudget"),
        (
            "the freeze: sloforge approve --scope 'a freeze'\nfreeze",
            "the cool-down: sloforge approve --scope 'a freeze'\ncool-down",
        ),
        ("error-budget --budget budget-7 budget", "error-budget --budget budget-7 patience"),
        ("slo and SLO", "slo and social contract"),
        ("`freeze` the freeze [[ freeze ]] [% if freeze %]", "`freeze` the cool-down [[ freeze ]] [% if freeze %]"),
        ("{{ with query `freeze` }}freeze{{ end }}", "{{ with query `freeze` }}cool-down{{ end }}"),
        (
            "{% if budget %}{# budget #}<b title='budget'>budget",
            "{% if budget %}{# budget #}<b title='budget'>patience",
        ),
        ("```promql\nfreeze\n```\nfreeze", "```promql\nfreeze\n```\ncool-down"),
        ("[freeze](freeze.md), https://example.com/freeze", "[cool-down](freeze.md), https://example.com/freeze"),
        ("== budget\nbudget", "== budget\npatience"),
        ("[# freeze\n the budget #]\nfreeze", "[# freeze\n the budget #]\ncool-down"),
    ],
)
def test_prose_is_reworded_and_nothing_else(ours: str, theirs: str) -> None:
    assert reword(ours, PHRASES) == theirs
    assert reword(ours, ()) == ours


def test_what_is_said_is_found_in_prose() -> None:
    assert says("An error\nbudget `freeze`", "error budget")
    assert not says("An error\nbudget `freeze`", "freeze")
    assert not says("the change {{ x }} freeze", "the change freeze")


def test_phrases_are_no_patterns() -> None:
    assert reword("a.b a-b (so)", (("a.b", "c"), ("(so)", "\\1"))) == "c a-b \\1"


PIECES = st.sampled_from(["error", "Error", "  ", "\n", "budget", "", "É", "(", "\\", "[[", "{{", "\0"])


@given(st.dictionaries(st.lists(PIECES, max_size=4).map("".join), st.text(max_size=5), max_size=3))
def test_any_phrase_can_be_looked_for(words: dict[str, str]) -> None:
    """Phrases are judged, but texts are reworded before anybody has read what is wrong with them."""
    reword("Error budget\nerror  budget É( [[ error ]] \\", tuple(sorted(words.items())))
    assert all(says(phrase, phrase) or not phrase.strip() or set(phrase) & set("[{\0") for phrase in words)
