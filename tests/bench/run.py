#!/usr/bin/env python3
"""Measures the gateway beside what it cannot exceed and beside another emulator, in alternating rounds.

    run.py [--rounds N] [--json FILE] [NAME...]     names: see BENCHES at the end; none: all

Each figure is a median with its spread, and says which process ran on which core. Figures neither
pass nor fail: the goals stand beside them. Binary: build/dev/penstock or $PENSTOCK.
"""

import contextlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

from gateway import BINARY, FUNCTIONS, Gateway, event_of  # noqa: E402
from servers import ROOT, ElasticMQ, eventually, parts  # noqa: E402
from sqs_client import Sqs  # noqa: E402

OUT = ROOT / "build" / "bench"
# program: libraries; backend: the gateway's own parts, from beside the binary
PROGRAMS = {"load": [], "handler": [], "http_stub": [], "sqs_loop": [], "sqs_load": [],
            "curl_ceiling": ["-lcurl"],
            "filter_bench": [BINARY.parent / "libpenstock.a", "-lcjson", "-lcrypto", "-luuid"],
            "spool_bench": [BINARY.parent / "libpenstock.a", "-luv", "-lsqlite3"],
            "backend": [BINARY.parent / "libpenstock.a", "-luv", "-lcurl", "-lcjson", "-lcrypto",
                        "-luuid"]}
CORES = sorted(os.sched_getaffinity(0))
FIRST, LAST = CORES[0], CORES[-1]
WARM_UPS = 8


def build():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, libraries in PROGRAMS.items():
        sources = [HERE / f"{name}.c", HERE / "bench.c"]
        target = OUT / name
        needed = [*sources, HERE / "bench.h", *(path for path in libraries if isinstance(path, Path))]
        newest = max(path.stat().st_mtime for path in needed)
        if not target.exists() or target.stat().st_mtime < newest:
            subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", f"-I{ROOT / 'gateway'}", "-o",
                            target, *sources, *libraries, "-lpthread", "-lm"], check=True)
    bootstrap = OUT / "c-function"
    bootstrap.mkdir(exist_ok=True)
    shutil.copy2(OUT / "handler", bootstrap / "bootstrap")


def pinned(core, argv):
    return list(map(str, argv)) if core is None else ["taskset", "-c", str(core), *map(str, argv)]


def said(argv, core=None, **options):
    """The last line of its output, as JSON."""
    done = subprocess.run(pinned(core, argv), capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{argv[0]}: {done.stderr.strip()}")
    return json.loads(done.stdout.splitlines()[-1])


def cpu_seconds(pid):
    """Of all its threads, to the nanosecond: clock ticks would count whom they happen to meet."""
    total = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


def at_share(values, share):
    """Nearest rank: of 200 values, the 198th is the 99th percentile."""
    return sorted(values)[max(0, math.ceil(len(values) * share) - 1)]


class FullElasticMQ(ElasticMQ):
    """As one would run it: all of the compiler, the machine's usual collector. The tests' settings
    start faster and serve at half the rate."""

    heap = "512m"

    def command(self):
        return [word for word in super().command()
                if word not in ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")]


class PinnedGateway(Gateway):
    """With its functions on one core, or anywhere."""

    def __init__(self, folder, config, core=None):
        super().__init__(folder, config)
        self.core = core

    def spawn(self):
        super().spawn()
        if self.core is not None:
            os.sched_setaffinity(self.process.pid, {self.core})
        return self


class Bench:
    def __init__(self, rounds):
        self.rounds = rounds
        self.rows = []
        self.folder = Path(tempfile.mkdtemp(prefix="penstock-bench-"))
        self.n = 0
        self.ends = contextlib.ExitStack()
        self._elasticmq = None

    def row(self, name, values, unit, placement, goal=""):
        values = [value for value in values if value is not None]
        median = statistics.median(values)
        self.rows.append({"name": name, "median": median, "min": min(values), "max": max(values),
                          "unit": unit, "placement": placement, "goal": goal, "n": len(values)})
        print(f"{name:52} {figure(median):>9} {unit:7} "
              f"[{figure(min(values))}–{figure(max(values))}] {placement}"
              + (f"  goal {goal}" if goal else ""), flush=True)
        return median

    def note(self, text):
        print(f"  {text}", flush=True)

    def elasticmq(self):
        if self._elasticmq is None:
            parts.fetch("elasticmq")
            folder = self.folder / "elasticmq"
            folder.mkdir()
            self._elasticmq = FullElasticMQ(folder).start()
            self.ends.callback(self._elasticmq.stop)
            rates = []
            for turn in range(WARM_UPS):
                queue = Sqs(self._elasticmq.url).create(f"warm-up-{turn}")
                self.fill(queue, 20000)
                rates.append(said([OUT / "sqs_loop", self.address(), queue.url, 20000, 4])["rate"])
                queue.destroy()
            self.note("warming ElasticMQ: " + ", ".join(figure(rate) for rate in rates) + " msg/s")
        return self._elasticmq

    def address(self):
        return f"127.0.0.1:{self.elasticmq().port}"

    def queue(self):
        self.n += 1
        return Sqs(self.elasticmq().url).create(f"bench-{self.n}", VisibilityTimeout=60)

    def fill(self, queue, n, size=256):
        said([OUT / "sqs_loop", queue.url.split("/")[2], queue.url, n, 4, "send", size])

    @contextlib.contextmanager
    def gateway(self, functions, core=None, sqs=True, start=True, queues=()):
        config = {"Functions": functions, "Gateway": {"LogLevel": "info"}}
        if queues:
            config["Queues"] = {name: {"VisibilityTimeout": 60} for name in queues}
        if sqs:
            config["Services"] = {"sqs": self.elasticmq().url}
        self.n += 1
        gateway = PinnedGateway(self.folder / f"gateway{self.n}", config, core)
        try:
            yield gateway.start() if start else gateway
        finally:
            if gateway.running():
                gateway.stop()
            gateway.clean_up()

    def stub(self, kind, *more, core=None):
        process = subprocess.Popen(pinned(core, [OUT / "http_stub", kind, *more]),
                                   stdout=subprocess.PIPE, text=True)
        process.port = int(process.stdout.readline())
        return process

    def load(self, gateway, function, connections, seconds=3, core=None, header=None):
        """What the load generator says, and the gateway's CPU µs for each request."""
        before = cpu_seconds(gateway.process.pid)
        got = said([OUT / "load", gateway.address,
                    f"/2015-03-31/functions/{function}/invocations", connections, seconds,
                    "-", *([header] if header else [])], core)
        used = cpu_seconds(gateway.process.pid) - before
        # The warm-up's requests are not counted by the generator, its CPU is: a fifth of the time.
        got["gateway_us"] = used * 0.8 / max(got["ok"], 1) * 1e6
        return got


def figure(value):
    if value >= 1000:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def c_function(**members):
    return {"Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 10,
            "CodeUri": str(OUT / "c-function"), **members}


# -- SQS


def drained(bench, queue, functions, n, core=None):
    """(messages/s, CPU µs of the gateway per message) for emptying a full queue."""
    with bench.gateway(functions, core, start=False) as gateway:
        begun = time.monotonic()
        gateway.start()
        pid = gateway.process.pid

        def done():
            total = gateway.metric("penstock_records_done_total")
            return total is not None and total >= n

        eventually(done, 120, "queue drained", every=0.02)
        took = time.monotonic() - begun
        return n / took, cpu_seconds(pid) / n * 1e6


def bench_sqs(bench):
    """Against the bare receive-delete loop on the same warm server, 4 connections."""
    n = 20000
    bare, bare_cpu, ours, ours_cpu = [], [], [], []

    def the_loop(queue):
        got = said([OUT / "sqs_loop", bench.address(), queue.url, n, 4])
        bare.append(got["rate"])
        bare_cpu.append(got["cpu_us"])

    def the_gateway(queue):
        rate, cpu = drained(bench, queue, {"f": c_function(
            Events=event_of(queue, BatchSize=10), ReservedConcurrentExecutions=4)}, n)
        ours.append(rate)
        ours_cpu.append(cpu)

    bench.elasticmq()
    for turn in range(bench.rounds):
        # The server is faster each time: whoever is second must not always be the same.
        for run in (the_loop, the_gateway) if turn % 2 == 0 else (the_gateway, the_loop):
            queue = bench.queue()
            bench.fill(queue, n)
            run(queue)
            queue.destroy()
    where = "not pinned"
    base = bench.row("SQS bare receive-delete loop in C", bare, "msg/s", where)
    bench.row("SQS bare loop, CPU per message", bare_cpu, "µs", where)
    rate = bench.row("SQS → C function, BatchSize 10", ours, "msg/s", where, "≥ 90 % of the loop")
    bench.row("SQS → C function, gateway CPU per message", ours_cpu, "µs", where)
    bench.note(f"share of the bare loop: {rate / base:.2f}")


WORKER = """
import os, time
out = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
def handler(event, context):
    now = time.time()
    os.write(out, "".join("%.6f %s\\n" % (now, r["body"][:20]) for r in event["Records"]).encode())
"""


def lines_of(path):
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


def middle_rate(path):
    """Messages per second between the first and the last tenth of the run."""
    times = sorted(float(line[0]) for line in lines_of(path))
    low, high = len(times) // 10, len(times) * 9 // 10
    return (high - low) / max(times[high] - times[low], 1e-6)


def count_lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def python_function(bench, record, **members):
    code = bench.folder / "code"
    code.mkdir(exist_ok=True)
    (code / "app.py").write_text(WORKER)
    return {"Runtime": "python3.12", "Handler": "app.handler", "CodeUri": str(code), "Timeout": 10,
            "Environment": {"Variables": {"RECORD": str(record)}}, **members}


def send_apart(queue, n, apart):
    due = time.monotonic()
    for _ in range(n):
        due += apart
        time.sleep(max(0, due - time.monotonic()))
        queue.send(f"{time.time():.6f}")


def delays(lines):
    """p50 and p99 in ms, of lines with a time of arrival and a time of sending."""
    found = [(float(line[0]) - float(line[1])) * 1000 for line in lines]
    return at_share(found, 0.5), at_share(found, 0.99)


def delays_of(queue, record, n, apart):
    """From just before the send to the handler, of n single messages."""
    for _ in range(10):
        queue.send(f"{time.time():.6f}")
    eventually(lambda: count_lines(record) >= 10, 20, "warm-up messages")
    before = count_lines(record)
    send_apart(queue, n, apart)
    eventually(lambda: count_lines(record) >= before + n, 20, "all messages")
    return delays(lines_of(record)[before:])


def delays_of_bare_poll(bench, n, apart):
    """The same for one long poll in C that does nothing with its messages: the server's own part."""
    queue = bench.queue()
    watcher = subprocess.Popen([OUT / "sqs_loop", bench.address(), queue.url, str(n + 10), "1",
                                "watch"], stdout=subprocess.PIPE, text=True)
    try:
        send_apart(queue, n + 10, apart)
        lines = watcher.communicate(timeout=30)[0].splitlines()
    finally:
        watcher.kill()
    queue.destroy()
    return delays([line.split() for line in lines[10:10 + n]])


def bench_sqs_python(bench):
    """SQS → Python function, BatchSize 10, beside MiniStack."""
    from ministack import mapped
    n, other_n = 20000, 3000
    ours, cpu, theirs, own, own_cpu = [], [], [], [], []
    bench.elasticmq()
    for turn in range(bench.rounds):
        record = bench.folder / f"ours-{turn}"
        queue = bench.queue()
        bench.fill(queue, n)
        _, used = drained(bench, queue, {"f": python_function(
            bench, record, Events=event_of(queue, BatchSize=10), ReservedConcurrentExecutions=4)}, n)
        queue.destroy()
        ours.append(middle_rate(record))
        cpu.append(used)
        record = bench.folder / f"own-{turn}"
        own_cpu.append(drained_inside(bench, record, n))
        own.append(middle_rate(record))
        with mapped(bench.folder / f"ministack-{turn}", WORKER, other_n) as (_, other_record):
            eventually(lambda: count_lines(other_record) >= other_n, 120, "MiniStack drained")
            theirs.append(middle_rate(other_record))
    where = "not pinned"
    base = bench.row("MiniStack SQS → Python, BatchSize 10", theirs, "msg/s", where)
    rate = bench.row("SQS → Python, BatchSize 10", ours, "msg/s", where, "≥ 10× MiniStack")
    bench.row("SQS → Python, gateway CPU per message", cpu, "µs", where)
    bench.note(f"times MiniStack: {rate / base:.1f}")
    rate = bench.row("own queue → Python, BatchSize 10", own, "msg/s", where, "≥ 10× MiniStack")
    bench.row("own queue → Python, gateway CPU per message", own_cpu, "µs", where)
    bench.note(f"times MiniStack: {rate / base:.1f}")


def drained_inside(bench, record, n):
    """A queue of the gateway itself is filled, then another run of it has the function: CPU µs of
    the gateway per message."""
    with bench.gateway({}, sqs=False) as gateway:
        queue = Sqs(f"http://{gateway.address}").create("bench", VisibilityTimeout=60)
        said([OUT / "sqs_loop", gateway.address, queue.url, n, 4, "send", 256])
        gateway.stop()
        gateway.write({"Gateway": {"LogLevel": "info"}, "Functions": {"f": python_function(
            bench, record, Events=event_of(queue, BatchSize=10), ReservedConcurrentExecutions=4)}})
        gateway.start()
        eventually(lambda: (gateway.metric("penstock_records_done_total") or 0) >= n, 120,
                   "queue drained", every=0.02)
        return cpu_seconds(gateway.process.pid) / n * 1e6


def bench_single(bench):
    """Single messages: from just before the send to the handler."""
    from ministack import mapped
    n = 200
    found = {}
    bench.elasticmq()
    for turn in range(bench.rounds):
        for apart in (37, 100):
            found.setdefault((apart, "a bare long poll"), []).append(
                delays_of_bare_poll(bench, n, apart / 1000))
            record = bench.folder / f"ours-{turn}-{apart}"
            queue = bench.queue()
            with bench.gateway({"f": python_function(bench, record, Events=event_of(queue))}):
                found.setdefault((apart, "ours"), []).append(
                    delays_of(queue, record, n, apart / 1000))
            queue.destroy()
            with mapped(bench.folder / f"mini-{turn}-{apart}", WORKER, 1) as (queue, record):
                found.setdefault((apart, "MiniStack"), []).append(
                    delays_of(queue, record, n, apart / 1000))
    for (apart, who), values in found.items():
        for i, name in enumerate(("p50", "p99")):
            bench.row(f"single messages {apart} ms apart, {who}, {name}",
                      [value[i] for value in values], "ms", "not pinned",
                      "≤ 5 ms" if (who, name) == ("ours", "p99") else "")


# -- Runtime API


def ceiling(bench, command, core, stub_core, seconds=3, environment=None, cwd=None):
    """Events per second of one runtime client against a server that answers at once."""
    stub = bench.stub("runtime", seconds, core=stub_core)
    environment = dict(os.environ, AWS_LAMBDA_RUNTIME_API=f"127.0.0.1:{stub.port}",
                       AWS_LAMBDA_FUNCTION_NAME="f", AWS_LAMBDA_FUNCTION_MEMORY_SIZE="128",
                       AWS_LAMBDA_FUNCTION_VERSION="$LATEST", **(environment or {}))
    client = subprocess.Popen(pinned(core, command), env=environment, cwd=cwd,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return json.loads(stub.communicate(timeout=seconds * 3 + 10)[0].splitlines()[-1])["rate"]
    finally:
        for process in (client, stub):
            process.kill()
            process.wait()


PLACEMENTS = {  # gateway with functions, load generator
    "all on one core": (FIRST, FIRST),
    "gateway + function on one core, load on the other": (FIRST, LAST),
    "not pinned": (None, None),
}


def bench_invoke(bench):
    """POST …/invocations with a C handler."""
    found = {}
    for _ in range(bench.rounds):
        found.setdefault(("ceiling", "", 0), []).append(
            {"rate": ceiling(bench, [OUT / "handler"], FIRST, FIRST)})
        for place, (core, load_core) in PLACEMENTS.items():
            with bench.gateway({"f": c_function()}, core, sqs=False) as gateway:
                for connections in (1, 4, 16):
                    found.setdefault(("gateway", place, connections), []).append(
                        bench.load(gateway, "f", connections, core=load_core))
    bench.row("C handler's ceiling against a bare stub",
              [got["rate"] for got in found.pop(("ceiling", "", 0))], "inv/s", "both on one core")
    for (_, place, connections), rounds in found.items():
        name = f"invocations, C handler, {connections} connections"
        bench.row(name, [got["rate"] for got in rounds], "inv/s", place, "≥ 15,000/s")
        bench.row(name + ", p50", [got["p50_us"] for got in rounds], "µs", place)
        bench.row(name + ", p99", [got["p99_us"] for got in rounds], "µs", place)
        bench.row(name + ", gateway CPU", [got["gateway_us"] for got in rounds], "µs/inv", place)
        refused = sum(got["other"] for got in rounds)
        if refused:
            bench.note(f"{refused} answers were not 2xx")


def real_clients():
    """(name, command, folder, function): the Python and Node clients, where they can be had."""
    found = []
    with contextlib.suppress(parts.Unavailable):
        python = parts.fetch("python") / "venv" / "bin" / "python"
        code = FUNCTIONS / "python"
        command = [str(python), "-m", "awslambdaric", "app.returns_event"]
        found.append(("awslambdaric (Python)", command, code, {
            "Command": command, "Handler": "app.returns_event", "CodeUri": str(code)}))
    with contextlib.suppress(parts.Unavailable):
        program = parts.fetch("node3") / "aws-lambda-ric" / "bin" / "index.mjs"
        code = FUNCTIONS / "node"
        command = ["node", str(program), "app.echo"]
        found.append(("aws-lambda-ric 3 (Node)", command, code, {
            "Command": command, "Handler": "app.echo", "CodeUri": str(code)}))
    return found


CLIENT_PLACEMENTS = {  # client, the rest: gateway and load generator, or the stub
    "all on one core": (FIRST, FIRST),
    "client on one core, the rest on the other": (FIRST, LAST),
    "not pinned": (None, None),
}


def bench_clients(bench):
    """The real clients through the gateway, as a share of their own ceiling in that placement."""
    for name, command, folder, function in real_clients():
        top, through = {}, {}
        for _ in range(bench.rounds):
            for place, (core, rest) in CLIENT_PLACEMENTS.items():
                top.setdefault(place, []).append(ceiling(bench, command, core, rest, cwd=folder))
                for connections in (1, 4):
                    through.setdefault((place, connections), []).append(
                        one_client(bench, function, connections, core, rest))
        tell_share(bench, name, through, top)
    for name, function in (("own Python bootstrap", {
            "Runtime": "python3.12", "Handler": "app.returns_event",
            "CodeUri": str(FUNCTIONS / "python")}), ("own Node bootstrap", {
                "Runtime": "nodejs20.x", "Handler": "app.echo", "CodeUri": str(FUNCTIONS / "node")})):
        through = {}
        for _ in range(bench.rounds):
            for place, (core, rest) in CLIENT_PLACEMENTS.items():
                through.setdefault((place, 1), []).append(one_client(bench, function, 1, core, rest))
        tell_share(bench, name, through, None)


def one_client(bench, function, connections, core, rest):
    with bench.gateway({"f": {"Timeout": 10, **function}}, rest, sqs=False) as gateway:
        # A short run starts the processes; then they move to their core.
        bench.load(gateway, "f", connections, 0.5, rest)
        if core is not None:
            for pid in gateway.processes():
                os.sched_setaffinity(pid, {core})
        return bench.load(gateway, "f", connections, core=rest)


def tell_share(bench, name, through, top):
    for (place, connections), rounds in through.items():
        if top and connections == 1:
            bench.row(f"{name}: its ceiling", top[place], "inv/s", place)
        rate = bench.row(f"{name}: through the gateway, {connections} conn.",
                         [got["rate"] for got in rounds], "inv/s", place,
                         "≥ 0.8 of the ceiling" if top else "")
        if top:
            bench.note(f"share of the ceiling: {rate / statistics.median(top[place]):.2f}")


# -- backends over HTTP


def bench_backends(bench):
    """The Invoke and HTTP backends by themselves against plain libcurl with the same requests."""
    found = {}
    stub = bench.stub("plain", core=LAST)
    try:
        url = f"http://127.0.0.1:{stub.port}"
        for turn in range(bench.rounds):
            for kind in ("url", "lambda"):
                programs = ("curl_ceiling", "backend")
                for program in programs if turn % 2 == 0 else reversed(programs):
                    found.setdefault((kind, program), []).append(
                        said([OUT / program, kind, url, 32, 3], FIRST))
            functions = {"url": {"Url": url, "Timeout": 10}}
            with bench.gateway(functions, FIRST, sqs=False) as gateway:
                found.setdefault(("url", "through"), []).append(
                    bench.load(gateway, "url", 32, core=LAST))
    finally:
        stub.kill()
        stub.wait()
    where = "client side on one core, server (and load) on the other; 32 at once"
    for kind, name in (("url", "HTTP backend"), ("lambda", "Invoke backend, signed")):
        medians = {}
        for program, who in (("curl_ceiling", "plain libcurl"), ("backend", "ours")):
            got = found[kind, program]
            medians[program, "rate"] = bench.row(
                f"{name}: {who}", [one["rate"] for one in got], "req/s", where)
            medians[program, "cpu"] = bench.row(
                f"{name}: {who}, CPU", [one["cpu_us"] for one in got], "µs/req", where)
        bench.note(f"share of plain libcurl: "
                   f"{medians['backend', 'rate'] / medians['curl_ceiling', 'rate']:.2f} by rate, "
                   f"{medians['curl_ceiling', 'cpu'] / medians['backend', 'cpu']:.2f} by CPU, "
                   "goal ≥ 0.8")
    through = found["url", "through"]
    bench.row("HTTP backend with the front door", [one["rate"] for one in through], "req/s", where)
    bench.row("HTTP backend with the front door, CPU", [one["gateway_us"] for one in through],
              "µs/req", where)


# -- footprint


def resident_mb(pid):
    with open(f"/proc/{pid}/status") as handle:
        return next(int(line.split()[1]) for line in handle if line.startswith("VmRSS")) / 1024


def bench_footprint(bench):
    """Idle memory, time to READY, size."""
    starts, memory = [], []
    for _ in range(max(11, bench.rounds)):
        with bench.gateway({"f": c_function()}, sqs=False) as gateway:
            starts.append(gateway.ready_seconds * 1000)
            memory.append(resident_mb(gateway.process.pid))
    bench.row("start to READY", starts, "ms", "not pinned", "≤ 20 ms")
    bench.row("idle RSS", memory, "MB", "", "≤ 8 MB")
    stripped = bench.folder / "stripped"
    subprocess.run(["strip", "-o", stripped, BINARY], check=True)
    bench.row("stripped binary", [stripped.stat().st_size / 1e6], "MB", "", "≤ 2 MB")


# -- embedded queues


def url_of(gateway, name):
    return f"http://{gateway.address}/000000000000/{name}"


def sqs_load(url, mode, clients, seconds):
    return said([OUT / "sqs_load", url.split("/")[2], url, mode, clients, seconds])


def taken(url, seconds=3):
    """Receive(10) + delete(10) on 4 connections of more messages than there is time for."""
    sqs_load(url, "batch", 8, seconds * 0.9)
    return sqs_load(url, "take", 4, seconds)


QUEUE_LOADS = (  # name, mode, clients, of messages a second
    ("single sends, 1 client", "send", 1, ""),
    ("single sends, 32 clients", "send", 32, "≥ 20,000/s"),
    ("batches of 10, 1 client", "batch", 1, ""),
    ("batches of 10, 32 clients", "batch", 32, "≥ 60,000/s"),
)


def queue_round(bench, add):
    with bench.gateway({}, sqs=False, queues=("a", "b", "c")) as gateway:
        for name, mode, clients, _ in QUEUE_LOADS:
            add(name, sqs_load(url_of(gateway, "a"), mode, clients, 3))
        add("receive(10) + delete(10), 4 connections", taken(url_of(gateway, "b")))
        add("send to a waiting long poll", sqs_load(url_of(gateway, "c"), "poll", 1, 3))


def store_round(bench, add):
    """The bare group-commit loop, by rows in a group."""
    done = subprocess.run([OUT / "spool_bench", bench.folder, "0.5", "0"], capture_output=True,
                          text=True, check=True)
    for line in map(json.loads, done.stdout.splitlines()):
        if line["name"].startswith("bare"):
            add(f"{line['name']}, groups of {line['in_flight']}", {"rate": line["rows_per_s"]})


def bench_queues(bench):
    """The SQS service inside, beside a warm ElasticMQ (in memory) and bare SQLite group commits."""
    found = {}

    def add(name, got):
        found.setdefault(name, []).append(got)

    bench.elasticmq()
    for turn in range(bench.rounds):
        store_round(bench, add)

        def theirs():
            queue = bench.queue()
            add("ElasticMQ receive(10) + delete(10), 4 connections", taken(queue.url))
            queue.destroy()

        for run in (lambda: queue_round(bench, add), theirs)[::1 if turn % 2 == 0 else -1]:
            run()
    tell_queues(bench, found)


def tell_queues(bench, found):
    where = "not pinned"
    goals = {name: goal for name, _, _, goal in QUEUE_LOADS}
    goals["receive(10) + delete(10), 4 connections"] = "≥ 40,000/s, ≥ 3× ElasticMQ"
    rates = {}
    for name, rounds in found.items():
        if name != "send to a waiting long poll":
            rates[name] = bench.row(f"queues: {name}", [got["rate"] for got in rounds], "msg/s",
                                    where, goals.get(name, ""))
        for share in ("p50", "p99"):
            if f"{share}_us" in rounds[0]:
                bench.row(f"queues: {name}, {share}",
                          [got[f"{share}_us"] / 1000 for got in rounds], "ms", where,
                          "≤ 2 ms" if (name, share) == ("send to a waiting long poll", "p50") else "")
    ours = "receive(10) + delete(10), 4 connections"
    bench.note(f"times ElasticMQ: {rates[ours] / rates['ElasticMQ ' + ours]:.2f}")


def bench_backlog(bench):
    """1,000,000 waiting messages of 256 bytes: memory, restart to READY, receives."""
    n, before, after, memory, restarts = 1000000, [], [], [], []
    with bench.gateway({}, sqs=False, queues=("few", "many")) as gateway:
        few, many = url_of(gateway, "few"), url_of(gateway, "many")
        for _ in range(bench.rounds):
            before.append(taken(few))
        begun = time.monotonic()
        said([OUT / "sqs_loop", gateway.address, many, n, 8, "send", 256])
        bench.note(f"{n:,} messages sent in {time.monotonic() - begun:.0f} s, "
                   f"RSS {resident_mb(gateway.process.pid):.1f} MB")
        for _ in range(bench.rounds):
            gateway.stop()
            gateway.start()
            restarts.append(gateway.ready_seconds)
            memory.append(resident_mb(gateway.process.pid))
            after.append(taken(url_of(gateway, "many")))
            memory.append(resident_mb(gateway.process.pid))
    bench.row("RSS with 1,000,000 messages", memory, "MB", "", "≤ 50 MB")
    bench.row("restart to READY", restarts, "s", "not pinned", "≤ 2 s")
    for name, rounds in (("without", before), ("with", after)):
        bench.row(f"receive + delete {name} the backlog", [got["rate"] for got in rounds], "msg/s",
                  "not pinned")
        for share in ("p50", "p99"):
            bench.row(f"receive {name} the backlog, {share}",
                      [got[f"{share}_us"] / 1000 for got in rounds], "ms", "not pinned",
                      "≤ 2× without" if (name, share) == ("with", "p99") else "")


FILTER_GOALS = {"small, 1 pattern": "≤ 1.5", "large, 1 pattern": "≤ 1"}


def bench_filter(bench):
    """Event patterns against events of 1 KB and 250 KB, beside a bare parse of them by cJSON."""
    found = {}
    for _ in range(bench.rounds):
        done = subprocess.run([OUT / "filter_bench", "0.3"], capture_output=True, text=True,
                              check=True)
        for line in done.stdout.splitlines():
            got = json.loads(line)
            plural = "s" if got["patterns"] > 1 else ""
            name = f"{got['name']}, {got['patterns']:,} pattern{plural}"
            found.setdefault(name, []).append(got)
    times = {}
    for name, rounds in found.items():
        times[name] = bench.row(f"filter: {name}", [got["ns"] / 1000 for got in rounds], "µs",
                                "not pinned")
        bench.row(f"filter: {name}, times cJSON's parse", [got["ratio"] for got in rounds], "",
                  "not pinned", FILTER_GOALS.get(name, ""))
        bench.note(f"{statistics.median(got['mb_per_s'] for got in rounds):,.0f} MB/s, "
                   f"{statistics.median(got['events_per_s'] for got in rounds):,.0f} events/s, "
                   f"{rounds[0]['matches']:.2f} matches an event")
    for size in ("small", "large"):
        share = times[f"{size}, 1,000 patterns"] / times[f"{size}, 1 pattern"]
        bench.note(f"{size}: 1,000 patterns take {share:.2f} times what 1 takes (goal ≤ 20)")


BENCHES = {"footprint": bench_footprint, "sqs": bench_sqs, "sqs-python": bench_sqs_python,
           "single": bench_single, "invoke": bench_invoke, "clients": bench_clients,
           "backends": bench_backends, "queues": bench_queues, "backlog": bench_backlog,
           "filter": bench_filter}


def main(argv):
    rounds, names, out = 5, [], None
    words = iter(argv)
    for word in words:
        if word == "--rounds":
            rounds = int(next(words))
        elif word == "--json":
            out = Path(next(words))
        elif word in BENCHES:
            names.append(word)
        else:
            print(__doc__.strip() + "\n    " + ", ".join(BENCHES), file=sys.stderr)
            return 2
    if not BINARY.exists():
        print(f"{BINARY} is not built", file=sys.stderr)
        return 2
    build()
    bench = Bench(rounds)
    print(f"{len(CORES)} cores, {rounds} alternating rounds, load {os.getloadavg()[0]:.2f}", flush=True)
    try:
        for name in names or BENCHES:
            print(f"\n{name}: {BENCHES[name].__doc__.splitlines()[0]}", flush=True)
            try:
                BENCHES[name](bench)
            except parts.Unavailable as error:
                print(f"  SKIP: {error}")
    finally:
        bench.ends.close()
        shutil.rmtree(bench.folder, ignore_errors=True)
    if out:
        out.write_text(json.dumps(bench.rows, indent=1, ensure_ascii=False) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
