"""What every answer tells the browser: run nothing that is not ours, tell nobody, keep nothing."""

from collections.abc import Sequence
from typing import Final

COMMON: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
LIVE: Final = {"Cache-Control": "no-store"}
ASSET: Final = {"Cache-Control": "public, max-age=31536000, immutable"}  # its address changes with its bytes
SHARED: Final = {"Cross-Origin-Resource-Policy": "cross-origin"}
OWN: Final = {"Cross-Origin-Resource-Policy": "same-origin"}


def policy(embed_in: Sequence[str] = ()) -> dict[str, str]:
    """Return the content security policy; `embed_in` are the origins that may show the page in a frame."""
    ancestors = " ".join(embed_in) or "'none'"
    rules = (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        f"frame-ancestors {ancestors}",
    )
    return {"Content-Security-Policy": "; ".join(rules)}
