"""Where a Prometheus is and how to identify oneself there. Secrets come from the environment or a file, only."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

PREFIX: Final = "SLOFORGE_PROMETHEUS"
TOKEN: Final = f"{PREFIX}_TOKEN"
USER: Final = f"{PREFIX}_USER"
PASSWORD: Final = f"{PREFIX}_PASSWORD"
FILE: Final = "_FILE"  # behind TOKEN or PASSWORD: the path of a file that holds it
SECRET_BYTES: Final = 65536


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One Prometheus: the address before `/api/v1`, and the value of its Authorization header ('' for none)."""

    url: str
    authorization: str = field(default="", repr=False)


def endpoint(url: str, environment: Mapping[str, str]) -> Endpoint:
    """Return the Prometheus at `url`. Raises ValueError with a sentence, which never repeats a secret."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, known = None, False
    if parts is not None and ("@" in parts.netloc):
        raise ValueError(f"put no password into the address: set {USER} and {PASSWORD}{FILE}, or {TOKEN}{FILE}")
    if parts is None or not known or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is not the address of a Prometheus; write it like http://localhost:9090")
    return Endpoint(url.rstrip("/"), authorization(environment))


def authorization(environment: Mapping[str, str]) -> str:
    """Return the Authorization header that the environment asks for; '' for none. Raises ValueError."""
    token, user = _secret(TOKEN, environment), environment.get(USER, "")
    if token and user:
        raise ValueError(f"{TOKEN} and {USER} are both set; a request has one identity")
    if token:
        return f"Bearer {token}"
    if not user:
        return ""
    pair = f"{user}:{_secret(PASSWORD, environment)}"
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
