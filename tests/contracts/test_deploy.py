"""What stands in deploy/ is what the programs that read it would take, hardened, and keeps to what the rest says."""

import fcntl
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sloforge.model.routing import Kind, Routing
from sloforge.pipeline import compile_files, compile_text
from sloforge.plan.routes import plan_routes
from sloforge.policy import MEMORY_S, PERIOD_S
from sloforge.quantities import parse_duration
from sloforge.render.alertmanager import standalone
from tests.unit.plan.test_routes import BANK, ROUTING, SHOP

SOURCES = Path(__file__).parent.parent / "deploy"
MANIFESTS = ("alertmanager.yml", "exporter.yml", "page.yml", "prometheus.yml")

UNITS = ("exporter/sloforge-exporter.service", "page/sloforge-page.service")


@pytest.fixture(scope="module")
def deploy(root: Path) -> Path:
    return root / "deploy"


@pytest.fixture(scope="module")
def checker() -> Path:
    """tests/deploy, built if it is missing or older than its sources."""
    path = SOURCES / "bin" / "check"
    newest = max(source.stat().st_mtime for source in SOURCES.iterdir() if source.is_file())
    path.parent.mkdir(exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:  # several workers want it; one builds it, in minutes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists() and path.stat().st_mtime >= newest:
            return path
        go = shutil.which("go")
        if go is None:
            pytest.skip("needs Go to build tests/deploy")
        subprocess.run([go, "build", "-o", path, "."], cwd=SOURCES, check=True, timeout=1800)
    return path


def checked(checker: Path, *arguments: object) -> str:
    """What is wrong with a file; empty if nothing is."""
    done = subprocess.run([checker, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return "" if done.returncode == 0 else done.stderr or "refused"


@pytest.mark.parametrize("name", MANIFESTS)
def test_kubernetes_and_the_operator_read_the_manifests(checker: Path, deploy: Path, name: str, tmp_path: Path) -> None:
    assert not checked(checker, "kubernetes", deploy / "kubernetes" / name)
    spoilt = (deploy / "kubernetes" / name).read_text().replace("    matchLabels:", "    matchLabel:", 1)
    (tmp_path / name).write_text(spoilt)
    assert "matchLabel" in checked(checker, "kubernetes", tmp_path / name)


def test_no_manifest_is_left_out(deploy: Path) -> None:
    assert sorted(path.name for path in (deploy / "kubernetes").iterdir()) == sorted(MANIFESTS)


def test_compose_reads_its_file(checker: Path, deploy: Path, tmp_path: Path) -> None:
    assert not checked(checker, "compose", deploy / "compose.yml")
    (tmp_path / "compose.yml").write_text((deploy / "compose.yml").read_text().replace("read_only:", "readonly:"))
    assert "readonly" in checked(checker, "compose", tmp_path / "compose.yml")


def test_docker_reads_how_the_image_is_built(checker: Path, deploy: Path, tmp_path: Path) -> None:
    assert not checked(checker, "image", deploy / "exporter" / "Dockerfile")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nUSR 1\n")
    assert "USR" in checked(checker, "image", tmp_path / "Dockerfile")


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_reads_the_unit(deploy: Path, unit: str) -> None:
    tool = shutil.which("systemd-analyze")
    if tool is None:
        pytest.skip("no systemd on this system")
    argv = [tool, "verify", str(deploy / unit)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_newest_alertmanager_takes_what_the_oldest_takes(checker: Path, root: Path, tmp_path: Path) -> None:
    """0.34, its matchers read strictly; amtool 0.25 is asked by `generate` itself."""
    base = root / "deploy" / "alertmanager" / "base.yml"
    compiled = compile_files([root / "slo_definitions.yml"], base=base, operator=True)
    assert not compiled.checked.failed, compiled.diagnostics
    for artifact in compiled.artifacts:
        path = tmp_path / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(artifact.text)
    assert not checked(checker, "alertmanager", tmp_path / "alertmanager" / "alertmanager.yml")
    assert not checked(checker, "kubernetes", tmp_path / "alertmanager" / "alertmanagerconfig.yml")


def test_alerts_arrive_alike_in_the_newest_alertmanager(checker: Path, tmp_path: Path) -> None:
    plan = plan_routes([SHOP, BANK], ROUTING)
    config = tmp_path / "alertmanager.yml"
    config.write_text(standalone(plan).text)
    for expected in plan.expectations:
        argv = [str(checker), "route", str(config), json.dumps(dict(expected.labels))]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        assert tuple(done.stdout.split()) == expected.receivers, expected.name


def test_rules_become_objects_that_the_manifest_selects(checker: Path, root: Path, tmp_path: Path) -> None:
    manifest = (root / "deploy" / "kubernetes" / "prometheus.yml").read_text()
    assert "sloforge generate --target operator" in manifest
    (prometheus,) = [one for one in yaml.safe_load_all(manifest) if one["kind"] == "Prometheus"]
    selected = prometheus["spec"]["ruleSelector"]["matchLabels"].items()
    compiled = compile_files([root / "slo_definitions.yml"], "operator")
    objects = [artifact for artifact in compiled.artifacts if artifact.path.startswith("kubernetes/")]
    assert len(objects) == 1 + len(compiled.checked.services[0].slos)
    for artifact in objects:
        (tmp_path / "rule.yml").write_text(artifact.text)
        assert not checked(checker, "kubernetes", tmp_path / "rule.yml"), artifact.path
        assert selected <= yaml.safe_load(artifact.text)["metadata"]["labels"].items()


@pytest.mark.parametrize(("target", "folder"), [("mimir", "mimir"), ("thanos", "thanos"), ("operator", "kubernetes")])
def test_rulers_read_their_rules(checker: Path, root: Path, tmp_path: Path, target: str, folder: str) -> None:
    """By the fields of each, unknown ones refused, and by Prometheus; for Mimir, also as mimirtool sends them."""
    text = (root / "tests" / "golden" / "every-kind" / "slo_definitions.yml").read_text()
    compiled = compile_text(text, "slo_definitions.yml", target)
    rules = [artifact.text for artifact in compiled.artifacts if artifact.path.startswith(f"{folder}/")]
    assert rules
    for rule in rules:
        (tmp_path / "rules.yml").write_text(rule)
        assert not checked(checker, folder, tmp_path / "rules.yml")
        (tmp_path / "rules.yml").write_text(rule.replace("interval: ", "intervall: "))
        assert "intervall" in checked(checker, folder, tmp_path / "rules.yml")
        (tmp_path / "rules.yml").write_text(rule.replace("(slo:", "((slo:"))
        assert "parse" in checked(checker, folder, tmp_path / "rules.yml")


def containers(deploy: Path) -> list[dict[str, Any]]:
    documents = [
        document for name in MANIFESTS for document in yaml.safe_load_all((deploy / "kubernetes" / name).read_text())
    ]
    return [document["spec"]["template"]["spec"] for document in documents if document["kind"] == "Deployment"] + [
        document["spec"] for document in documents if document["kind"] in ("Prometheus", "Alertmanager")
    ]


def test_nothing_runs_as_root_or_may_become_it(deploy: Path) -> None:
    services = yaml.safe_load((deploy / "compose.yml").read_text())["services"]
    assert len(services) == 5
    for service in services.values():
        assert service["user"] == "65534:65534"
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    for pod in containers(deploy):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod.get("containers", []):  # the operator sets the same for its own
            own = container["securityContext"]
            assert (own["readOnlyRootFilesystem"], own["allowPrivilegeEscalation"]) == (True, False)
            assert own["capabilities"] == {"drop": ["ALL"]}
    assert "USER 65534:65534" in (deploy / "exporter" / "Dockerfile").read_text()
    assert all("NoNewPrivileges=true" in (deploy / unit).read_text() for unit in UNITS)


def test_mounts_lead_to_files_that_exist(root: Path, deploy: Path) -> None:
    services = yaml.safe_load((deploy / "compose.yml").read_text())["services"]
    mounted = [volume.split(":")[0] for service in services.values() for volume in service["volumes"]]
    folders = [deploy / path for path in mounted if path.startswith(".") and path != "./secrets"]
    assert len(folders) == 8
    assert all(folder.exists() for folder in folders)
    copied = re.findall(r"^COPY (.+) /source", (deploy / "exporter" / "Dockerfile").read_text(), re.MULTILINE)
    assert all((root / name).exists() for names in copied for name in names.split())


def test_the_page_is_asked_by_name_and_asks_prometheus_only(deploy: Path) -> None:
    """Whoever reaches its port has to know what it is called, and it reaches nothing but Prometheus."""
    page = yaml.safe_load((deploy / "compose.yml").read_text())["services"]["page"]
    documents = {one["kind"]: one["spec"] for one in yaml.safe_load_all((deploy / "kubernetes/page.yml").read_text())}
    [container] = documents["Deployment"]["template"]["spec"]["containers"]
    [rule] = documents["Ingress"]["rules"]
    assert {"--allow-host=127.0.0.1", "--allow-host=localhost"} < set(page["command"])
    assert {f"--allow-host={rule['host']}", f"--base-path={rule['http']['paths'][0]['path']}"} < set(container["args"])
    assert documents["Deployment"]["template"]["spec"]["automountServiceAccountToken"] is False
    reached = [port["port"] for one in documents["NetworkPolicy"]["egress"] for port in one["ports"]]
    assert reached == [9090, 53, 53]


def test_grafana_shows_what_is_generated_and_nobody_edits_it(root: Path, deploy: Path) -> None:
    provisioning = deploy / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    [provider] = yaml.safe_load((provisioning / "dashboards" / "sloforge.yml").read_text())["providers"]
    grafana = yaml.safe_load((deploy / "compose.yml").read_text())["services"]["grafana"]
    assert (source["type"], source["editable"], source["jsonData"]["manageAlerts"]) == ("prometheus", False, False)
    assert not {"basicAuthPassword", "secureJsonData", "password"} & source.keys()
    assert (provider["type"], provider["allowUiUpdates"], provider["disableDeletion"]) == ("file", False, False)
    folders = dict(volume.split(":")[:2][::-1] for volume in grafana["volumes"])
    settings = grafana["environment"]
    for path in (provider["options"]["path"], settings["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]):
        mounted = next(folder for folder in folders if path.startswith(folder))
        assert (deploy / folders[mounted] / path.removeprefix(f"{mounted}/")).exists()
    assert settings["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert settings["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert grafana["profiles"] == ["grafana"]


def test_data_are_kept_as_long_as_rules_look_back(deploy: Path) -> None:
    said = "".join((deploy / name).read_text() for name in ("compose.yml", "prometheus/prometheus.yml"))
    lengths = re.findall(r"retention\.time=(\w+)", said)
    lengths.append(re.findall(r"retention: (\d+d)", (deploy / "kubernetes" / "prometheus.yml").read_text())[0])
    assert len(lengths) == 3
    assert all(parse_duration(length) > max(PERIOD_S, MEMORY_S) for length in lengths)


def test_the_base_has_every_receiver_and_no_secret(deploy: Path) -> None:
    text = (deploy / "alertmanager" / "base.yml").read_text()
    names = {receiver["name"] for receiver in yaml.safe_load(text)["receivers"]}
    assert {Routing().receivers[kind] for kind in Kind} < names
    checked = compile_files([deploy.parent / "slo_definitions.yml"], base=deploy / "alertmanager" / "base.yml").checked
    assert not [finding for finding in checked.diagnostics if finding.span.path.endswith("base.yml")]
