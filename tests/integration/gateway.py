"""The real gateway as a child process, with its configuration, log, metrics and function processes."""

import base64
import http.client
import json
import os
import re
import select
import signal
import subprocess
import time
import uuid
from pathlib import Path

from servers import ACCOUNT, REGION, ROOT, command_of, die_with_parent, eventually, pids_with

BINARY = Path(os.environ.get("PENSTOCK") or ROOT / "build" / "dev" / "penstock").resolve()
FUNCTIONS = Path(__file__).resolve().parent / "functions"
MARKER = "PENSTOCK_TEST_MARKER"


class Reply:
    """One HTTP answer; header names are case-insensitive."""

    def __init__(self, answer):
        self.status = answer.status
        self.headers = {name.lower(): value for name, value in answer.getheaders()}
        self.body = answer.read()

    def header(self, name):
        return self.headers.get(name.lower())

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """X-Amz-Function-Error, None for a success."""
        return self.header("X-Amz-Function-Error")

    @property
    def tail(self):
        return base64.b64decode(self.header("X-Amz-Log-Result") or "").decode("utf-8", "replace")

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:300]!r}>"


class Gateway:
    """start() waits for READY; stop() and kill9() wait for the end. Restart: start() again."""

    def __init__(self, folder, config, environment=None, binary=None):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.marker = f"{MARKER}={uuid.uuid4().hex}"
        self.file = self.folder / "penstock.yaml"
        self.log_path = self.folder / "gateway.log"
        self.extra = environment or {}
        self.binary = binary or BINARY
        self.process = None
        self.ready_line = None
        self.ready_seconds = None
        self.address = None
        self.write(config)

    # -- configuration

    def write(self, config):
        """Writes the configuration: a dict (JSON is YAML) or text. A dict is completed: port 0, and
        the marker in each function's environment."""
        if isinstance(config, str):
            self.file.write_text(config)
            return
        config = json.loads(json.dumps(config))
        gateway = config.setdefault("Gateway", {})
        gateway.setdefault("Api", "127.0.0.1:0")
        for function in config.get("Functions", {}).values():
            if "Url" in function or "InvokeEndpoint" in function:
                continue
            variables = function.setdefault("Environment", {}).setdefault("Variables", {})
            name, value = self.marker.split("=")
            variables[name] = value
        self.file.write_text(json.dumps(config, indent=1))

    # -- process

    def environment(self):
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "PENSTOCK"))}
        name, value = self.marker.split("=")
        keep.update({
            name: value, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test-secret",
            "AWS_EC2_METADATA_DISABLED": "true", "HOME": str(self.folder),
        })
        keep.update(self.extra)
        return {k: v for k, v in keep.items() if v is not None}

    def spawn(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.binary, "run", self.file], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=log, env=self.environment(), cwd=self.folder, preexec_fn=die_with_parent,
            )
        return self

    def start(self, seconds=20):
        begun = time.monotonic()
        self.spawn()
        line = self._ready(begun + seconds)
        self.ready_seconds = time.monotonic() - begun
        self.ready_line = line
        fields = dict(part.split("=", 1) for part in line.split()[1:])
        self.address = fields["api"]
        return self

    def _ready(self, deadline):
        data = b""
        pipe = self.process.stdout
        while b"\n" not in data:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([pipe], [], [], left)[0]:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"no READY line in time; log:\n{self.log()[-3000:]}")
            chunk = os.read(pipe.fileno(), 4096)
            if not chunk:
                code = self.process.wait()
                raise AssertionError(
                    f"exit {code} before READY; log:\n{self.log()[-3000:]}")
            data += chunk
        line = data.split(b"\n")[0].decode()
        assert line.startswith("READY "), f"first line of stdout is {line!r}"
        return line

    def running(self):
        return self.process is not None and self.process.poll() is None

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=30):
        """The exit code."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"gateway still runs after {seconds:g} s") from None
        self.process.stdout.close()
        return code

    def stop(self, seconds=30):
        self.signal(signal.SIGTERM)
        return self.wait(seconds)

    def kill9(self):
        self.signal(signal.SIGKILL)
        self.wait(10)

    def reload(self):
        self.signal(signal.SIGHUP)

    def processes(self):
        """What runs with this gateway's marker, the gateway itself left out."""
        own = self.process.pid if self.process else None
        return [pid for pid in pids_with(self.marker) if pid != own]

    def nothing_left(self, seconds=5):
        """Raises when a process of this gateway outlives it."""
        deadline = time.monotonic() + seconds
        while True:
            left = pids_with(self.marker)
            if not left:
                return
            if time.monotonic() > deadline:
                raise AssertionError(
                    "left behind: " + "; ".join(f"{pid} {command_of(pid)}" for pid in left))
            time.sleep(0.05)

    def clean_up(self):
        """For the end of a test, whatever happened: ends it and all it left. Gives what was left."""
        if self.running():
            self.process.kill()
            self.process.wait()
        deadline = time.monotonic() + 5
        left = pids_with(self.marker)
        while left and time.monotonic() < deadline:
            time.sleep(0.05)
            left = pids_with(self.marker)
        told = [f"{pid} {command_of(pid)}" for pid in left]
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        if self.process and self.process.stdout and not self.process.stdout.closed:
            self.process.stdout.close()
        return told

    # -- what it says

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def request(self, method, path, body=None, headers=None, timeout=60):
        host, port = self.address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path):
        return self.request("GET", path)

    def invoke(self, name, payload=None, timeout=60, **options):
        """POST …/invocations. payload: bytes as they are, anything else as JSON. options: log_type,
        invocation_type, client_context, qualifier, headers."""
        headers = {"Content-Type": "application/json"}
        if options.get("log_type"):
            headers["X-Amz-Log-Type"] = options["log_type"]
        if options.get("invocation_type"):
            headers["X-Amz-Invocation-Type"] = options["invocation_type"]
        if options.get("client_context") is not None:
            text = json.dumps(options["client_context"]).encode()
            headers["X-Amz-Client-Context"] = base64.b64encode(text).decode()
        headers.update(options.get("headers") or {})
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        path = f"/2015-03-31/functions/{name}/invocations"
        if options.get("qualifier"):
            path += f"?Qualifier={options['qualifier']}"
        return self.request("POST", path, body, headers, timeout)

    def metrics(self):
        """{(name, ((label, value), …)): number}"""
        found = {}
        for line in self.get("/metrics").body.decode().splitlines():
            if not line or line.startswith("#"):
                continue
            match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?", line)
            assert match, f"not Prometheus text: {line!r}"
            labels = tuple(sorted(
                (name, value.replace('\\"', '"').replace("\\n", "\n").replace("\\\\", "\\"))
                for name, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or "")))
            found[match[1], labels] = float(match[3])
        return found

    def metric(self, name, **labels):
        """The sum over everything with that name and those labels; None when there is nothing."""
        wanted = set(labels.items())
        values = [value for (each, have), value in self.metrics().items()
                  if each == name and wanted <= set(have)]
        return sum(values) if values else None


class Records:
    """What a function wrote down, one JSON line for each message."""

    def __init__(self, path):
        self.path = Path(path)

    def lines(self):
        if not self.path.exists():
            return []
        text = self.path.read_text()
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def count(self):
        return self.path.read_bytes().count(b"\n") if self.path.exists() else 0

    def by_id(self):
        found = {}
        for line in self.lines():
            found.setdefault(line["id"], []).append(line)
        return found

    def clear(self):
        if self.path.exists():
            self.path.unlink()


def arn(queue):
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"


def event_of(queue, **properties):
    """An SQS event of a function: queue handle or name, and Properties."""
    name = queue if isinstance(queue, str) else queue.arn
    if not name.startswith("arn:"):
        name = arn(name)
    return {"Queue": {"Type": "SQS", "Properties": {"Queue": name, **properties}}}


def settled(gateway, queue, seconds=30):
    """Waits until the queue holds nothing, neither waiting nor in flight."""
    eventually(queue.empty, seconds, f"queue {queue.name} empty")
    return gateway
