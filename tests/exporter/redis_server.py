"""A real Redis for tests, on a unix socket in a folder of its own, with what it wrote kept over restarts."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import NEEDS, ROOT


class RedisServer:
    """`folder` has to be short (a socket's path is limited) and lasts longer than the process."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        self.options = options
        self.url = f"unix://{folder}/redis.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip(f"{NEEDS}redis-server")
        libraries = [str(path) for path in (ROOT / ".tools" / "usr" / "lib").glob("*-linux-gnu")]
        path = os.pathsep.join([*libraries, os.environ.get("LD_LIBRARY_PATH", "")]).strip(os.pathsep)
        settings = f"--port 0 --unixsocket {self.folder}/redis.sock --dir {self.folder} --appendonly yes".split()
        self._process = subprocess.Popen(
            [program, *settings, "--appendfsync", "always", *self.options],
            env={**os.environ, "LD_LIBRARY_PATH": path},
            stdout=subprocess.DEVNULL,
        )
        self._wait()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()  # as a crash would: nothing is written at the end
            self._process.wait()
            self._process = None
            (self.folder / "redis.sock").unlink(missing_ok=True)

    def restart(self) -> None:
        self.stop()
        self.start()

    def _wait(self) -> None:
        from redis import Redis
        from redis.exceptions import RedisError

        client = Redis.from_url(self.url)
        for _ in range(200):
            try:
                client.ping()
            except RedisError:
                time.sleep(0.05)
            else:
                client.close()
                return
        raise RuntimeError("redis-server does not answer")
