"""FIFO queues: each group in order, one batch of a group at a time, whatever fails."""

import random

from harness import big, limit
from servers import eventually

PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def order_under_load(t, groups, each, seconds):
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    print(f"     seed {seed}", flush=True)
    queue, dead = t.queue("queue.fifo", dead_after=9, VisibilityTimeout=2)
    records = t.records()
    bodies = []
    for i in range(each):
        for g in range(groups):
            bodies.append({"id": f"g{g}-{i}", "g": g, "n": i,
                           "fail": chance.choice([1, 2]) if chance.random() < 0.03 else 0,
                           "sleep": chance.random() * 0.01})
    queue.send_all(bodies, group=lambda _, body: f"g{body['g']}")
    gateway = t.gateway(t.config({"worker": t.worker(
        queue, records, {"PARTIAL": "1"}, {"BatchSize": 10, **PARTIAL}, Timeout=2,
        ReservedConcurrentExecutions=4)}, t.server()))
    eventually(queue.empty, seconds, "queue empty", every=0.2)
    assert dead.empty(), f"dead letter queue: {dead.depth()}"
    by_group = {}
    for line in records.lines():
        by_group.setdefault(line["group"], []).append(line)
    assert len(by_group) == groups
    for group, lines in by_group.items():
        done = [int(line["id"].split("-")[1]) for line in lines if line["ok"]]
        assert done == list(range(each)), f"seed {seed}, {group}: {done}"
        batches = {}
        for line in lines:
            batches[line["request"]] = (line["begun"], max(
                line["ended"], batches.get(line["request"], (0, 0))[1]))
        spans = sorted(batches.values())
        for (_, ended), (begun, _) in zip(spans, spans[1:]):
            assert begun >= ended - 0.001, f"seed {seed}, {group}: two batches at once"
    assert gateway.stop() == 0


@limit(150)
def test_order_under_load(t):
    order_under_load(t, 5, 60, 120)


@big
@limit(900)
def test_order_under_load_long(t):
    order_under_load(t, 20, 250, 800)


@limit(60)
def test_groups_run_side_by_side(t):
    queue = t.queue("queue.fifo", VisibilityTimeout=30)
    records = t.records()
    bodies = [{"id": f"g{i % 4}-{i // 4}", "sleep": 0.5} for i in range(8)]
    queue.send_all(bodies, group=lambda i, _: f"g{i % 4}")
    t.gateway(t.config({"worker": t.worker(queue, records, None, {"BatchSize": 1},
                                           ReservedConcurrentExecutions=4)}, t.server()))
    eventually(queue.empty, 30, "queue empty")
    lines = records.lines()
    overlap = [(a["id"], b["id"]) for a in lines for b in lines
               if a["group"] != b["group"] and a["begun"] < b["begun"] < a["ended"]]
    assert overlap, "no two groups ran at the same time"
    for group in {line["group"] for line in lines}:
        done = [line["id"] for line in lines if line["group"] == group]
        assert done == sorted(done), done


@limit(60)
def test_failed_batch_blocks_its_group_only(t):
    """A function error: the group waits for it, the others do not (sqs.md 6)."""
    queue = t.queue("queue.fifo", VisibilityTimeout=3)
    records = t.records()
    queue.send_all([{"id": "bad-0", "fail": 1}], group=lambda i, b: "bad")
    queue.send_all([{"id": f"other-{i}"} for i in range(1, 4)], group=lambda i, b: "other")
    t.gateway(t.config({"worker": t.worker(queue, records, None, {"BatchSize": 1}, Timeout=3)},
                       t.server()))
    eventually(lambda: any(line["id"] == "bad-0" for line in records.lines()), 20, "the failure")
    queue.sqs.call("SendMessage", QueueUrl=queue.url, MessageBody='{"id":"bad-1"}',
                   MessageGroupId="bad", MessageDeduplicationId="bad-1")
    eventually(queue.empty, 30, "queue empty")
    bad = [(line["id"], line["ok"]) for line in records.lines() if line["group"] == "bad"]
    assert bad == [("bad-0", False), ("bad-0", True), ("bad-1", True)], bad
    others = [line for line in records.lines() if line["group"] == "other"]
    recovered = next(line for line in records.lines() if line["id"] == "bad-0" and line["ok"])
    assert all(line["ended"] < recovered["begun"] for line in others), "others waited for the bad group"


@limit(60)
def test_event_has_fifo_attributes(t):
    from test_sqs import events_saved
    import json
    queue = t.queue("queue.fifo")
    folder = t.folder / "events"
    folder.mkdir()
    queue.send("x", MessageGroupId="g-one", MessageDeduplicationId="d1")
    t.gateway(t.config({"raw": t.raw("respond", None, {}, queue, variables={
        "RESPOND": "", "SAVE": str(folder)})}, t.server()))
    attributes = json.loads(events_saved(folder)[0])["Records"][0]["attributes"]
    assert attributes["MessageGroupId"] == "g-one"
    assert attributes["MessageDeduplicationId"] == "d1"
    assert isinstance(attributes["SequenceNumber"], str)


@limit(30)
def test_window_is_refused(t):
    gateway = t.gateway(t.config({"worker": t.worker("x.fifo", None, None, {
        "MaximumBatchingWindowInSeconds": 5})}, "http://127.0.0.1:1"), start=False)
    gateway.spawn()
    assert gateway.wait(10) == 2
    assert "Batching window is not supported for FIFO queues" in gateway.log()
