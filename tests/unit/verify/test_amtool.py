"""What amtool says of a configuration is told where the fault is, and an alert that goes astray is noticed."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from sloforge.diagnostics import Code, Diagnostic
from sloforge.model.base_checks import read_base
from sloforge.model.routing import Base, Routing
from sloforge.parse.text import parse_yaml
from sloforge.plan.route_ir import RoutePlan
from sloforge.plan.routes import plan_routes
from sloforge.render.alertmanager import message_templates, standalone, whole
from sloforge.render.artifacts import Artifact
from sloforge.verify.amtool import check, find_amtool, version
from sloforge.verify.process import ToolError
from tests.unit.plan.test_routes import BANK, ROUTING, SHOP

AMTOOL = find_amtool() or "amtool"
needs_amtool = pytest.mark.skipif(find_amtool() is None, reason="needs amtool")

HEAD = "route:\n  receiver: fallback\n"


def base(text: str, *receivers: str) -> Base:
    text += "receivers:\n" + "".join(f"  - name: {name}\n" for name in ("fallback", *receivers))
    read, faults = read_base(parse_yaml(text, "base.yml", plain=True), "base.yml", text)
    assert read, faults
    return read


PLAN = plan_routes([SHOP, BANK], ROUTING)


def told(base: Base, plan: RoutePlan = PLAN) -> list[Diagnostic]:
    return check(AMTOOL, whole(base, plan), message_templates(), plan, base)


@needs_amtool
def test_a_sound_configuration_passes() -> None:
    assert told(base(HEAD, *PLAN.receivers)) == []
    assert check(AMTOOL, standalone(PLAN), message_templates(), PLAN, None) == []
    assert version(AMTOOL).count(".") == 2


@needs_amtool
def test_what_is_wrong_with_the_base_is_told_there() -> None:
    """BASE_REFUSED: it would be refused without us as well."""
    [finding] = told(base(f"{HEAD}  group_bye: [alertname]\n", *PLAN.receivers))
    assert (finding.code, finding.span.path, finding.span.line) == (Code.BASE_REFUSED, "base.yml", 3)
    assert "group_bye" in finding.message
    [finding] = told(base(f"{HEAD}  group_wait: soon\n", *PLAN.receivers))
    assert finding.code is Code.BASE_REFUSED


@needs_amtool
def test_what_is_wrong_with_the_whole_alone_is_told_as_such() -> None:
    [finding] = told(base(HEAD))  # without the receivers that our routes name
    assert finding.code is Code.TOOL_COMPLAINT
    assert "undefined receiver" in finding.message


@needs_amtool
def test_a_broken_template_is_noticed() -> None:
    sound = base(HEAD, *PLAN.receivers)
    broken = [Artifact(path=file.path, text="{{ define }}") for file in message_templates()]
    [finding] = check(AMTOOL, whole(sound, PLAN), broken, PLAN, sound)
    assert finding.code is Code.TOOL_COMPLAINT


@needs_amtool
def test_an_alert_that_goes_astray_is_noticed() -> None:
    """ROUTE_LOST: by what amtool says of a configuration in which our routes stand behind one that takes all."""
    theirs = base(f"{HEAD}  routes:\n    - receiver: fallback\n", *PLAN.receivers)
    cut = replace(PLAN, routes=PLAN.routes[-1:])  # without the family that has words of its own
    findings = check(AMTOOL, whole(theirs, cut), message_templates(), PLAN, theirs)
    assert {finding.code for finding in findings} == {Code.ROUTE_LOST}
    assert any("a page of bank/one arrives at slo-ticket, not at web-phone" in f.message for f in findings)


@needs_amtool
def test_routes_that_let_pass_are_no_detour() -> None:
    assert told(base(f"{HEAD}  routes:\n    - receiver: fallback\n      continue: true\n", *PLAN.receivers)) == []


def test_a_tool_that_cannot_run_is_a_finding(tmp_path: Path) -> None:
    plan = plan_routes([SHOP], Routing())
    [finding] = check(str(tmp_path / "none"), standalone(plan), (), plan, None)
    assert finding.code is Code.TOOL_FAILED
    with pytest.raises(ToolError):
        version(str(tmp_path / "none"))


def test_a_tool_that_only_fails_is_believed(tmp_path: Path) -> None:
    """One that ends with a code and says nothing, or warns that a later version will read a matcher in another way."""
    plan = plan_routes([SHOP], Routing())
    tool = tmp_path / "amtool"
    tool.write_text(f"#!{sys.executable}\nimport sys\nsys.exit(3)\n")
    tool.chmod(0o755)
    [finding] = check(str(tool), standalone(plan), (), plan, None)
    assert finding.message == "amtool: it ended with code 3"
    tool.write_text(f"#!{sys.executable}\nimport sys\nprint('level=warn msg=matchers', file=sys.stderr)\n")
    [finding] = check(str(tool), standalone(plan), (), plan, None)
    assert finding.code is Code.TOOL_COMPLAINT
    assert "msg=matchers" in finding.message
