"""What the gateway tells of its queues: metrics, and queues that left the file."""

import http.client
import socket

from harness import limit
from servers import eventually
from test_queues import client, names, queue_of, redrive, serving

LEFT = 'msg="queue {} is not in the file any more, but holds {}: it is kept"'


def told(gateway, queue):
    """{name without penstock_queue_: value} of one queue."""
    prefix = "penstock_queue_"
    return {name[len(prefix):]: value for (name, labels), value in gateway.metrics().items()
            if name.startswith(prefix) and labels == (("queue", queue),)}


@limit(60)
def test_metrics_of_a_queue(t):
    gateway, sqs = serving(t)
    assert gateway.metric("penstock_queues") is None, "no store, no queues"
    dead = sqs.create("dead")
    queue = sqs.create("q", dead=(dead, 1))
    assert told(gateway, "q") == {
        "messages_visible": 0, "messages_not_visible": 0, "messages_delayed": 0,
        "oldest_age_seconds": 0, "bytes": 0, "sent_total": 0, "received_total": 0,
        "deleted_total": 0, "moved_total": 0}
    queue.send_all([f"m{i}" for i in range(5)])
    queue.send("late", DelaySeconds=900)
    got = queue.receive(most=3)
    queue.delete(got[0])
    queue.delete(got[0])
    sqs.call("ChangeMessageVisibility", QueueUrl=queue.url, VisibilityTimeout=0,
             ReceiptHandle=got[1]["ReceiptHandle"])
    assert len(queue.receive()) == 2
    eventually(lambda: dead.count() == 1, 5, "the second receive makes it a dead letter")
    now = told(gateway, "q")
    assert now.pop("bytes") > 0 and 0 < now.pop("oldest_age_seconds") < 60, now
    assert now == {"messages_visible": 0, "messages_not_visible": 3, "messages_delayed": 1,
                   "sent_total": 6, "received_total": 5, "deleted_total": 1, "moved_total": 1}, now
    assert told(gateway, "dead")["messages_visible"] == 1
    assert told(gateway, "dead")["sent_total"] == 0
    sqs.call("StartMessageMoveTask", SourceArn=dead.arn)
    eventually(lambda: dead.empty(), 10, "moved back")
    assert told(gateway, "dead")["moved_total"] == 1
    assert told(gateway, "q")["sent_total"] == 6 and told(gateway, "q")["moved_total"] == 1
    ordered = sqs.create("o.fifo", ContentBasedDeduplication="true")
    for _ in range(3):
        ordered.send("same", MessageGroupId="g")
    assert told(gateway, "o.fifo")["sent_total"] == 1, "duplicates do not count"
    assert gateway.metric("penstock_queues") == 3
    queue.destroy()
    assert told(gateway, "q") == {} and gateway.metric("penstock_queues") == 2


@limit(90)
def test_metrics_have_a_bound(t):
    """Clients may make any number of queues, and not as many series."""
    gateway, sqs = serving(t)
    for i in range(1003):
        sqs.call("CreateQueue", QueueName=f"q{i:04}")
    assert gateway.metric("penstock_queues") == 1003
    assert gateway.metric("penstock_queues_unlisted") == 3
    assert told(gateway, "q0999") and not told(gateway, "q1000")
    for name in ("q0000", "q0500"):
        queue_of(sqs, name).destroy()
    assert gateway.metric("penstock_queues_unlisted") == 1
    assert told(gateway, "q1001") and not told(gateway, "q1002") and not told(gateway, "q0500")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def ask(address, path, headers):
    connection = http.client.HTTPConnection(address, timeout=20)
    try:
        connection.request("POST" if headers else "GET", path, b"{}" if headers else None, headers)
        return connection.getresponse().status
    except OSError:
        return None
    finally:
        connection.close()


@limit(60)
def test_who_asks_too_early_comes_again(t):
    """The Api listens before the queues of the file are on disk: 503, which SDKs try again."""
    address = f"127.0.0.1:{free_port()}"
    gateway = t.gateway({"Gateway": {"Api": address}, "Functions": {},
                         "Queues": {f"q{i}": {} for i in range(4000)}}, start=False)
    gateway.spawn()
    seen = {path: set() for path in ("/", "/readyz", "/metrics", "/healthz")}
    while not {200} <= seen["/"] & seen["/readyz"]:
        for path, statuses in seen.items():
            statuses.add(ask(address, path, {"X-Amz-Target": "AmazonSQS.ListQueues"}
                             if path == "/" else {}))
    for statuses in seen.values():
        statuses.discard(None)
    assert seen == {"/": {200, 503}, "/readyz": {200, 503}, "/metrics": {200}, "/healthz": {200}}, (
        seen)
    assert gateway.stop() == 0


@limit(60)
def test_a_queue_that_left_the_file_at_start(t):
    gateway, sqs = serving(t, {"stays": {}, "full": {}, "one": {}, "empty": {}})
    queue_of(sqs, "full").send_all(["a", "b"])
    queue_of(sqs, "one").send("c")
    sqs.create("made")
    assert gateway.stop() == 0
    gateway.write({"Queues": {"stays": {}}, "Functions": {}})
    for _ in range(2):
        gateway.log_path.unlink()
        gateway.start()
        sqs = client(gateway)
        assert names(sqs) == ["full", "made", "one", "stays"], names(sqs)
        assert LEFT.format("full", "2 messages") in gateway.log(), gateway.log()
        assert LEFT.format("one", "1 message") in gateway.log(), gateway.log()
        assert "queue made" not in gateway.log() and "changed" not in gateway.log(), gateway.log()
        assert gateway.stop() == 0
    gateway.start()
    sqs = client(gateway)
    assert queue_of(sqs, "full").drain() == ["a", "b"]
    gateway.reload()
    eventually(lambda: "full" not in names(sqs), 10, "now empty, it goes at the next reload")
    assert names(sqs) == ["made", "one", "stays"]
    # Whoever is in the file again belongs to it again.
    gateway.write({"Queues": {"stays": {}, "made": {}}, "Functions": {}})
    gateway.reload()
    eventually(lambda: "queue made is changed" in gateway.log(), 10, "taken over by the file")
    gateway.write({"Queues": {"stays": {}}, "Functions": {}})
    gateway.reload()
    eventually(lambda: "made" not in names(sqs), 10, "and leaves with it")


@limit(60)
def test_changes_by_a_client_leave_it_the_file_s(t):
    """SetQueueAttributes and CreateQueue again do not make it the client's queue."""
    gateway, sqs = serving(t, {"q": {}})
    queue = queue_of(sqs, "q")
    sqs.call("SetQueueAttributes", QueueUrl=queue.url, Attributes={"VisibilityTimeout": "77"})
    sqs.call("CreateQueue", QueueName="q", Attributes={"VisibilityTimeout": "77"})
    gateway.write({"Queues": {}, "Functions": {}})
    gateway.reload()
    eventually(lambda: names(sqs) == [], 10, "gone with the file")


@limit(60)
def test_the_order_of_tags_is_no_change(t):
    tags = [{"Key": k, "Value": v} for k, v in (("b", "1"), ("a", "2"), ("c", ""))]
    gateway, sqs = serving(t, {"q": {"Tags": tags, "RedrivePolicy": redrive("dead", 3)},
                               "dead": {}})
    gateway.write({"Queues": {"q": {"Tags": tags[::-1], "RedrivePolicy": redrive("dead", 3)},
                              "dead": {}}, "Functions": {}})
    gateway.reload()
    eventually(lambda: "reload: done" in gateway.log(), 10, "reloaded")
    assert "queue q is tagged" not in gateway.log() and "changed" not in gateway.log()
    tags[0]["Value"] = "other"
    gateway.write({"Queues": {"q": {"Tags": tags[::-1], "RedrivePolicy": redrive("dead", 3)},
                              "dead": {}}, "Functions": {}})
    gateway.reload()
    eventually(lambda: "queue q is tagged" in gateway.log(), 10, "tagged")
    assert names(sqs) == ["dead", "q"]
