"""Run every benchmark, or those that are named: `python -m bench compile samples start`."""

import sys

from bench import (
    clients,
    compiling,
    exporter,
    figures,
    gate,
    load,
    looking_back,
    page,
    paging,
    peer,
    porting,
    report,
    samples,
    scale,
    start,
    victoria,
)

BENCHMARKS = {
    "start": start.run,
    "gate": gate.run,
    "compile": compiling.run,
    "samples": samples.run,
    "import": porting.run,
    "figures": figures.run,
    "history": looking_back.run,
    "page": page.run,
    "report": report.run,
    "scale": scale.run,
    "load": load.run,
    "paging": paging.run,
    "clients": clients.run,
    "exporter": exporter.run,
    "victoria": victoria.run,
}


def main(names: list[str]) -> int:
    if unknown := set(names) - set(BENCHMARKS):
        print(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    sloth = peer.sloth()
    print(f"peer: {sloth or 'no Sloth here (put sloth on PATH, or Go to build it)'}")
    for name in names or BENCHMARKS:
        BENCHMARKS[name](sloth)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
