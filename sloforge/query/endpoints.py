"""Where a server is and how to identify oneself there. Secrets come from the environment or a file, only."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

# What the variables of a kind of server begin with; behind it stands _TOKEN, _USER or _PASSWORD.
PROMETHEUS: Final = "SLOFORGE_PROMETHEUS"
ALERTMANAGER: Final = "SLOFORGE_ALERTMANAGER"
FILE: Final = "_FILE"  # behind a token's or a password's variable: the path of a file that holds it
SECRET_BYTES: Final = 65536
_SERVERS: Final = {
    PROMETHEUS: "a Prometheus; write it like http://localhost:9090",
    ALERTMANAGER: "an Alertmanager; write it like http://localhost:9093",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server: the address before `/api`, and the value of its Authorization header ('' for none).

    `prefix` is what the variables begin with that say who asks.
    """

    url: str
    authorization: str = field(default="", repr=False)
    prefix: str = PROMETHEUS


def endpoint(url: str, environment: Mapping[str, str], prefix: str = PROMETHEUS) -> Endpoint:
    """Return the server at `url`. Raises ValueError with a sentence, which never repeats a secret."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, known = None, False
    if parts is not None and ("@" in parts.netloc):
        user, password, token = f"{prefix}_USER", f"{prefix}_PASSWORD{FILE}", f"{prefix}_TOKEN{FILE}"
        raise ValueError(f"put no password into the address: set {user} and {password}, or {token}")
    if parts is None or not known or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is not the address of {_SERVERS[prefix]}")
    return Endpoint(url.rstrip("/"), authorization(environment, prefix), prefix)


def authorization(environment: Mapping[str, str], prefix: str = PROMETHEUS) -> str:
    """Return the Authorization header that the environment asks for; '' for none. Raises ValueError."""
    token, user = _secret(f"{prefix}_TOKEN", environment), environment.get(f"{prefix}_USER", "")
    if token and user:
        raise ValueError(f"{prefix}_TOKEN and {prefix}_USER are both set; a request has one identity")
    if token:
        return f"Bearer {token}"
    if not user:
        return ""
    pair = f"{user}:{_secret(f'{prefix}_PASSWORD', environment)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _secret(name: str, environment: Mapping[str, str]) -> str:
    """Return the secret in variable `name`, or in the file that `name`_FILE names."""
    secret, path = environment.get(name, ""), environment.get(name + FILE, "")
    if secret and path:
        raise ValueError(f"{name} and {name}{FILE} are both set; give one")
    if path:
        try:
            with Path(path).open("rb") as file:
                secret = file.read(SECRET_BYTES).decode().strip()
        except (OSError, ValueError) as error:
            raise ValueError(f"{name}{FILE}: {path} cannot be read as text") from error
        if not secret:
            raise ValueError(f"{name}{FILE}: {path} is empty")
    if not (secret.isascii() and secret.isprintable()):
        raise ValueError(f"{name} holds characters that no HTTP header can carry")
    return secret
