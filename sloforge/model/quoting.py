"""Label values between quotes: nowhere else are they put there. Apart from the parser, which the gate does not load."""

import json
from functools import lru_cache


@lru_cache(maxsize=65536)
def quote(value: str) -> str:
    """Return `value` as a double-quoted PromQL string; JSON's escapes are a subset of Go's."""
    return json.dumps(value, ensure_ascii=False)
