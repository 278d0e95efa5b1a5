"""Child processes of the tests: started on free ports of the loopback, gone when the tests are."""

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "tools"))

import parts  # noqa: E402

REGION = "us-east-1"
ACCOUNT = "000000000000"
LIBC = ctypes.CDLL(None)
PR_SET_PDEATHSIG = 1


class Late(AssertionError):
    """A condition did not come true in time."""


def eventually(condition, seconds=10.0, what="", every=0.02):
    """The first true value of condition(); raises Late when the deadline passes without one."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Late(f"not within {seconds:g} s: {what or condition.__name__} (last: {value!r})")
        time.sleep(every)


def never(condition, seconds, what=""):
    """Raises when condition() becomes true within the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = condition()
        if value:
            raise AssertionError(f"must not happen: {what or condition.__name__} ({value!r})")
        time.sleep(0.02)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def http_answers(port, path="/"):
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()
        return True
    except OSError:
        return False
    except http.client.HTTPException:
        return False


def pids_with(marker):
    """Processes whose environment holds the text, zombies left out."""
    found = []
    needle = marker.encode()
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        with contextlib.suppress(OSError):
            with open(f"/proc/{entry}/environ", "rb") as handle:
                if needle not in handle.read():
                    continue
            with open(f"/proc/{entry}/stat") as handle:
                if handle.read().rpartition(")")[2].split()[0] != "Z":
                    found.append(int(entry))
    return found


def command_of(pid):
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/cmdline", "rb") as handle:
            return handle.read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    return "?"


class Server:
    """A real server as a direct child; `url` once start() came back."""

    name = "server"
    ready_path = "/"
    seconds_to_start = 60

    def __init__(self, folder):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = None
        self.port = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def command(self):
        raise NotImplementedError

    def environment(self):
        return dict(os.environ)

    def start(self, port=None):
        for _ in range(3):
            self.port = port or free_port()
            with open(self.folder / f"{self.name}.log", "ab") as log:
                self.process = subprocess.Popen(
                    self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=self.folder, env=self.environment(), preexec_fn=die_with_parent,
                )
            if self._came_up():
                return self
        raise RuntimeError(f"{self.name} did not start, see {self.folder}/{self.name}.log")

    def _came_up(self):
        deadline = time.monotonic() + self.seconds_to_start
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                return False
            if http_answers(self.port, self.ready_path):
                return True
            time.sleep(0.05)
        self.stop()
        return False

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None


class ElasticMQ(Server):
    name = "elasticmq"
    heap = "256m"

    def command(self):
        lib = parts.fetch("elasticmq") / "lib"
        conf = self.folder / "elasticmq.conf"
        conf.write_text(
            'include classpath("application.conf")\n'
            f'node-address {{ protocol = http, host = "127.0.0.1", port = {self.port}, '
            'context-path = "" }\n'
            f"rest-sqs {{ enabled = true, bind-port = {self.port}, "
            'bind-hostname = "127.0.0.1", sqs-limits = strict }\n'
            "rest-stats { enabled = false }\n"
            f'aws {{ region = "{REGION}", accountId = "{ACCOUNT}" }}\n'
        )
        return ["java", f"-Xmx{self.heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                f"-Dconfig.file={conf}", "-cp", f"{lib}/*", "org.elasticmq.server.Main"]


class Moto(Server):
    name = "moto"
    ready_path = "/moto-api/"

    def command(self):
        python = parts.fetch("moto") / "venv" / "bin" / "python"
        return [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]


class Ministack(Server):
    name = "ministack"
    ready_path = "/_ministack/health"

    def command(self):
        return [parts.fetch("ministack") / "venv" / "bin" / "ministack"]

    def environment(self):
        return dict(os.environ, GATEWAY_PORT=str(self.port))
