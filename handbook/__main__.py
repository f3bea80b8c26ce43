"""Draw every figure of the explanations anew, or those that are named: `python -m handbook detection windows`."""

import sys

from handbook.figures import FIGURES
from handbook.linked import ROOT


def main(names: list[str]) -> int:
    """Write the pictures into docs/images, and say where."""
    if unknown := set(names) - set(FIGURES):
        print(f"no figure {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}", file=sys.stderr)
        return 2
    for name in names or FIGURES:
        path = ROOT / "docs" / "images" / f"{name}.svg"
        path.write_text(FIGURES[name](), encoding="utf-8")
        print(path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
