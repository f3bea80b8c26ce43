"""The status page as deploy/page runs it: by the unit's own command, behind a real nginx with its configuration."""

import getpass
import re
import shlex
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.live.servers import free_port, running, wait_for
from tests.unit.query.liar import lying, says_state

NAME = "admin.example.com"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
AROUND = """\
daemon off;
user %(user)s;
worker_processes 1;
pid %(folder)s/nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path %(folder)s/body;
  proxy_temp_path %(folder)s/proxy;
  fastcgi_temp_path %(folder)s/fastcgi;
  uwsgi_temp_path %(folder)s/uwsgi;
  scgi_temp_path %(folder)s/scgi;
  include %(folder)s/site.conf;
}
"""


def swapped(text: str, *pairs: tuple[str, str]) -> str:
    """Return `text` with each first of a pair, which has to be there, as its second."""
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    return text


@pytest.fixture(scope="module")
def proxied(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Somebody who asks nginx for the name of the site, knowing its password."""
    if NGINX is None or not shutil.which("openssl"):
        pytest.skip("needs nginx and openssl")
    folder = tmp_path_factory.mktemp("nginx")
    own, port = free_port(), free_port()
    argv = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={NAME}"]
    subprocess.run(
        [*argv, "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True, timeout=60
    )
    (folder / "slo.htpasswd").write_text("ada:{PLAIN}secret\n")
    site = swapped(
        (root / "deploy" / "page" / "nginx.conf").read_text(),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("  listen [::]:443 ssl;\n", ""),
        ("/etc/nginx/tls/fullchain.pem", str(folder / "cert.pem")),
        ("/etc/nginx/tls/privkey.pem", str(folder / "key.pem")),
        ("/etc/nginx/slo.htpasswd", str(folder / "slo.htpasswd")),
        ("127.0.0.1:9470", f"127.0.0.1:{own}"),
    )
    (folder / "site.conf").write_text(site)
    (folder / "nginx.conf").write_text(AROUND % {"folder": folder, "user": getpass.getuser()})
    unit = (root / "deploy" / "page" / "sloforge-page.service").read_text()
    command = re.findall(r"^ExecStart=/usr/bin/env (sloforge serve .+)$", unit, re.MULTILINE)[0]
    with lying(says_state(0)) as prometheus:
        command = swapped(command, ("http://127.0.0.1:9090", prometheus), ("127.0.0.1:9470", f"127.0.0.1:{own}"))
        serve = [str(Path(sys.executable).with_name("sloforge")), *shlex.split(command)[1:]]
        nginx = [NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")]
        trust = ssl.create_default_context(cafile=folder / "cert.pem")
        trust.check_hostname = False  # it is reached by its address
        client = httpx.Client(
            base_url=f"https://127.0.0.1:{port}", verify=trust, headers={"Host": NAME}, auth=("ada", "secret")
        )
        with running(serve, cwd=folder), running(nginx, stderr=subprocess.DEVNULL), client:
            wait_for("nginx serves the page", lambda: _answers(client), 60)
            yield client


def _answers(client: httpx.Client) -> bool | None:
    try:
        return client.get("/slo/healthz").is_success or None
    except httpx.HTTPError:
        return None


def test_every_link_leads_through_the_proxy(proxied: httpx.Client) -> None:
    page = proxied.get("/slo/services/shop")
    assert "GREEN" in page.text
    links = set(re.findall(r'(?:href|src)="(/[^"]*)"', page.text))
    assert len(links) > 4
    for link in links:
        assert link.startswith("/slo/")
        assert proxied.get(link).status_code == 200, link
    assert proxied.get("/slo").headers["location"].endswith("/slo/")


def test_nobody_else_reads_or_writes(proxied: httpx.Client) -> None:
    assert proxied.get("/slo/", auth=("ada", "guessed")).status_code == 401
    assert proxied.post("/slo/").status_code == 403
    assert proxied.get("/").status_code == 404
    stranger = proxied.get("/slo/", headers={"Host": "rebound.example.net"})
    assert (stranger.status_code, stranger.text) == (400, "Invalid host header")
