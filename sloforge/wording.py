"""A domain's own words in the place of ours: phrases of our texts, and what is said instead.

Only prose is touched. Placeholders and instructions of template languages, code, markup and addresses stay as they are,
and so does what people wrote into definitions: texts are reworded before that is put in.
"""

import re
from functools import lru_cache
from typing import Final

Phrases = tuple[tuple[str, str], ...]  # sorted by our phrase; the other is what to say instead

# What is no prose: [[ … ]], [% … %], [# … #], {{ … }}, {% … %}, {# … #}, code, tags, targets of links, addresses, and
# the lines that begin a part of an annotation, and commands that end a line.
_INERT: Final = re.compile(
    r"\[\[.*?\]\]|\[%.*?%\]|\[#.*?#\]|\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|`+[^`]*`+|<[^>]*>|\]\([^)]*\)|\bhttps?://\S+"
    r"|^== \w+$|\bsloforge [a-z][^\n]*",
    re.DOTALL | re.MULTILINE,
)


def reword(text: str, phrases: Phrases) -> str:
    """Return `text` with each phrase of its prose replaced; the longest that fits wins, and what was put in stays."""
    if not phrases:
        return text
    pattern, instead = _compiled(phrases)
    done, parts = 0, list[str]()
    for inert in _INERT.finditer(text):
        parts += [pattern.sub(instead.say, text[done : inert.start()]), inert[0]]
        done = inert.end()
    return "".join([*parts, pattern.sub(instead.say, text[done:])])


def says(text: str, phrase: str) -> bool:
    """Whether the prose of `text` has that phrase."""
    pattern, _ = _compiled(((phrase, ""),))
    return bool(pattern.search(_INERT.sub("\0", text)))


class _Instead:
    """Looks up what is said instead, with a capital where ours had one at the head of a sentence."""

    def __init__(self, phrases: Phrases) -> None:
        self._instead = {" ".join(phrase.split()): text for phrase, text in phrases}

    def say(self, found: re.Match[str]) -> str:
        """Return what to say instead of what was found."""
        phrase = " ".join(found[0].split())
        if phrase in self._instead:
            return self._instead[phrase]
        text = self._instead[phrase[0].lower() + phrase[1:]]
        return text[:1].upper() + text[1:]


@lru_cache(maxsize=64)
def _compiled(phrases: Phrases) -> tuple[re.Pattern[str], _Instead]:
    longest_first = sorted((phrase for phrase, _ in phrases), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(map(_pattern, longest_first))})(?![\w-])"), _Instead(phrases)


def _pattern(phrase: str) -> str:
    """Return a pattern of the phrase as it may stand in a text: over a line's end, and at the head of a sentence."""
    words = r"\s+".join(map(re.escape, phrase.split()))
    first = phrase[:1]
    return f"[{first}{first.upper()}]{words[1:]}" if first.isascii() and first.islower() else words
