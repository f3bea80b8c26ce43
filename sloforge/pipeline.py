"""Names the stages in order and decides nothing.

Check (find, read, parse, expand, bind, check: `checking.py`), plan, render, verify, store.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sloforge.checking import Checked, check_definitions, check_files, too_new
from sloforge.diagnostics import Code, Diagnostic, Span
from sloforge.model.objects import Service
from sloforge.model.routing import Base
from sloforge.parse.runbooks import shipped
from sloforge.plan.bill import SAMPLES_OF_A_CORE, Bill, bill_of, too_dear
from sloforge.plan.cost import Assumptions
from sloforge.plan.dashboards import plan_dashboards
from sloforge.plan.ir import RuleFile
from sloforge.plan.route_ir import RoutePlan
from sloforge.plan.routes import plan_routes
from sloforge.plan.rules import plan_rules
from sloforge.plan.runbooks import plan_runbooks
from sloforge.plan.scenarios import plan_tests
from sloforge.quantities import format_number
from sloforge.render import alertmanager, grafana
from sloforge.render.alertmanager_config import operator_config
from sloforge.render.artifacts import Artifact, promtool_tests, rule_artifact
from sloforge.render.dashboard_words import reworded
from sloforge.render.manifest import manifest_of
from sloforge.render.runbooks import runbooks
from sloforge.store import Differences, StoreError, compare, write
from sloforge.targets import TARGETS
from sloforge.targets.engine import Engine
from sloforge.targets.limits import beyond, too_many_groups
from sloforge.targets.prometheus import PROMETHEUS
from sloforge.targets.vmalert import VMALERT
from sloforge.verify import amtool, promql, promtool, vmalert
from sloforge.verify.routes import check_routes
from sloforge.vocabulary import ALERTMANAGER_FILE, ROUTES_FILE, TEMPLATES_FOLDER
from sloforge.wording import Phrases


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """What definitions compile to, in memory. Without artifacts if any finding is an error."""

    checked: Checked
    engine: Engine = PROMETHEUS
    plans: tuple[RuleFile, ...] = ()  # cut for the engine
    routes: RoutePlan | None = None
    artifacts: tuple[Artifact, ...] = ()

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every complaint so far."""
        return self.checked.diagnostics


def compile_files(
    paths: Sequence[Path],
    target: str = "prometheus",
    previous: Mapping[str, str] | None = None,
    policy: Path | None = None,
    base: Path | None = None,
    *,
    operator: bool = False,
    sloth: bool = False,
) -> Compiled:
    """Compile the definitions that `paths` name, under the policy in force, for `target` and an Alertmanager `base`.

    With `operator`, there is an AlertmanagerConfig for the Prometheus operator as well; with `sloth`, Sloth's names.
    """
    return compile_checked(check_files(paths, previous, policy, base=base), target, operator=operator, sloth=sloth)


def compile_text(text: str, path: str, target: str = "prometheus") -> Compiled:
    """Compile one definitions file that is at hand as text; `path` is what findings call it."""
    return compile_checked(check_definitions({path: text}, {}), target)


def compile_checked(
    checked: Checked, target: str = "prometheus", *, operator: bool = False, sloth: bool = False
) -> Compiled:
    """Plan and render what was checked; nothing if there are errors."""
    engine = TARGETS[target]
    plans = tuple(map(engine.cut, plan_checked(checked, sloth=sloth)))
    if not plans:
        return Compiled(checked=checked, engine=engine)
    services = _in_order(checked.services)
    rules: list[Artifact] = []
    for plan, service in zip(plans, services, strict=True):
        files = _rule_files(engine, plan, service.path)
        spans = checked.spans[service.path]
        complaints = chain(engine.refuse(plan), beyond(engine.limits, plan, files))
        checked = checked.and_(complaint.at(spans, ()) for complaint in complaints)
        rules += files
    spans = checked.spans[services[0].path]
    checked = checked.and_(complaint.at(spans, ()) for complaint in too_many_groups(engine.limits, plans))
    if checked.failed:
        return Compiled(checked=checked, engine=engine, plans=plans)
    tests = [promtool_tests(plan_tests(service), service.path) for service in services] if engine.plain else []
    digests = {service.name: service.digest for service in services}
    routes = plan_routes(services, checked.governance.routing)
    phrases = checked.governance.words
    planned = plan_dashboards(services, checked.governance)
    dashboards = [grafana.dashboard(reworded(plan, phrases)) for plan in planned]
    alerting = _alertmanager(routes, checked.base, phrases, operator=operator)
    templates = checked.runbooks or shipped(phrases)
    books = runbooks(plan_runbooks(services, plans), checked.governance.enforcement, templates, phrases)
    artifacts = (*rules, *tests, *dashboards, grafana.lint_exclusions(), *books, *alerting)
    manifest = manifest_of(artifacts, digests, _objectives(services))
    artifacts = (*artifacts, manifest)
    return Compiled(checked=checked, engine=engine, plans=plans, routes=routes, artifacts=artifacts)


def _rule_files(engine: Engine, plan: RuleFile, source: str) -> list[Artifact]:
    return [rule_artifact(layout, source) for layout in engine.lay_out(plan)]


def _alertmanager(routes: RoutePlan, base: Base | None, phrases: Phrases, *, operator: bool) -> list[Artifact]:
    return [
        *([alertmanager.whole(base, routes)] if base else []),
        *([operator_config(routes)] if operator else []),
        alertmanager.fragment(routes),
        *alertmanager.message_templates(phrases),
        alertmanager.expectations(routes),
    ]


def plan_checked(checked: Checked, *, sloth: bool = False) -> tuple[RuleFile, ...]:
    """Return the rules of each service, by name; none if there are errors."""
    if checked.failed:
        return ()
    return tuple(plan_rules(service, checked.governance, sloth=sloth) for service in _in_order(checked.services))


def judge(plans: Sequence[RuleFile], checked: Checked, version: str) -> list[Diagnostic]:
    """Return what the built-in parser finds wrong with the rules for Prometheus `version` and newer."""
    spans = [checked.spans[service.path] for service in _in_order(checked.services)]
    written = too_new(checked, version)
    return written or promql.check_rules(list(zip(plans, spans, strict=False)), promql.parse_version(version))


def verify(compiled: Compiled, tool: str | None, *, tests: bool = False) -> list[Diagnostic]:
    """Return what promtool says of the files, and of their tests if asked, before anything is stored.

    What vmalert is to run, vmalert is asked about as well, if it is there.
    """
    if tool is None or not compiled.artifacts:
        return _verify_by_vmalert(compiled)
    files = compiled.artifacts
    if not compiled.engine.plain:
        services = _in_order(compiled.checked.services)
        pairs = zip(compiled.plans, services, strict=True)
        files = tuple(file for plan, service in pairs for file in _rule_files(PROMETHEUS, plan, service.path))
    complaints = promtool.check_rules(tool, files, compiled.checked.spans)
    if tests and not complaints:
        complaints += promtool.run_tests(tool, compiled.artifacts, compiled.checked.spans)
    return complaints or _verify_by_vmalert(compiled)


def _verify_by_vmalert(compiled: Compiled) -> list[Diagnostic]:
    own = vmalert.find_vmalert() if compiled.engine is VMALERT else None
    return vmalert.check_rules(own, compiled.artifacts, compiled.checked.spans) if own else []


def verify_routes(compiled: Compiled, tool: str | None) -> list[Diagnostic]:
    """Return which alerts would not arrive, and what amtool says of the configuration, if there is an amtool."""
    routes, base = compiled.routes, compiled.checked.base
    if routes is None:
        return []
    complaints = check_routes(routes, base.path if base else ROUTES_FILE)
    if tool is None or complaints:
        return complaints
    files = {artifact.path: artifact for artifact in compiled.artifacts}
    config = files.get(ALERTMANAGER_FILE) or alertmanager.standalone(routes)
    templates = [artifact for path, artifact in files.items() if path.startswith(TEMPLATES_FOLDER)]
    return amtool.check(tool, config, templates, routes, base)


def find_tool(*, needed: bool) -> tuple[str | None, list[Diagnostic]]:
    """Return promtool's path, and a finding if it is `needed` and absent."""
    tool = promtool.find_promtool()
    if tool is not None or not needed:
        return tool, []
    message = "the generated tests are run by promtool, which was not found"
    return None, [Diagnostic(code=Code.TOOL_MISSING, span=Span("promtool"), message=message)]


def find_amtool() -> str | None:
    """Return amtool's path, if it is installed."""
    return amtool.find_amtool()


def verifier(compiled: Compiled, tool: str | None, alerts: str | None) -> str:
    """Return who verifies, in words: promtool and amtool, where they are, and vmalert for its own."""
    rules = f"promtool {promtool.version(tool)}" if tool else "the built-in PromQL parser, without promtool,"
    routes = f"amtool {amtool.version(alerts)}" if alerts else "the built-in judge of routes, without amtool"
    own = "vmalert, " if compiled.engine is VMALERT and vmalert.find_vmalert() else ""
    return f"{own}{rules} and {routes}"


def hints(compiled: Compiled) -> list[str]:
    """Return what users of the engine have to know about this run, a line each."""
    return compiled.engine.hints(compiled.plans) if compiled.plans else []


def bill(compiled: Compiled, assume: Assumptions) -> Bill | None:
    """Return what the rules cost Prometheus; None if there are errors, and no rules."""
    services = _in_order(compiled.checked.services)
    return bill_of(compiled.plans, services, assume) if compiled.plans else None


def judge_cost(of: Bill, compiled: Compiled, limit: int | None = None) -> list[Diagnostic]:
    """Return a finding if the rules read more than `limit` samples a second, or than a core of a Prometheus does."""
    return too_dear(of, limit or SAMPLES_OF_A_CORE, compiled.checked.spans)


def store(compiled: Compiled, folder: Path) -> tuple[Differences, list[Diagnostic]]:
    """Write the files; return what changed, and a finding if that could not be done."""
    try:
        return write(folder, compiled.artifacts), []
    except StoreError as error:
        return Differences(), [Diagnostic(code=error.code, span=Span(str(folder)), message=str(error))]


def drift(compiled: Compiled, folder: Path) -> list[Diagnostic]:
    """Return a finding for each file that differs from what the definitions ask for."""
    try:
        differences = compare(folder, compiled.artifacts)
    except StoreError as error:
        return [Diagnostic(code=error.code, span=Span(str(folder)), message=str(error))]
    words = {
        "is missing": differences.missing,
        "differs from what the definitions ask for": differences.drifted,
        "is no longer asked for by any definition": differences.orphaned,
    }
    return [
        Diagnostic(code=Code.OUTPUT_DRIFT, span=Span(str(folder / path)), message=f"{path} {word}")
        for word, paths in words.items()
        for path in paths
    ]


def _in_order(services: Iterable[Service]) -> list[Service]:
    return sorted(services, key=lambda service: service.name)


def _objectives(services: Iterable[Service]) -> dict[str, str]:
    return {
        f"{service.name}/{slo.id}": format_number(slo.objective * 100)
        for service in services
        for slo in service.slos
        if slo.objective is not None
    }
