"""The runner of the integration tests: fixtures, time limits, one line for each test, a summary.

A test is a function test_NAME(t) of a file test_*.py beside this one; t is a Test below. It passes
when it returns, fails when it raises, and is skipped by t.skip(reason) or by a missing part.
"""

import contextlib
import fnmatch
import importlib
import itertools
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from servers import ElasticMQ, Moto, parts  # noqa: E402
from embedded import EmbeddedQueues  # noqa: E402
from fake_sqs import FakeSqs  # noqa: E402
from gateway import BINARY, FUNCTIONS, Gateway, Records, event_of  # noqa: E402
from scripted_http import HttpServer  # noqa: E402
from sqs_client import Sqs  # noqa: E402

DEFAULT_LIMIT_S = 90


class Skip(Exception):
    pass


class TooLong(AssertionError):
    pass


def limit(seconds):
    """How long a test may take at most."""
    def mark(function):
        function.limit_s = seconds
        return function
    return mark


def embedded(function):
    """The same test with queues that live in the gateway itself."""
    def on_embedded_queues(t):
        t.on_embedded = True
        function(t)

    vars(on_embedded_queues).update(vars(function))
    return on_embedded_queues


def big(function):
    """Too long for every run: only with --big, or when its whole name is given."""
    function.big = True
    return function


class Shared:
    """Servers that all tests of a run use, started when first asked for."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.running = {}

    def get(self, kind):
        server = self.running.get(kind)
        if server is None or server.process.poll() is not None:
            server = kind(self.folder / kind.name).start()
            self.running[kind] = server
        return server

    def stop(self):
        for server in self.running.values():
            server.stop()


QUEUE_NUMBERS = itertools.count(1)  # tests of two files may have the same name


class Test:
    """What a test gets: a folder of its own, servers, gateways; all of it ends with the test."""

    def __init__(self, name, folder, shared):
        self.name = name
        self.folder = Path(folder)
        self.shared = shared
        self.gateways = []
        self.ends = contextlib.ExitStack()
        self.queues = 0
        self.on_embedded = False
        self.inside = None

    def skip(self, reason):
        raise Skip(reason)

    def part(self, name):
        """The folder of a part of tests/tools/parts.py; skips when it cannot be had."""
        try:
            return parts.fetch(name)
        except parts.Unavailable as error:
            raise Skip(str(error)) from None

    def _server(self, kind):
        self.part(kind.name)
        return self.shared.get(kind)

    def elasticmq(self):
        return self._server(ElasticMQ)

    def server(self):
        """The queue server that this run of the test is about."""
        if not self.on_embedded:
            return self.elasticmq()
        if self.inside is None:
            self.inside = EmbeddedQueues(self.folder / "queues")
            self.gateways.append(self.inside.alone)
        return self.inside.running()

    def moto(self):
        return self._server(Moto)

    def own(self, kind):
        """A server of this test alone."""
        self.part(kind.name)
        self.queues += 1
        server = kind(self.folder / f"{kind.name}-{self.queues}").start()
        self.ends.callback(server.stop)
        return server

    def sqs(self, server=None):
        return Sqs((server or self.server()).url)

    def queue(self, suffix="queue", server=None, dead_after=None, **attributes):
        """A fresh queue; with dead_after, (queue, dead letter queue)."""
        sqs = self.sqs(server)
        self.queues += 1
        fifo = ".fifo" if suffix.endswith(".fifo") else ""
        stem = f"{self.name[5:55]}-{next(QUEUE_NUMBERS)}-{os.getpid()}"
        name = f"{stem}-{suffix.removesuffix('.fifo')}{fifo}"
        if dead_after is None:
            return sqs.create(name, **attributes)
        dead = sqs.create(f"{stem}-dead{fifo}")
        return sqs.create(name, dead=(dead, dead_after), **attributes), dead

    def gateway(self, config, start=True, **options):
        takes_over = self.inside is not None and self.inside.is_meant(config)
        if takes_over:
            config = self.inside.move_into(config)
        gateway = Gateway(self.folder / f"gateway{len(self.gateways)}", config, **options)
        if takes_over:
            self.inside.serving = gateway
        self.gateways.append(gateway)
        return gateway.start() if start else gateway

    def records(self, name="records.jsonl"):
        return Records(self.folder / name)

    def worker(self, queue, records=None, variables=None, event=None, **members):
        """A function that handles messages of a queue as their bodies say: python/worker.py."""
        records = records or self.records()
        function = {
            "Runtime": "python3.11", "Handler": "worker.handler",
            "CodeUri": str(FUNCTIONS / "python"), "Timeout": 10,
            "Environment": {"Variables": {"RECORD": str(records.path), **(variables or {})}},
            **members,
        }
        if queue is not None:
            function["Events"] = event_of(queue, **(event or {}))
        return function

    def raw(self, do, records=None, event=None, queue=None, **members):
        """A function that misbehaves as told: raw/raw.py. do: None lets each event say it."""
        records = records or self.records()
        variables = {"RECORD": str(records.path), **members.pop("variables", {})}
        if do:
            variables["DO"] = do
        function = {
            "Command": [sys.executable, "raw.py"], "CodeUri": str(FUNCTIONS / "raw"), "Timeout": 5,
            "Environment": {"Variables": variables}, **members,
        }
        if queue is not None:
            function["Events"] = event_of(queue, **(event or {}))
        return function

    def config(self, functions, sqs=None, **gateway):
        """A configuration; sqs: a server or its address."""
        config = {"Functions": functions}
        if gateway:
            config["Gateway"] = gateway
        if sqs is not None:
            config["Services"] = {"sqs": getattr(sqs, "url", sqs)}
        return config

    def fake_sqs(self, **options):
        server = FakeSqs(**options)
        self.ends.callback(server.stop)
        return server

    def http_server(self, handle=None, port=0):
        server = HttpServer(handle, port)
        self.ends.callback(server.stop)
        return server

    def finish(self):
        """Ends everything; the problems that only show now."""
        problems = []
        for gateway in self.gateways:
            told = gateway.clean_up()
            if told:
                problems.append("left behind: " + "; ".join(told))
        self.ends.close()
        return problems


def on_alarm(_number, _frame):
    raise TooLong("the test's time is up")


def run_one(name, function, folder, shared, keep):
    """('ok' | 'FAIL' | 'SKIP', text)"""
    test = Test(name, folder, shared)
    seconds = getattr(function, "limit_s", DEFAULT_LIMIT_S)
    verdict, text = "ok", ""
    signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(int(seconds))
    try:
        function(test)
    except Skip as skip:
        verdict, text = "SKIP", str(skip)
    except Exception:  # a test may fail in any way
        verdict, text = "FAIL", traceback.format_exc()
    finally:
        signal.alarm(0)
        problems = test.finish()
    if problems and verdict == "ok":
        verdict, text = "FAIL", "\n".join(problems)
    if verdict == "FAIL":
        for gateway in test.gateways:
            lines = gateway.log().splitlines()[-40:]
            text += f"\n--- {gateway.log_path}, last lines\n" + "\n".join(x[:400] for x in lines)
    if verdict != "FAIL" and not keep:
        shutil.rmtree(folder, ignore_errors=True)
    return verdict, text


def collect(names, with_big):
    """[(file.test, function)] of all test files, chosen by part of the name (or * patterns)."""
    chosen = []
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(path.stem)
        for attribute, function in vars(module).items():
            if not attribute.startswith("test_") or not callable(function):
                continue
            full = f"{path.stem[5:]}.{attribute[5:]}"
            exact = full in names
            wanted = not names or exact or any(
                name in full or fnmatch.fnmatch(full, name) for name in names)
            if wanted and (exact or with_big or not getattr(function, "big", False)):
                chosen.append((full, attribute, function))
    return chosen


def main(argv):
    options = {word for word in argv if word.startswith("--")}
    names = [word for word in argv if not word.startswith("--")]
    if options - {"--big", "--keep", "--list", "--stop"}:
        print("usage: run.py [--big] [--keep] [--list] [--stop] [NAME-PART...]", file=sys.stderr)
        return 2
    chosen = collect(names, "--big" in options)
    if "--list" in options:
        for full, _, function in chosen:
            print(full + (" (big)" if getattr(function, "big", False) else ""))
        return 0
    if not BINARY.exists():
        print(f"{BINARY} is not built", file=sys.stderr)
        return 2
    counts = {"ok": 0, "FAIL": 0, "SKIP": 0}
    base = Path(tempfile.mkdtemp(prefix="penstock-test-"))
    shared = Shared(base / "shared")
    try:
        for full, attribute, function in chosen:
            folder = base / full
            folder.mkdir()
            begun = time.monotonic()
            verdict, text = run_one(attribute, function, folder, shared, "--keep" in options)
            counts[verdict] += 1
            note = f": {text}" if verdict == "SKIP" else ""
            print(f"{verdict:4} {full} ({time.monotonic() - begun:.1f} s){note}", flush=True)
            if verdict == "FAIL":
                print("     " + text.rstrip().replace("\n", "\n     "), flush=True)
                if "--stop" in options:
                    break
    finally:
        shared.stop()
    if counts["FAIL"] or "--keep" in options:
        print(f"kept: {base}")
    else:
        shutil.rmtree(base, ignore_errors=True)
    print(f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['SKIP']} skipped")
    return 1 if counts["FAIL"] else 0


def in_threads(n, act):
    """Runs act(i) in n threads; their results, or the first exception."""
    results, errors = [None] * n, []

    def one(index):
        try:
            results[index] = act(index)
        except BaseException as error:  # handed to the caller's thread
            errors.append(error)

    threads = [threading.Thread(target=one, args=(i,), daemon=True) for i in range(n)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results
