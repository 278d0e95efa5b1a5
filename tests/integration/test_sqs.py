"""A standard queue on a real server: every message handled as often as it should be, and no more."""

import json
import os
import time
from pathlib import Path

from gateway import event_of
from harness import big, limit
from servers import ROOT, eventually, never

PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def handled(records, wanted):
    """Waits until `wanted` lines were written."""
    def enough():
        return records.count() >= wanted
    return enough


def partial_failures(t, n, seconds):
    queue, dead = t.queue(dead_after=3, VisibilityTimeout=3)
    records = t.records()
    queue.send_all([{"id": i, "fail": 2 if i % 10 == 0 else 0} for i in range(n)])
    gateway = t.gateway(t.config(
        {"worker": t.worker(queue, records, {"PARTIAL": "1"}, {"BatchSize": 10, **PARTIAL},
                            Timeout=3, ReservedConcurrentExecutions=4)}, t.server()))
    eventually(handled(records, n + 2 * (n // 10)), seconds, "all messages handled")
    eventually(queue.empty, 20, "queue empty")
    seen = records.by_id()
    assert len(seen) == n, f"{n - len(seen)} messages were never handled"
    for i in range(n):
        receives = [line["receive"] for line in seen[i]]
        wanted = [1, 2, 3] if i % 10 == 0 else [1]
        assert receives == wanted, f"message {i}: receives {receives}, wanted {wanted}"
    assert dead.empty(), f"dead letter queue: {dead.depth()}"
    assert gateway.stop() == 0
    gateway.nothing_left()


@limit(120)
def test_partial_failures_1000(t):
    partial_failures(t, 1000, 60)


@big
@limit(300)
def test_partial_failures_10000(t):
    partial_failures(t, 10000, 240)


def held_messages(t, n, latency, visibility, timeout, seconds):
    """Far more messages than the one slot can take within the queue's visibility."""
    queue, dead = t.queue(dead_after=3, VisibilityTimeout=visibility)
    records = t.records()
    queue.send_all([{"id": i} for i in range(n)])
    gateway = t.gateway(t.config(
        {"worker": t.worker(queue, records, {"LATENCY": str(latency)}, {"BatchSize": 1},
                            Timeout=timeout, ReservedConcurrentExecutions=1)}, t.server()))
    eventually(handled(records, n), seconds, f"{n} messages handled")
    eventually(queue.empty, 20, "queue empty")
    seen = records.by_id()
    wrong = {i: [line["receive"] for line in seen.get(i, [])] for i in range(n)
             if [line["receive"] for line in seen.get(i, [])] != [1]}
    assert not wrong, f"not handled exactly once, at the first receive: {wrong}"
    assert dead.empty(), f"dead letter queue: {dead.depth()}"
    spans = sorted((line["begun"], line["ended"]) for line in records.lines())
    for (_, ended), (begun, _) in zip(spans, spans[1:]):
        assert begun >= ended, "two invocations at once with a reservation of 1"
    assert gateway.stop() == 0


@limit(120)
def test_held_while_slots_are_taken(t):
    held_messages(t, 40, 0.4, 2, 1, 60)


@big
@limit(3000)
def test_held_500_messages_5_seconds(t):
    held_messages(t, 500, 5, 30, 10, 2800)


ROWS = {  # sqs.md 5: response -> messages of two that stay
    "empty": ("", 0),
    "null": ("null", 0),
    "array": ("[]", 0),
    "object": ("{}", 0),
    "none": ('{"batchItemFailures":[]}', 0),
    "null-list": ('{"batchItemFailures":null}', 0),
    "wrong-case": ('{"BatchItemFailures":[{"itemIdentifier":"%ID0%"}]}', 0),
    "other-key": ('{"failures":[{"itemIdentifier":"%ID0%"}]}', 0),
    "not-json": ('{"batchItemFailures":[', 2),
    "text": ("all is well", 2),
    "empty-id": ('{"batchItemFailures":[{"itemIdentifier":""}]}', 2),
    "null-id": ('{"batchItemFailures":[{"itemIdentifier":null}]}', 2),
    "number-id": ('{"batchItemFailures":[{"itemIdentifier":7}]}', 2),
    "wrong-key": ('{"batchItemFailures":[{"foo":"%ID0%"}]}', 2),
    "no-key": ('{"batchItemFailures":[{}]}', 2),
    "unknown-id": ('{"batchItemFailures":[{"itemIdentifier":"nobody"}]}', 2),
    "not-an-array": ('{"batchItemFailures":"%ID0%"}', 2),
    "one": ('{"batchItemFailures":[{"itemIdentifier":"%ID0%"}]}', 1),
    "one-twice": ('{"batchItemFailures":[{"itemIdentifier":"%ID0%"},{"itemIdentifier":"%ID0%"}]}', 1),
    "both": ('{"batchItemFailures":[{"itemIdentifier":"%ID0%"},{"itemIdentifier":"%ID1%"}]}', 2),
    "good-and-bad": ('{"batchItemFailures":[{"itemIdentifier":"%ID0%"},{"itemIdentifier":""}]}', 2),
}


@limit(120)
def test_partial_response_table(t):
    queues, records, functions = {}, {}, {}
    rows = dict(ROWS, **{"flag-off": ('{"batchItemFailures":[{"itemIdentifier":"%ID0%"}]}', 0),
                         "flag-off-not-json": ("{oops", 0)})
    for name, (text, _) in rows.items():
        queues[name] = t.queue(name, VisibilityTimeout=60)
        records[name] = t.records(f"{name}.jsonl")
        properties = {"BatchSize": 2, "MaximumBatchingWindowInSeconds": 5}
        if not name.startswith("flag-off"):
            properties.update(PARTIAL)
        functions[name] = t.raw("respond", records[name], properties, queues[name],
                                variables={"RESPOND": text})
        queues[name].send_all(["first", "second"])
    t.gateway(t.config(functions, t.server()))
    for name in rows:
        eventually(handled(records[name], 1), 30, f"event of row {name}")
        line = records[name].lines()[0]
        assert line["batch"] == 2, f"row {name}: a batch of {line['batch']}"

    def wrong():
        return {name: (queues[name].depth(), stay) for name, (_, stay) in rows.items()
                if queues[name].depth() != (0, stay, 0)}

    try:
        eventually(lambda: not wrong(), 10, "each row as in the table")
    except AssertionError:
        raise AssertionError(f"(depth, wanted in flight): {wrong()}") from None
    never(wrong, 1, "a message deleted late")


@limit(60)
def test_function_error_releases_all(t):
    """Nothing of a failed batch is deleted; all of it comes back by the queue's visibility."""
    queue, dead = t.queue(dead_after=2, VisibilityTimeout=2)
    records = t.records()
    queue.send_all([{"id": i, "fail": 1 if i == 0 else 0} for i in range(4)])
    gateway = t.gateway(t.config(
        {"worker": t.worker(queue, records, None, {"BatchSize": 4}, Timeout=2)}, t.server()))
    begun = time.monotonic()
    eventually(queue.empty, 20, "queue empty")
    assert time.monotonic() - begun >= 1.5, "it came back before its visibility ended"
    assert dead.empty()
    seen = records.by_id()
    assert seen[0][0]["batch"] == 4, "a batch of less than all that was there"
    # All four were in the failed batch; each was handled with success once.
    for i in range(4):
        assert sum(line["ok"] for line in seen[i]) == 1, seen[i]
    assert gateway.metric("penstock_errors_total", function="worker") >= 1


@limit(60)
def test_always_failing_goes_to_the_dead_letter_queue(t):
    queue, dead = t.queue(dead_after=2, VisibilityTimeout=1)
    records = t.records()
    queue.send({"id": "poison", "fail": -1})
    queue.send({"id": "good"})
    t.gateway(t.config({"worker": t.worker(queue, records, {"PARTIAL": "1"}, PARTIAL, Timeout=1)},
                       t.server()))
    eventually(lambda: dead.count() == 1, 40, "the poison message in the dead letter queue")
    eventually(queue.empty, 10, "queue empty")
    seen = records.by_id()
    assert [line["receive"] for line in seen["poison"]] == [1, 2]
    assert [line["receive"] for line in seen["good"]] == [1]


@limit(60)
def test_timeout_releases(t):
    queue = t.queue(VisibilityTimeout=2)
    records = t.records()
    queue.send({"id": "slow", "sleep_first": 30})
    gateway = t.gateway(t.config({"worker": t.worker(queue, records, Timeout=1)}, t.server()))
    eventually(queue.empty, 30, "handled at the second receive")
    assert [line["receive"] for line in records.lines()] == [2]
    assert "Task timed out after 1.00 seconds" in gateway.log()


@limit(60)
def test_window_gathers(t):
    queue = t.queue(VisibilityTimeout=30)
    records = t.records()
    t.gateway(t.config({"worker": t.worker(queue, records, None, {
        "BatchSize": 100, "MaximumBatchingWindowInSeconds": 3}, Timeout=5)}, t.server()))
    begun = time.time()
    for i in range(5):
        queue.send({"id": i})
    eventually(handled(records, 5), 20, "the window's batch")
    lines = records.lines()
    assert {line["batch"] for line in lines} == {5}, lines
    waited = lines[0]["begun"] - begun
    assert 2.5 <= waited <= 6, f"the window of 3 s took {waited:.2f} s"


@limit(60)
def test_window_ends_when_the_batch_is_full(t):
    queue = t.queue(VisibilityTimeout=120)
    records = t.records()
    queue.send_all([{"id": i} for i in range(100)])
    begun = time.time()
    t.gateway(t.config({"worker": t.worker(queue, records, None, {
        "BatchSize": 100, "MaximumBatchingWindowInSeconds": 40}, Timeout=5)}, t.server()))
    eventually(handled(records, 100), 20, "one batch of 100")
    lines = records.lines()
    assert {line["batch"] for line in lines} == {100}
    assert lines[0]["begun"] - begun < 15
    eventually(queue.empty, 10, "queue empty")


@limit(60)
def test_window_extends_visibility(t):
    """Window + timeout beyond the queue's visibility: received once all the same (sqs.md 3)."""
    queue = t.queue(VisibilityTimeout=2)
    records = t.records()
    queue.send({"id": "waits"})
    t.gateway(t.config({"worker": t.worker(queue, records, None, {
        "BatchSize": 10, "MaximumBatchingWindowInSeconds": 5}, Timeout=2)}, t.server()))
    eventually(queue.empty, 20, "handled")
    assert [line["receive"] for line in records.lines()] == [1]


@limit(60)
def test_batch_is_what_is_there_without_window(t):
    queue = t.queue()
    records = t.records()
    t.gateway(t.config({"worker": t.worker(queue, records, None, {"BatchSize": 10})}, t.server()))
    begun = time.time()
    queue.send({"id": 1})
    eventually(handled(records, 1), 10, "one message")
    assert records.lines()[0]["begun"] - begun < 2


@limit(90)
def test_event_is_cut_at_6_mb(t):
    queue = t.queue(VisibilityTimeout=120)
    records = t.records()
    for index in range(10):
        queue.send(chr(ord("a") + index) * 1_000_000)
    t.gateway(t.config({"raw": t.raw("respond", records, {
        "BatchSize": 10, "MaximumBatchingWindowInSeconds": 3}, queue,
        variables={"RESPOND": ""}, Timeout=20)}, t.server()))
    eventually(queue.empty, 60, "all deleted")
    lines = records.lines()
    assert sum(line["batch"] for line in lines) == 10, lines
    assert max(line["length"] for line in lines) <= 6 * 1024 * 1024, lines
    assert [line["batch"] for line in lines] == [6, 4], lines


@limit(60)
def test_cut_counts_what_escaping_adds(t):
    """Quotes double in the event: the cut goes by the serialised event, not by the bodies."""
    queue = t.queue(VisibilityTimeout=120)
    records = t.records()
    for _ in range(5):
        queue.send('"' * 900_000)
    t.gateway(t.config({"raw": t.raw("respond", records, {
        "BatchSize": 10, "MaximumBatchingWindowInSeconds": 3}, queue,
        variables={"RESPOND": ""}, Timeout=20)}, t.server()))
    eventually(queue.empty, 40, "all deleted")
    lines = records.lines()
    assert [line["batch"] for line in lines] == [3, 2], lines
    assert max(line["length"] for line in lines) <= 6 * 1024 * 1024, lines


BODY = '{"a": "é日本\\n", "b": 1.10}\t<>&/\\'
ATTRIBUTES = {
    "text": {"DataType": "String", "StringValue": "x \"quoted\" ü"},
    "number": {"DataType": "Number", "StringValue": "1.50"},
    "custom": {"DataType": "Number.int", "StringValue": "9007199254740993"},
    "binary": {"DataType": "Binary", "BinaryValue": "AP8QgP9/"},
}


def events_saved(folder, n=1):
    """The events as they came, in the order they came."""
    def there():
        files = [path for path in Path(folder).iterdir() if path.stat().st_size]
        return files if len(files) >= n else None
    files = eventually(there, 20, "event saved")
    return [path.read_bytes() for path in sorted(files, key=lambda p: p.stat().st_mtime)]


def event_from(t, server, body, **members):
    queue = t.queue(server=server)
    folder = t.folder / f"events-{server.name}-{len(t.gateways)}"
    folder.mkdir()
    window = members.pop("window", 0)
    queue.send(body, **members)
    gateway = t.gateway(t.config({"raw": t.raw("respond", None, {
        "MaximumBatchingWindowInSeconds": window}, queue,
        variables={"RESPOND": "", "SAVE": str(folder)})}, server))
    saved = events_saved(folder)
    gateway.stop()
    return queue, saved[0]


@limit(60)
def test_event_bytes(t):
    """The event as Lambda writes it: members in order, nothing re-encoded, no space between."""
    queue, raw = event_from(
        t, t.server(), BODY, MessageAttributes=ATTRIBUTES,
        MessageSystemAttributes={"AWSTraceHeader": {
            "DataType": "String",
            "StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1"}})
    event = json.loads(raw)
    again = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    assert again == raw, f"not compact, or members escaped oddly:\n{raw}\n{again}"
    record = event["Records"][0]
    assert list(record) == [
        "messageId", "receiptHandle", "body", "attributes", "messageAttributes",
        "md5OfMessageAttributes", "md5OfBody", "eventSource", "eventSourceARN", "awsRegion"], record
    assert record["body"] == BODY
    import hashlib
    from fake_sqs import md5_of_attributes
    assert record["md5OfBody"] == hashlib.md5(BODY.encode()).hexdigest()
    assert record["md5OfMessageAttributes"] == md5_of_attributes(ATTRIBUTES)
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == queue.arn
    assert record["awsRegion"] == "us-east-1"
    assert set(record["attributes"]) == {
        "ApproximateReceiveCount", "SentTimestamp", "SenderId", "ApproximateFirstReceiveTimestamp",
        "AWSTraceHeader"}, record["attributes"]
    assert all(isinstance(value, str) for value in record["attributes"].values())
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    lists = {"stringListValues": [], "binaryListValues": []}
    assert record["messageAttributes"] == {
        "text": {"stringValue": ATTRIBUTES["text"]["StringValue"], **lists, "dataType": "String"},
        "number": {"stringValue": "1.50", **lists, "dataType": "Number"},
        "custom": {"stringValue": "9007199254740993", **lists, "dataType": "Number.int"},
        "binary": {"binaryValue": "AP8QgP9/", **lists, "dataType": "Binary"},
    }, record["messageAttributes"]
    for value in record["messageAttributes"].values():
        assert list(value)[1:] == ["stringListValues", "binaryListValues", "dataType"], value


@limit(60)
def test_event_without_attributes(t):
    """sqs.md 7: md5OfMessageAttributes is absent without a window, null with one."""
    _, raw = event_from(t, t.server(), "plain")
    record = json.loads(raw)["Records"][0]
    assert record["messageAttributes"] == {}
    assert "md5OfMessageAttributes" not in record, record
    _, raw = event_from(t, t.server(), "plain", window=1)
    record = json.loads(raw)["Records"][0]
    assert "md5OfMessageAttributes" in record and record["md5OfMessageAttributes"] is None, record


def shape(value):
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [shape(inner) for inner in value]
    return type(value).__name__


@limit(90)
def test_moto_gives_the_same_shape(t):
    attributes = {name: value for name, value in ATTRIBUTES.items() if name != "custom"}
    _, one = event_from(t, t.elasticmq(), BODY, MessageAttributes=attributes)
    _, other = event_from(t, t.moto(), BODY, MessageAttributes=attributes)
    one, other = json.loads(one), json.loads(other)
    assert shape(one) == shape(other), f"{one}\n{other}"
    for member in ("body", "md5OfBody", "md5OfMessageAttributes", "messageAttributes"):
        assert one["Records"][0][member] == other["Records"][0][member], member


def corpus():
    return Path(os.environ.get("CORPUS_DIR") or ROOT.parent / "shared" / "corpus") / "events" / "sqs"


@limit(60)
def test_corpus_shapes(t):
    """Each recorded SQS record has the members that ours has, of the same types."""
    if not corpus().is_dir():
        t.skip(f"{corpus()} is not there")
    _, raw = event_from(t, t.server(), BODY, MessageAttributes={"text": ATTRIBUTES["text"]})
    ours = json.loads(raw)["Records"][0]
    wanted = set(ours) - {"md5OfMessageAttributes"}
    compared = 0
    for path in sorted(corpus().glob("*.json")):
        try:
            event = json.loads(path.read_text())
        except ValueError:
            continue
        for record in event.get("Records", []) if isinstance(event, dict) else []:
            if record.get("eventSource") != "aws:sqs" or "nobody" in path.name:
                continue
            compared += 1
            missing = wanted - set(record) - {"md5OfBody"}
            assert not missing, f"{path.name} lacks {missing}"
            for member in wanted & set(record):
                assert type(record[member]) is type(ours[member]), f"{path.name}: {member}"
            assert set(ours["attributes"]) <= set(record["attributes"]) | {"SenderId"}, path.name
            for value in record["attributes"].values():
                assert isinstance(value, str), path.name
    assert compared >= 5, f"only {compared} records compared"


@limit(90)
def test_missing_queue_appears(t):
    name = f"appears-{os.getpid()}-{time.monotonic_ns()}"
    records = t.records()
    function = t.worker(None, records)
    function["Events"] = event_of(name)
    gateway = t.gateway(t.config({"worker": function}, t.server()))
    eventually(lambda: "The specified queue does not exist" in gateway.log(), 20, "problem in the log")
    assert gateway.get("/healthz").status == 200
    queue = t.sqs().create(name)
    queue.send({"id": "late"})
    eventually(queue.empty, 60, "handled once the queue is there")
    assert [line["id"] for line in records.lines()] == ["late"]


@limit(60)
def test_queue_deleted_and_made_again(t):
    queue = t.queue()
    records = t.records()
    t.gateway(t.config({"worker": t.worker(queue, records)}, t.server()))
    queue.send({"id": 1})
    eventually(handled(records, 1), 20, "first message")
    queue.destroy()
    again = t.sqs().create(queue.name)
    again.send({"id": 2})
    eventually(handled(records, 2), 45, "a message of the new queue")


@limit(60)
def test_visibility_shorter_than_timeout(t):
    queue = t.queue(VisibilityTimeout=5)
    records = t.records()
    gateway = t.gateway(t.config({"worker": t.worker(queue, records, Timeout=30)}, t.server()))
    text = "Queue visibility timeout: 5 seconds is less than Function timeout: 30 seconds"
    eventually(lambda: text in gateway.log(), 20, "AWS's text in the log")


@limit(60)
def test_maximum_concurrency(t):
    queue = t.queue(VisibilityTimeout=30)
    records = t.records()
    queue.send_all([{"id": i, "sleep": 0.3} for i in range(30)])
    t.gateway(t.config({"worker": t.worker(queue, records, None, {
        "BatchSize": 1, "ScalingConfig": {"MaximumConcurrency": 2}})}, t.server()))
    eventually(handled(records, 30), 40, "all handled")
    spans = [(line["begun"], 1) for line in records.lines()]
    spans += [(line["ended"], -1) for line in records.lines()]
    now = peak = 0
    for _, step in sorted(spans):
        now += step
        peak = max(peak, now)
    assert peak == 2, f"at most 2 at once were asked for, {peak} seen"


@limit(60)
def test_disabled_mapping_is_left_alone(t):
    queue = t.queue()
    records = t.records()
    queue.send({"id": 1})
    gateway = t.gateway(t.config({"worker": t.worker(queue, records, None, {"Enabled": False})},
                                 t.server()))
    assert gateway.get("/healthz").status == 200
    never(lambda: queue.depth() != (1, 0, 0), 2, "received though disabled")


@limit(60)
def test_two_mappings_on_one_queue_share_it(t):
    queue = t.queue()
    one, two = t.records("one.jsonl"), t.records("two.jsonl")
    queue.send_all([{"id": i, "sleep": 0.02} for i in range(100)])
    t.gateway(t.config({"one": t.worker(queue, one, ReservedConcurrentExecutions=2),
                        "two": t.worker(queue, two, ReservedConcurrentExecutions=2)},
                       t.server()))
    eventually(lambda: one.count() + two.count() >= 100, 30, "all handled")
    eventually(queue.empty, 10, "queue empty")
    ids = [line["id"] for line in one.lines() + two.lines()]
    assert sorted(ids) == list(range(100))
