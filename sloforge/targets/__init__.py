"""One module per engine: how groups are cut and which fields exist there."""

from collections.abc import Mapping
from typing import Final

from sloforge.targets.engine import Engine
from sloforge.targets.prometheus import PROMETHEUS

# `--target` offers these. An engine is one module and one entry here.
TARGETS: Final[Mapping[str, Engine]] = {engine.name: engine for engine in (PROMETHEUS,)}
