"""PromQL as text: parse it, and say where it is wrong. The parser's errors carry no position, so we look for one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, NamedTuple

import promql_parser

from sloforge.diagnostics import Code, Diagnostic, Span

MAX_LENGTH: Final = 20_000
MAX_DEPTH: Final = 100  # the parser recurses
_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
    |(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`)
    |(?P<number>(?:0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(?:ms|[smhdwy]|\d)*)
    |(?P<word>[a-zA-Z_:][a-zA-Z0-9_:.]*)
    |(?P<op>==|!=|<=|>=|=~|!~|[-+*/%^<>=@,:])
    |(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<bad>.)""",
    re.VERBOSE | re.DOTALL,
)
_CLOSES: Final = {"(": ")", "[": "]", "{": "}"}
_BETWEEN: Final = {"and", "or", "unless", "atan2", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "^"}
_BEFORE_LABELS: Final = {"by", "without", "on", "ignoring", "group_left", "group_right"}
_AGGREGATES: Final = set("sum avg min max count group stddev stdvar topk bottomk quantile count_values".split())
_EQUALS: Final = ("=", "!=", "=~", "!~")
_GRAMMAR: Final = ("invalid promql", "no expression", "unexpected")  # how the parser says that words are out of order
_OR_AFTER_VALUE: Final = re.compile(r"""["'`]\s*or\b""")  # cheap: most expressions need no second look
_ENDLESS: Final = re.compile(r"\d{11,}|0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)[eE][+-]?\d+|[iI][nN][fF]")
_QUOTED: Final = re.compile(r"'([^']*)'")


class Token(NamedTuple):
    """A word of PromQL. `kind` is one of string, number, word, op, open, close and bad; `at` counts from 0."""

    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an expression, and at which of its characters (from 0)."""

    code: Code
    message: str
    at: int = 0
    hint: str = ""

    def blame(self, span: Span, text: str, prefix: str = "") -> Diagnostic:
        """Return the finding; `span` is where `text` stands in the input."""
        place = within(span, text, self.at)
        return Diagnostic(code=self.code, span=place, message=prefix + self.message, hint=self.hint)


def within(span: Span, text: str, at: int) -> Span:
    """Return the place of character `at` of `text`, or of its start where the file spells the text differently."""
    if not span.width:
        return span
    before = text[:at]
    lines = before.count("\n")  # only a literal block has lines, and all of them start in the same column
    return Span(span.path, span.line + lines, span.column + at - (before.rfind("\n") + 1))


def tokens(text: str) -> Iterator[Token]:
    """Yield the words of `text`, without space and comments."""
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup or "bad"
        if kind != "space":
            yield Token(kind, match.group(), match.start())


def parse(text: str) -> promql_parser.Expr | Fault:
    """Return the syntax tree of `text`, or why there is none."""
    if fault := _too_big(text) or _endless(text) or _dialect(text):
        return fault
    try:
        return promql_parser.parse(_double_quoted(text) if "`" in text else text)
    except (ValueError, ArithmeticError, RecursionError) as error:
        return locate_fault(text, str(error))


def _too_big(text: str) -> Fault | None:
    if len(text) > MAX_LENGTH:
        return Fault(Code.PROMQL_SYNTAX, f"expression has {len(text)} characters; {MAX_LENGTH} are read")
    if text.count("(") + text.count("-") > MAX_DEPTH:
        depth = 0
        for token in tokens(text):
            depth += (token.kind == "open") - (token.kind == "close")
            if depth > MAX_DEPTH:
                return Fault(Code.PROMQL_SYNTAX, f"more than {MAX_DEPTH} brackets are open", token.at)
    return None


def _endless(text: str) -> Fault | None:
    """Return the duration that is a number beyond all sense: the parser panics on it."""
    if not _ENDLESS.search(text):
        return None
    bracket, after_offset = "", False
    for token in tokens(text):
        bracket = token.text if token.kind == "open" else "" if token.kind == "close" else bracket
        if (bracket == "[" or after_offset) and _ENDLESS.fullmatch(token.text.lstrip(":")):
            return Fault(Code.PROMQL_SYNTAX, f"{token.text} is no duration", token.at, "write it like 5m or 1h30m")
        after_offset = token.text == "offset" or (after_offset and token.text in "+-")
    return None


def _dialect(text: str) -> Fault | None:
    """Return the `or` between matchers that the parser reads and Prometheus refuses."""
    if not _OR_AFTER_VALUE.search(text):
        return None
    inside = False
    for before, token in pairwise(tokens(text)):
        inside = before.text == "{" or (inside and token.text != "}")
        if inside and before.kind == "string" and token.text == "or":
            message = "`or` between matchers is MetricsQL; Prometheus does not know it"
            hint = 'use a regular expression, as lane=~"api|browser"'
            return Fault(Code.PROMQL_DIALECT, message, token.at, hint)
    return None


def _double_quoted(text: str) -> str:
    """Return `text` with raw strings in double quotes: the parser reads escapes in them, Prometheus does not."""

    def quote(token: re.Match[str]) -> str:
        if token.lastgroup != "string" or token.group()[0] != "`":
            return token.group()
        inside = token.group()[1:-1].replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{inside}"'

    return _TOKEN.sub(quote, text)


def locate_fault(text: str, message: str) -> Fault:
    """Return the parser's `message` with the likeliest place: a word it names, an odd bracket or word."""
    words = list(tokens(text))
    named = _QUOTED.search(message)
    if "unknown function" in message and named:
        at = next((t.at for t in words if t.text == named[1]), 0)
        return Fault(Code.PROMQL_SYNTAX, f"unknown function {named[1]!r}", at)
    if message.startswith("illegal regex for "):
        pattern = message.removeprefix("illegal regex for ").strip()
        at = next((t.at for t in words if t.kind == "string" and pattern in t.text), 0)
        return Fault(Code.PROMQL_SYNTAX, f"{pattern!r} is not a regular expression", at)
    if "unknown escape sequence" in message:
        bad = f"\\{named[1]}" if named else "\\"
        at = next((t.at + t.text.find(bad) for t in words if t.kind == "string" and bad in t.text), 0)
        return Fault(Code.PROMQL_SYNTAX, f"unknown escape {bad}", at, "write \\\\ for one backslash")
    fault = _odd_character(words) or _odd_bracket(words)
    if fault is None and any(part in message for part in _GRAMMAR):
        fault = _odd_matcher(words) or _odd_word(text, words)
    return fault or Fault(Code.PROMQL_SYNTAX, message, _failing_call(text, words, message))


def _failing_call(text: str, words: list[Token], message: str) -> int:
    """Return where the shortest call or aggregation stands that fails by itself with the same message."""
    opened: list[int] = []
    for index, token in enumerate(words):  # brackets close from the inside out, so the first to fail is the innermost
        if token.kind == "open":
            opened.append(index)
        elif token.kind == "close" and opened:
            before = words[opened.pop() - 1] if opened[-1] else token
            if token.text == ")" and before.kind == "word" and _says(text[before.at : token.at + 1], message):
                return before.at
    return 0


def _says(text: str, message: str) -> bool:
    try:
        promql_parser.parse(text)
    except ValueError as error:
        return str(error) == message
    return False


def _odd_character(words: list[Token]) -> Fault | None:
    bad = next((t for t in words if t.kind == "bad"), None)
    if bad is None:
        return None
    message = "quote is never closed" if bad.text in "\"'`" else f"unexpected character {bad.text!r}"
    return Fault(Code.PROMQL_SYNTAX, message, bad.at)


def _odd_bracket(words: list[Token]) -> Fault | None:
    unclosed: list[Token] = []
    for token in words:
        if token.kind == "open":
            unclosed.append(token)
        elif token.kind == "close":
            if not unclosed:
                return Fault(Code.PROMQL_SYNTAX, f"{token.text} closes nothing", token.at)
            opened = unclosed.pop()
            if _CLOSES[opened.text] != token.text:
                return Fault(Code.PROMQL_SYNTAX, f"{token.text} cannot close {opened.text}", token.at)
    if unclosed:
        return Fault(Code.PROMQL_SYNTAX, f"{unclosed[-1].text} is never closed", unclosed[-1].at)
    return None


def _odd_matcher(words: list[Token]) -> Fault | None:
    """Return the first word that cannot stand where it does inside {label="value", ...}."""
    inside = False
    for before, token in pairwise(words):
        inside = before.text == "{" or (inside and before.text != "}")
        if not inside or token.text == "}":
            continue
        if before.text in _EQUALS and token.kind != "string":
            return Fault(Code.PROMQL_SYNTAX, f"a quoted value is wanted, not {token.text}", token.at, "quote the value")
        if before.text in ("{", ",") and token.kind not in ("word", "string"):
            return _unexpected(token)
        if before.kind == "word" and token.text not in _EQUALS:
            return Fault(Code.PROMQL_SYNTAX, f"one of = != =~ !~ is wanted, not {token.text}", token.at)
        if before.kind == "string" and token.text not in (",", *_EQUALS):
            return _unexpected(token)
    return None


def _odd_word(text: str, words: list[Token]) -> Fault | None:
    """Return the first operand or operator out of turn."""
    wants_operand = True
    for before, token in _operands(words):
        if token.text in _BETWEEN and not (wants_operand and token.text in "+-"):
            if wants_operand:
                return _unexpected(token)
            wants_operand = True
        elif token.text == "," or token.text == "(":
            if token.text == "," and wants_operand:
                return _unexpected(token)
            wants_operand = True
        elif token.kind in ("word", "number", "string"):
            if not wants_operand and before not in ("offset", "@", "-", *_AGGREGATES):
                return _unexpected(token)
            wants_operand = False
    if not words:
        return Fault(Code.PROMQL_SYNTAX, "expression is empty")
    return Fault(Code.PROMQL_SYNTAX, "expression ends too early", len(text.rstrip())) if wants_operand else None


def _operands(words: list[Token]) -> Iterator[tuple[str, Token]]:
    """Yield operands, operators, brackets and commas, each with the word before it; matchers and modifiers left out."""
    until, before = "", ""
    for token in words:
        if until:
            until = "" if token.text == until else until
        elif token.text in ("{", "["):
            until = _CLOSES[token.text]
        elif token.text == "(" and before in _BEFORE_LABELS:
            until = ")"
        elif token.text not in _BEFORE_LABELS and token.text not in ("bool", "offset"):
            yield before, token
        before = token.text


def _unexpected(token: Token) -> Fault:
    return Fault(Code.PROMQL_SYNTAX, f"unexpected {token.text}", token.at)
