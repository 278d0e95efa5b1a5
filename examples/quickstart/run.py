#!/usr/bin/env python3
"""Shows penstock's main job: one order handled, one retried until it works, one dead-lettered.

Usage: run.py PATH-OF-PENSTOCK. The queue is the tests' SQS server, inside this script; everything
that is printed about the events comes from the gateway's own log and metrics.
"""
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parents[1] / "tests" / "integration"))

from fake_sqs import FakeSqs  # noqa: E402

MAX_RECEIVES = 3
DEADLINE_S = 60


class Queue(FakeSqs):
    """With a redrive policy: a message that was received three times goes to the dead-letter queue."""

    def _take(self, queue, most, visibility):
        for m in list(queue.messages):
            spent = len(m.receives) >= MAX_RECEIVES and m.visible_at <= self.now()
            if queue.name == "orders" and m.deleted is None and spent:
                queue.messages.remove(m)
                self.queues["orders-dead"].messages.append(m)
        return super()._take(queue, most, visibility)


def metrics(api):
    with urllib.request.urlopen(f"http://{api}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {m[0]: float(m[1]) for m in re.findall(r"^(penstock_records_\w+)\{.*?\} (\S+)$", text, re.M)}


def tell(line):
    """One line of the gateway's log, when it is about an event."""
    stream = re.search(r"\bstream=(\w+)", line)
    message = re.search(r'\bmsg="?(.*?)"?$', line.strip())
    request = re.search(r"\brequestId=(\S{8})", line)
    if stream and message and stream.group(1) != "platform":
        print(f"   {request.group(1) if request else '':8}  {message.group(1)}", flush=True)


def follow(log, position):
    with open(log, errors="replace") as f:
        f.seek(position)
        text = f.read()
    whole = text.rfind("\n") + 1
    for line in text[:whole].splitlines():
        tell(line)
    return position + len(text[:whole].encode())


def main(binary):
    server = Queue()
    orders = server.queue("orders", visibility=2)
    dead = server.queue("orders-dead", visibility=2)
    build = pathlib.Path(binary).resolve().parent
    log = build / "quickstart.log"
    env = dict(os.environ, QUICKSTART_SQS=server.url)
    with open(log, "w") as stderr:
        gateway = subprocess.Popen([binary, "run", str(HERE / "penstock.yaml")], env=env,
                                   stdout=subprocess.PIPE, stderr=stderr, text=True)
    try:
        ready = gateway.stdout.readline().strip()
        if not ready.startswith("READY"):
            sys.exit(f"the gateway did not start:\n{log.read_text()}")
        print(f"penstock is up: {ready}")
        print("three orders go into the queue: 1 works, 2 fails once, 3 fails always (redrive after 3)")
        server.put(orders, {"id": 1, "fails": 0}, {"id": 2, "fails": 1}, {"id": 3, "fails": 99})
        api, position, end = ready.split("api=")[1], 0, time.monotonic() + DEADLINE_S
        while time.monotonic() < end and not (server.left(dead) and not server.left(orders)):
            position = follow(log, position)
            gateway.poll() is None or sys.exit(f"the gateway ended:\n{log.read_text()}")
            time.sleep(0.05)
        position = follow(log, position)
        counts = metrics(api)
        print("the gateway's account: " + ", ".join(
            f"{int(counts[f'penstock_records_{name}'])} {text}" for name, text in
            (("accepted_total", "received"), ("done_total", "done"),
             ("released_total", "given back to come again"), ("waiting", "waiting"))))
        bodies = [m.body for m in server.left(dead)]
        print(f"in the dead-letter queue: {bodies}")
        ok = len(bodies) == 1 and counts["penstock_records_done_total"] == 2
    finally:
        gateway.send_signal(signal.SIGTERM)
        code = gateway.wait(timeout=30)
        server.stop()
    print(f"drained, exit {code}; the whole log: {os.path.relpath(log)}")
    return 0 if ok and code == 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
