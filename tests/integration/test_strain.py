"""Strain: clocks that jump, a machine that sleeps, many queues at once, a backlog larger than memory."""

import json
import shutil
import signal
import subprocess
import time

from gateway import BINARY, event_of
from harness import limit
from scripted_http import Answer, Slow
from servers import ROOT, eventually, never
from test_faults import Counter, once, set_up


def memory_kb(gateway, name="VmHWM"):
    with open(f"/proc/{gateway.process.pid}/status") as handle:
        return next(int(line.split()[1]) for line in handle if line.startswith(name))


@limit(90)
def test_wall_clock_jumps(t):
    """A day ahead, then two days back, while messages wait: timers, holding and windows do not care."""
    compiler = shutil.which("cc")
    if not compiler:
        t.skip("cc is missing")
    if "asan" in str(BINARY):
        t.skip("a sanitized binary takes no preloaded clock")
    library, file = t.folder / "clockstep.so", t.folder / "step"
    subprocess.run([compiler, "-D_GNU_SOURCE", "-shared", "-fPIC", "-O2", "-o", library,
                    ROOT / "tests" / "tools" / "clockstep.c", "-ldl"], check=True)
    file.write_text("0")
    sqs, queue, counter, config = set_up(
        t, visibility=3, answer=lambda event: Slow(0.4, Answer(200, "null")),
        event={"BatchSize": 1}, ReservedConcurrentExecutions=1, Timeout=2)
    windowed = sqs.queue("windowed", 30)
    gathered = Counter(t)
    config["Functions"]["w"] = {"Url": gathered.server.url, "Timeout": 2, "Events": event_of(
        windowed, BatchSize=100, MaximumBatchingWindowInSeconds=2)}
    gateway = t.gateway(config, environment={"LD_PRELOAD": str(library), "CLOCKSTEP_FILE": str(file)})
    sqs.put(queue, *[{"id": i} for i in range(20)])
    for step in (86400, -86400, 0):
        file.write_text(str(step))
        year = time.strftime("%Y-%m-%dT", time.gmtime(time.time() + step))
        made = sqs.put(windowed, {"step": step})[0]
        begun = time.monotonic()
        eventually(lambda m=made: m.deleted is not None, 8, f"the window's batch at step {step}")
        assert 1.5 < time.monotonic() - begun < 4, "the window followed the wall clock"
        sqs.fail("ReceiveMessage", Answer(500, "to make it log"))
        sqs.kick()
        eventually(lambda y=year: f"ts={y}" in gateway.log(), 10, f"the clock is at {year}: {step}")
    eventually(lambda: not sqs.left(queue), 40, "all handled")
    once(queue, counter)
    once(windowed, gathered)
    assert gateway.stop() == 0


@limit(60)
def test_sleeping_machine(t):
    """Stopped for longer than the visibility, with messages in hand: nothing lost, no end."""
    queue, dead = t.queue(dead_after=9, VisibilityTimeout=2)
    records = t.records()
    queue.send_all([{"id": i, "sleep": 0.05} for i in range(60)])
    gateway = t.gateway(t.config({"worker": t.worker(
        queue, records, None, {"BatchSize": 5}, Timeout=2, ReservedConcurrentExecutions=1)},
        t.elasticmq()))
    eventually(lambda: records.count() >= 5, 20, "it works")
    gateway.signal(signal.SIGSTOP)
    # The queue's clock goes on: what the gateway held becomes visible again.
    eventually(lambda: queue.depth()[1] == 0, 10, "visibility ended")
    gateway.signal(signal.SIGCONT)
    eventually(queue.empty, 30, "queue empty")
    assert dead.empty()
    assert set(records.by_id()) == set(range(60))
    assert gateway.stop() == 0


@limit(90)
def test_fifty_queues(t):
    """Fifty long polls do not stand in the way of deletes, extensions or each other."""
    sqs = t.fake_sqs()
    counter = Counter(t)
    queues = [sqs.queue(f"q{i}") for i in range(50)]
    functions = {f"f{i}": {"Url": counter.server.url, "Timeout": 5, "Events": event_of(queue)}
                 for i, queue in enumerate(queues)}
    gateway = t.gateway(t.config(functions, sqs))
    for turn in range(3):
        for queue in queues:
            sqs.put(queue, *[{"turn": turn, "i": i} for i in range(5)])
        # Far less than a long poll takes: nothing waits for another request's connection.
        eventually(lambda: not any(sqs.left(queue) for queue in queues), 8, f"turn {turn}")
    for queue in queues:
        once(queue, counter)
    assert gateway.stop() == 0


@limit(90)
def test_backlog_larger_than_memory(t):
    """2,000 messages of 100 kB and one slow function: what is held stays small."""
    sqs, queue, counter, config = set_up(
        t, visibility=60, answer=lambda event: Slow(0.05, Answer(200, "null")),
        event={"BatchSize": 10}, ReservedConcurrentExecutions=1)
    body = json.dumps({"pad": "x" * 100_000})
    sqs.put(queue, *[body] * 2000)
    gateway = t.gateway(config)
    eventually(lambda: len(sqs.left(queue)) < 1900, 30, "it works")
    held = sum(1 for message in sqs.left(queue) if message.receives)
    assert held < 500, f"{held} messages taken from the queue for one slot"
    never(lambda: memory_kb(gateway) > (400_000 if "asan" in str(BINARY) else 100_000), 3,
          "memory grows with the backlog")
    assert gateway.stop() == 0


@limit(60)
def test_big_batch_of_10000(t):
    """BatchSize 10,000, filled over a thousand receives."""
    sqs, queue, counter, config = set_up(
        t, visibility=120, event={"BatchSize": 10000, "MaximumBatchingWindowInSeconds": 40})
    sqs.put(queue, *[{"i": i} for i in range(10000)])
    gateway = t.gateway(config)
    eventually(lambda: not sqs.left(queue), 45, "all deleted")
    once(queue, counter)
    largest = max(len(event["Records"]) for event in counter.events)
    assert largest == 10000, f"the largest batch had {largest}"
    assert gateway.stop() == 0


@limit(60)
def test_many_callers_while_queues_flow(t):
    """Invocations and a queue share a function's slots: both go on, nothing is lost."""
    from harness import in_threads
    queue = t.queue(VisibilityTimeout=30)
    records = t.records()
    queue.send_all([{"id": i} for i in range(400)])
    gateway = t.gateway(t.config({"worker": t.worker(
        queue, records, {"LATENCY": "0.005"}, {"BatchSize": 5}, ReservedConcurrentExecutions=2)},
        t.elasticmq()))
    event = {"Records": [{"body": '{"id":"call"}', "messageId": "m",
                          "attributes": {"ApproximateReceiveCount": "1"}}]}

    def call(_):
        return [gateway.invoke("worker", event).status for _ in range(50)]

    statuses = [status for each in in_threads(4, call) for status in each]
    eventually(queue.empty, 30, "queue empty")
    assert set(statuses) <= {200, 429}, set(statuses)
    seen = records.by_id()
    assert len(seen.pop("call", [])) == statuses.count(200)
    assert all([line["receive"] for line in seen[i]] == [1] for i in range(400))
