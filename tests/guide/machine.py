"""Starts the program, reads the line it prints when ready, and stops it again."""

import json
import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = Path(os.environ.get("WARMFRONT", Path(__file__).resolve().parents[2] / "target/release/warmfront"))
READY_SECS_MAX = 20
STOP_SECS_MAX = 20


class NotReady(Exception):
    """The program ended, or printed nothing, instead of becoming ready."""


@dataclass
class Machine:
    """One `warmfront serve` with its own data folder, on ports it picked itself."""

    data: Path
    options: list = field(default_factory=list)
    process: subprocess.Popen = None
    ready: dict = None
    environment: dict = None
    ready_secs: float = None

    def start(self):
        self.data.mkdir(parents=True, exist_ok=True)
        log = open(self.log_path, "ab")
        began = time.monotonic()
        self.process = subprocess.Popen(
            [PROGRAM, "serve", "--data", self.data]
            + [word for name in ("control", "edge", "edge-https", "bucket") for word in (f"--{name}", "127.0.0.1:0")]
            + self.options,
            stdout=subprocess.PIPE,
            stderr=log,
            env=clean_environment(self.data),
        )
        log.close()
        self.ready = json.loads(self._first_line())
        self.ready_secs = time.monotonic() - began
        self.environment = self._read_environment()
        return self

    @property
    def log_path(self):
        return self.data.parent / f"{self.data.name}.log"

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _first_line(self):
        readable, _, _ = select.select([self.process.stdout], [], [], READY_SECS_MAX)
        line = self.process.stdout.readline() if readable else b""
        if not line:
            self.kill()
            raise NotReady(f"no ready line within {READY_SECS_MAX} s; stderr:\n{self.log()}")
        return line

    def _read_environment(self):
        """What a shell has after `eval "$(warmfront env --data DIR)"`, beginning with settings that would mislead."""
        misleading = dict(
            clean_environment(self.data),
            AWS_PROFILE="somebody-else",
            AWS_SESSION_TOKEN="left-over",
            AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true",
        )
        script = 'set -eu; lines="$("$1" env --data "$2")"; eval "$lines"; env -0'
        shell = subprocess.run(
            ["bash", "-c", script, "bash", PROGRAM, self.data], env=misleading, capture_output=True, check=True
        )
        pairs = (pair.split("=", 1) for pair in shell.stdout.decode().split("\0") if "=" in pair)
        return {name: value for name, value in pairs if name not in ("_", "SHLVL", "PWD")}

    def warmfront(self, *arguments, check=True):
        """Runs a subcommand of the program and gives the finished process."""
        return subprocess.run(
            [PROGRAM, *arguments], env=self.environment, capture_output=True, text=True, check=check, timeout=120
        )

    def advance(self, duration):
        """Moves a manual clock forward, for instance by "60s"."""
        return self.warmfront("clock", "advance", duration, "--data", str(self.data))

    def kill(self):
        """kill -9: nothing is flushed, nobody is told."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_SECS_MAX)

    def stop(self):
        """SIGTERM, then the exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(STOP_SECS_MAX)

    def port(self, listener):
        return int(self.ready[listener].rsplit(":", 1)[1])


def clean_environment(data):
    """No configuration of whoever runs the tests may reach the program or a client."""
    home = data.parent / "home"
    home.mkdir(exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "AWS_PAGER": "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "TZ": "UTC",
    }
