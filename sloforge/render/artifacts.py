"""Files in memory: a path below the output folder, its text, and which lines came from which definition."""

import hashlib
from dataclasses import dataclass
from typing import Final

from sloforge.diagnostics import Route
from sloforge.plan.scenarios import STEP_S, Moment, Story, TestPlan, expression
from sloforge.quantities import MINUTE, format_duration
from sloforge.render.serialize import Data, Lines, Noted, to_yaml_with_lines

HEADER_MARK: Final = "Made by sloforge"  # in the first two lines of every file that we write, but for the manifest

_TEST_HEADER: Final = """\
Made by sloforge: what the alerts of service {service} do, told to `promtool test rules`. Do not edit.
A story for each SLO: quiet traffic with one lone failure, a total outage, recovery; and which alerts fire when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A file of rules as an engine wants it: its path below the output folder, the comment at its top and its data.

    `Noted` items of the data are landmarks.
    """

    path: str
    header: str
    data: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file to write: `path` is relative, with forward slashes; `source` is the definitions file it came from."""

    path: str
    text: str
    source: str = ""
    lines: tuple[Lines, ...] = ()

    @property
    def sha256(self) -> str:
        """Return the hex digest of the text as it is stored."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def origin_of(self, line: int) -> Route:
        """Return the route of the definition that made `line` (from 1); the smallest landmark around it decides."""
        around = [mark for mark in self.lines if mark.first <= line <= mark.last]
        return min(around, key=lambda mark: mark.last - mark.first).origin if around else ()


def rule_artifact(layout: Layout, source: str = "") -> Artifact:
    """Return the file of rules that was laid out for one engine."""
    text, lines = to_yaml_with_lines(layout.data, layout.header)
    return Artifact(path=layout.path, text=text, source=source, lines=lines)


def promtool_tests(plan: TestPlan, source: str = "") -> Artifact:
    """Return the promtool tests of one service's rules."""
    untold = [story.note for story in plan.stories if not story.series]
    data: Data = {
        "rule_files": [plan.rule_file],
        "evaluation_interval": "1m",
        "group_eval_order": list(plan.groups),
        "tests": (Noted(story.note, _test(plan, story), story.origin) for story in plan.stories if story.series),
    }
    header = "\n".join([_TEST_HEADER.format(service=plan.service), *untold])
    text, lines = to_yaml_with_lines(data, header)
    return Artifact(path=plan.path, text=text, source=source, lines=lines)


def _test(plan: TestPlan, story: Story) -> Data:
    return {
        "name": story.slo,
        "interval": format_duration(STEP_S),
        "input_series": [{"series": series, "values": values} for series, values in story.series],
        "promql_expr_test": [_expectation(plan, story, moment) for moment in story.moments],
    }


def _expectation(plan: TestPlan, story: Story, moment: Moment) -> Data:
    minute, alert, fires = moment
    return {
        "expr": expression(plan.service, story.slo, alert),
        "eval_time": format_duration(minute * MINUTE),
        "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
    }
