"""One module per engine: how groups are cut and which fields exist there."""

from collections.abc import Callable, Mapping
from typing import Final

from sloforge.plan.ir import RuleFile
from sloforge.render.artifacts import Layout
from sloforge.targets import prometheus

TARGETS: Final[Mapping[str, Callable[[RuleFile], Layout]]] = {"prometheus": prometheus.lay_out}
