"""What is wrong with words.yml: words that are more than words, and phrases that nobody says."""

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Final

from sloforge.diagnostics import KEY, Code
from sloforge.model.complaint import Complaint
from sloforge.model.policy_facts import Decided
from sloforge.parse.words import our_texts
from sloforge.wording import says

MOST: Final = 300  # characters of a phrase, and of what is said instead
_STRANGE: Final = re.compile(r"[^\w .,;:'’!?()%/–—+-]|_")  # these could be code, markup or a template somewhere
_WORD: Final = re.compile(r"[a-z][a-z-]{3,}")


def plain(decided: Decided) -> Iterator[Complaint]:
    """What is put into texts is put into templates, pages and notifications: letters, digits and plain punctuation."""
    for phrase, instead in decided.governance.words:
        for text, route in ((phrase, ("words", phrase, KEY)), (instead, ("words", phrase))):
            strange = _STRANGE.search(text)
            if strange:
                message = f"{strange[0]!r} is none of letters, digits and plain punctuation"
                yield Complaint(Code.WORDS_PLAIN, route, message, "write it in words")
            elif len(text) > MOST:
                yield Complaint(Code.WORDS_PLAIN, route, f"{len(text)} characters; {MOST} fit", "say it shorter")
            elif text != " ".join(text.split()) or not text:
                yield Complaint(Code.WORDS_PLAIN, route, "spaces at its ends, or several together", "write it plainly")


def said(decided: Decided) -> Iterator[Complaint]:
    """A phrase that stands in none of our texts changes nothing, though somebody thinks that it does."""
    words = decided.governance.words
    for phrase, _ in words:
        if not any(says(text, phrase) for text in our_texts()):
            near = get_close_matches(phrase, _WORD.findall(" ".join(our_texts())), 1)
            hint = f"did you mean {near[0]!r}?" if near else "docs/words.md says where ours stand"
            message = f"none of our texts says {phrase!r}"
            yield Complaint(Code.WORDS_UNSAID, ("words", phrase, KEY), message, hint)


CHECKS: Final[tuple[Callable[[Decided], Iterator[Complaint]], ...]] = (plain, said)
