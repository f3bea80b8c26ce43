"""How long a report takes that looks back over four weeks, recorded minute by minute in a real Prometheus."""

import shutil
import tempfile
from pathlib import Path
from typing import Final

from bench.measure import OWN, cheapest
from tests.live import weeks

SLOS: Final = (8, 40)  # the policy's own number, and five times as many
RUNS: Final = 3
LIMIT_S: Final = 10
UNTIL: Final = "2025-11-03"


def run(_: Path | None) -> None:
    """Print what a whole process takes for each cadence."""
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        print("\nreport: needs prometheus and promtool on PATH")
        return
    print(f"\nreport: HTML of a day, a week, four weeks; best of {RUNS} (four weeks in at most {LIMIT_S} s)")
    for number in SLOS:
        with tempfile.TemporaryDirectory() as folder, weeks.remembering(Path(folder), weeks.many(number)) as server:
            page = Path(folder) / "report.html"
            for cadence in ("daily", "weekly", "monthly"):
                argv: list[str | Path] = [
                    OWN,
                    "report",
                    "--cadence",
                    cadence,
                    "--until",
                    UNTIL,
                    "--prometheus",
                    server.url,
                    "-o",
                    page,
                ]
                cost = cheapest(argv, RUNS)
                size = page.stat().st_size / 1000
                took = f"{cost.seconds:5.2f} s, of them ours {cost.cpu_s:.2f} s"
                print(f"  {number:3} SLOs, {cadence:8} {took}; {size:.0f} kB")
