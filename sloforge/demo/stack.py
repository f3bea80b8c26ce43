"""The whole stack on free loopback ports, in a folder of its own: exporter, Alertmanager, Prometheus, workers."""

import json
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from sloforge.demo.children import Child, ChildFailed, Children, free_ports
from sloforge.demo.script import UNIVERSE_DATA

SCRAPE_S = 2
KINDS = ("page", "ticket", "freeze", "watchdog")  # whom the generated routes tell, as receivers slo-page and so on
BASE = Path("deploy/alertmanager/base.yml")  # where `generate` looks for one's own Alertmanager configuration
SLOFORGE = (sys.executable, "-m", "sloforge")
DEFINITIONS = "slo_definitions.yml"
LEDGER, LOG = "sqlite://ledger.db", "events.jsonl"
PACKAGES = {  # what is needed: names of the program, and Debian's package
    "prometheus": (("prometheus",), "prometheus"),
    "alertmanager": (("prometheus-alertmanager", "alertmanager"), "prometheus-alertmanager"),
}


class Missing(Exception):  # noqa: N818 - reads as the fact it is
    """A server is not installed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The servers that were found."""

    prometheus: str
    alertmanager: str


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the demo's servers answer, and what its folder is."""

    folder: Path
    prometheus: str
    alertmanager: str
    exporter: str

    @property
    def log(self) -> Path:
        """What truly happened, line by line."""
        return self.folder / LOG


def find_programs() -> Programs:
    """Return the servers on PATH. Raises Missing."""
    found = {name: next(filter(None, map(shutil.which, names)), None) for name, (names, _) in PACKAGES.items()}
    if absent := [name for name, path in found.items() if path is None]:
        packages = " ".join(PACKAGES[name][1] for name in absent)
        raise Missing(
            f"the demo runs {' and '.join(absent)}, which {'are' if len(absent) > 1 else 'is'} not on PATH.\n"
            f"  On Debian or Ubuntu: apt-get install {packages}\n"
            "  Elsewhere: https://prometheus.io/download, and put the programs on PATH."
        )
    return Programs(**{name: str(path) for name, path in found.items()})


def write_inputs(folder: Path, phone_port: int) -> None:
    """Put the demo's definitions, its Alertmanager's receivers and its declared clients into `folder`."""
    definitions = files("sloforge.demo").joinpath(DEFINITIONS).read_text(encoding="utf-8")
    (folder / DEFINITIONS).write_text(definitions, encoding="utf-8")
    (folder / BASE).parent.mkdir(parents=True)
    (folder / BASE).write_text(base_yml(phone_port), encoding="utf-8")
    (folder / "clients.yml").write_text(json.dumps(UNIVERSE_DATA, indent=2), encoding="utf-8")


def start(programs: Programs, folder: Path, phone_port: int, running: Children, say: Callable[[str], None]) -> Stack:
    """Compile the definitions and start everything but the workers. Raises ChildFailed or Stopped."""
    write_inputs(folder, phone_port)
    say(running.finish("generate", [*SLOFORGE, "generate"]).strip())
    if not (folder / "generated" / "manifest.json").exists():
        raise ChildFailed("sloforge generate could not write the rules; it says why above")
    ports = free_ports(["exporter", "alertmanager", "prometheus"])
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    stack = Stack(folder, urls["prometheus"], urls["alertmanager"], urls["exporter"])
    (folder / "prometheus.yml").write_text(prometheus_yml(ports), encoding="utf-8")
    _start_exporter(running, ports["exporter"])
    alertmanager = running.start("Alertmanager", _alertmanager(programs.alertmanager, ports["alertmanager"]))
    prometheus = running.start("Prometheus", _prometheus(programs.prometheus, ports["prometheus"]))
    running.wait_until_ready(alertmanager, f"{stack.alertmanager}/-/ready")
    running.wait_until_ready(prometheus, f"{stack.prometheus}/-/ready")
    return stack


def start_workers(running: Children) -> Child:
    """Let the simulated agency begin its day."""
    return running.start("Workers", [*SLOFORGE, "demo", "workers", "--ledger", LEDGER, "--log", LOG, "--day"])


def _start_exporter(running: Children, port: int) -> None:
    options = ["--listen", f"127.0.0.1:{port}", "--scrape-interval", f"{SCRAPE_S}s"]
    argv = [*SLOFORGE, "exporter", "serve", "--ledger", LEDGER, "--universe", "clients.yml", *options]
    running.wait_until_ready(running.start("Exporter", argv), f"http://127.0.0.1:{port}/healthz")


def _alertmanager(program: str, port: int) -> list[str]:
    listen = [f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="]  # alone: no cluster
    return [program, "--config.file=generated/alertmanager/alertmanager.yml", "--storage.path=alertmanager", *listen]


def _prometheus(program: str, port: int) -> list[str]:
    listen = [f"--web.listen-address=127.0.0.1:{port}", f"--web.external-url=http://127.0.0.1:{port}/"]
    return [program, "--config.file=prometheus.yml", "--storage.tsdb.path=prometheus", *listen]


def prometheus_yml(ports: Mapping[str, int]) -> str:
    """Return a configuration that loads the generated rules and scrapes quickly."""
    return f"""\
global:
  scrape_interval: {SCRAPE_S}s
  scrape_timeout: {SCRAPE_S}s
  evaluation_interval: 1m
rule_files: [generated/prometheus/*.rules.yml]
scrape_configs:
  - job_name: sloforge-exporter
    static_configs: [{{targets: ['127.0.0.1:{ports["exporter"]}']}}]
  - job_name: prometheus
    static_configs: [{{targets: ['127.0.0.1:{ports["prometheus"]}']}}]
alerting:
  alertmanagers:
    - static_configs: [{{targets: ['127.0.0.1:{ports["alertmanager"]}']}}]
"""


def base_yml(phone_port: int) -> str:
    """Return an Alertmanager configuration with the phone as every receiver; `generate` puts the SLO routes into it."""
    receivers = "".join(
        f"  - {{name: slo-{kind}, webhook_configs: [{{url: 'http://127.0.0.1:{phone_port}/{kind}'}}]}}\n"
        for kind in KINDS
    )
    return f"route: {{receiver: slo-ticket}}\nreceivers:\n{receivers}"
