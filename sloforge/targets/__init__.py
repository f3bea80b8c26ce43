"""One module per engine: how groups are cut and which fields exist there."""

from collections.abc import Mapping
from typing import Final

from sloforge.targets.engine import Engine
from sloforge.targets.mimir import MIMIR
from sloforge.targets.operator import OPERATOR
from sloforge.targets.prometheus import PROMETHEUS
from sloforge.targets.thanos import THANOS
from sloforge.targets.vmalert import VMALERT

# `--target` offers these. An engine is one module, one entry here and a name in cli_definitions.py.
_ENGINES: Final = (PROMETHEUS, OPERATOR, MIMIR, THANOS, VMALERT)
TARGETS: Final[Mapping[str, Engine]] = {engine.name: engine for engine in _ENGINES}
