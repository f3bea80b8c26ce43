"""Ten thousand SLOs, and one SLO with a thousand clients: what compiling them takes, and what the rules would cost."""

import json
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bench import clients, inputs
from bench.measure import OWN, Cost, cheapest

CLIENTS: Final = 1000
ROW: Final = "{:<28}{:>10}{:>10}{:>10}{:>10}{:>9}{:>8}{:>10}{:>10}{:>12}"


@dataclass(frozen=True, slots=True)
class Case:
    """A folder of definitions for both compilers; the peer's is None where it has no such thing."""

    name: str
    own: dict[str, str]
    peer: dict[str, str] | None
    assume: tuple[str, ...] = ()


def run(sloth: Path | None) -> None:
    """Print two rows for each case, ours and the peer's."""
    print("\nscale: time by the clock and of processors, what promtool adds, memory, output, and what the rules cost")
    heads = ("time", "cpu", "promtool", "memory", "output", "groups", "rules", "series", "samples/s")
    print(ROW.format("", *heads))
    for case in _cases():
        with tempfile.TemporaryDirectory() as folder:
            _own(case, Path(folder))
            if sloth and case.peer:
                _peer(case.peer, Path(folder), sloth)


def _cases() -> list[Case]:
    return [
        _services("1 service of 1,000 SLOs", 1, 1000),
        _services("500 services of 20 SLOs", 500, 20),
        Case(
            f"1 SLO with {CLIENTS:,} clients",
            {"agency.yml": clients.text(CLIENTS)},
            None,
            (f"combinations={CLIENTS}", f"series={CLIENTS}"),
        ),
    ]


def _services(name: str, services: int, slos: int) -> Case:
    names = [f"bench-{n:03}" for n in range(services)]
    return Case(
        name,
        {f"{one}.yml": inputs.own(slos).replace("service: bench", f"service: {one}") for one in names},
        {f"{one}.yml": inputs.peer(slos).replace("service: bench", f"service: {one}") for one in names},
    )


def _own(case: Case, folder: Path) -> None:
    source, out = _written(folder / "own", case.own), folder / "own-out"
    argv: list[str | Path] = [OWN, "generate", source, "-o", out]
    alone = cheapest([*argv, "--no-promtool"], 1)
    checked = cheapest(argv, 1) if shutil.which("promtool") else None
    assume = [option for assumed in case.assume for option in ("--assume", assumed)]
    asked: list[str | Path] = [*argv, "--no-promtool", "--check", "--stats", "--format", "json", *assume]
    told: dict[str, Any] = json.loads(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)["total"]
    figures = (f"{told[key]:,}" for key in ("groups", "rules", "series", "samples_per_second"))
    print(ROW.format(case.name, *_paid(alone, checked), _size(out), *figures), flush=True)


def _peer(definitions: dict[str, str], folder: Path, sloth: Path) -> None:
    source, out = _written(folder / "peer", definitions), folder / "peer-out"
    out.mkdir()
    argv: list[str | Path] = [sloth, "generate", "--default-slo-period", "28d", "-i", source, "-o", out]
    cost = cheapest(argv, 1)
    kinds = Counter(kind for path in out.rglob("*.yml") for kind in _kinds(path))
    groups, rules = kinds["name"], kinds["record"] + kinds["alert"]
    print(ROW.format("  Sloth", *_paid(cost, None), _size(out), f"{groups:,}", f"{rules:,}", "", ""), flush=True)


def _kinds(path: Path) -> Iterator[str]:
    """Yield the first word of each line; one by one, as a child's peak memory begins with that of its parent."""
    with path.open(encoding="utf-8") as file:
        yield from (line.lstrip("- ").partition(":")[0] for line in file)


def _written(folder: Path, texts: dict[str, str]) -> Path:
    folder.mkdir()
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def _paid(alone: Cost, checked: Cost | None) -> tuple[str, ...]:
    more_s = f"+{checked.cpu_s - alone.cpu_s:.1f} s" if checked else "-"
    return f"{alone.seconds:.1f} s", f"{alone.cpu_s:.1f} s", more_s, f"{alone.megabytes:,.0f} MB"


def _size(folder: Path) -> str:
    return f"{sum(path.stat().st_size for path in folder.rglob('*') if path.is_file()) / 1e6:,.1f} MB"
