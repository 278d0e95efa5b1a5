"""kill -9 of the gateway under load: nothing lost, duplicates counted, no process left behind."""

import random
import time

from harness import big, limit
from servers import eventually

PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def kills(t, times, seconds):
    """Messages flow all the time; the gateway is killed at random moments and started anew."""
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    queue, dead = t.queue(dead_after=times + 20, VisibilityTimeout=2)
    records = t.records()
    function = t.worker(queue, records, {"PARTIAL": "1", "LATENCY": "0.01"},
                        {"BatchSize": 10, **PARTIAL}, Timeout=2, ReservedConcurrentExecutions=3)
    gateway = t.gateway(t.config({"worker": function}, t.elasticmq()))
    sent = 0
    for kill in range(times):
        for _ in range(5):
            queue.send_all([{"id": i, "fail": 1 if i % 17 == 0 else 0}
                            for i in range(sent, sent + 20)])
            sent += 20
        before = records.count()
        eventually(lambda n=before: records.count() > n, 30, f"work before kill {kill}, seed {seed}")
        # A random moment of the work is the point here, not a wait for anything.
        time.sleep(chance.random() * 0.25)
        gateway.kill9()
        gateway.nothing_left()
        gateway.start()
    eventually(queue.empty, seconds, "queue empty", every=0.2)
    assert gateway.stop() == 0
    gateway.nothing_left()
    assert dead.empty(), f"dead letter queue: {dead.depth()}"
    done = {}
    for line in records.lines():
        if line["ok"]:
            done[line["id"]] = done.get(line["id"], 0) + 1
    lost = set(range(sent)) - set(done)
    assert not lost, f"seed {seed}: {len(lost)} of {sent} lost: {sorted(lost)[:20]}"
    twice = sum(count - 1 for count in done.values())
    print(f"     {times} kills, {sent} messages, none lost, {twice} handled again, seed {seed}",
          flush=True)


@limit(150)
def test_5_kills(t):
    kills(t, 5, 60)


@big
@limit(3000)
def test_200_kills(t):
    kills(t, 200, 300)


@limit(60)
def test_kill_during_start(t):
    """Killed before or just after READY, again and again: no process stays."""
    queue = t.queue()
    records = t.records()
    config = t.config({"worker": t.worker(queue, records, ProvisionedConcurrencyConfig={
        "ProvisionedConcurrentExecutions": 2})}, t.elasticmq())
    gateway = t.gateway(config, start=False)
    for step in range(10):
        gateway.spawn()
        time.sleep(step * 0.01)
        gateway.kill9()
        gateway.nothing_left()
