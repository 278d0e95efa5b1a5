"""A queue server that misbehaves: nothing lost, nothing received twice while it was held."""

import json

from gateway import BINARY, event_of
from harness import limit
from scripted_http import Answer, Drop, Endless, Half, Raw, Slow
from servers import eventually, never


def url_function(server, queue, **members):
    event = members.pop("event", {})
    return {"Url": server.url, "Timeout": 2, "Events": event_of(queue, **event), **members}


class Counter:
    """A function over HTTP that counts what reaches it."""

    def __init__(self, t, answer=None):
        self.counts = {}
        self.events = []
        self.answer = answer or (lambda event: Answer(200, "null"))
        self.server = t.http_server(self.handle)

    def handle(self, request):
        event = request.json
        self.events.append(event)
        for record in event["Records"]:
            self.counts[record["messageId"]] = self.counts.get(record["messageId"], 0) + 1
        return self.answer(event)


def set_up(t, visibility=30, answer=None, protocol="json", event=None, **members):
    sqs = t.fake_sqs(protocol=protocol)
    queue = sqs.queue("queue", visibility)
    counter = Counter(t, answer)
    function = url_function(counter.server, queue, event=event or {}, **members)
    return sqs, queue, counter, t.config({"f": function}, sqs)


def once(queue, counter):
    """Each message handled once, deleted once, never lapsed."""
    for message in queue.messages:
        assert counter.counts.get(message.id) == 1, f"handled {counter.counts.get(message.id)} times"
        assert message.deleted is not None
        assert not message.lapsed, f"received {len(message.receives)} times"


@limit(60)
def test_plain(t):
    sqs, queue, counter, config = set_up(t)
    sqs.put(queue, *[{"id": i} for i in range(50)])
    gateway = t.gateway(config)
    eventually(lambda: not sqs.left(queue), 20, "all deleted")
    once(queue, counter)
    receive = next(m for name, m, _ in sqs.calls if name == "ReceiveMessage")
    assert receive["WaitTimeSeconds"] == 20 and receive["MaxNumberOfMessages"] == 10, receive
    assert "All" in (receive.get("MessageSystemAttributeNames") or receive.get("AttributeNames"))
    assert "All" in receive["MessageAttributeNames"]
    deletes = [len(m["Entries"]) for name, m, _ in sqs.calls if name == "DeleteMessageBatch"]
    assert sum(deletes) == 50 and max(deletes) <= 10, deletes
    assert sqs.requests[0].header("authorization").startswith("AWS4-HMAC-SHA256 Credential=test/")
    assert gateway.stop() == 0
    assert not any(name == "ChangeMessageVisibilityBatch" and any(
        float(e["VisibilityTimeout"]) == 0 for e in m["Entries"]) for name, m, _ in sqs.calls)


@limit(60)
def test_query_protocol(t):
    """A server that knows only the query protocol."""
    sqs, queue, counter, config = set_up(t, protocol="query")
    attributes = {"n": {"DataType": "Number", "StringValue": "1"},
                  "b": {"DataType": "Binary", "BinaryValue": "AP8="}}
    sqs.put(queue, "plain", "<x a='1'>&amp; \"ü\" ]]></x>\n\t")
    sqs.put(queue, "with attributes", attributes=attributes)
    t.gateway(config)
    eventually(lambda: not sqs.left(queue), 30, "all deleted")
    once(queue, counter)
    records = {r["body"]: r for event in counter.events for r in event["Records"]}
    assert set(records) == {m.body for m in queue.messages}, records
    got = records["with attributes"]["messageAttributes"]
    assert got["n"]["stringValue"] == "1" and got["b"]["binaryValue"] == "AP8=", got
    assert records["plain"]["attributes"]["ApproximateReceiveCount"] == "1"
    receives = [r for r in sqs.requests if b"ReceiveMessage" in r.body]
    assert any(r.header("content-type").startswith("application/x-www-form-urlencoded")
               for r in receives)


@limit(60)
def test_configured_endpoint_wins_over_the_queue_url(t):
    sqs, queue, counter, config = set_up(t)
    sqs.url_host = "nowhere.invalid:1"
    sqs.put(queue, {"id": 1})
    t.gateway(config)
    eventually(lambda: not sqs.left(queue), 20, "deleted")
    sent = {m["QueueUrl"] for name, m, _ in sqs.calls if name == "ReceiveMessage"}
    assert sent == {"http://nowhere.invalid:1/000000000000/queue"}, sent


RECEIVE_FAULTS = {
    "500": Answer(500, "oops"),
    "503": Answer(503, {"__type": "ServiceUnavailable", "message": "busy"}),
    "429": Answer(429, {"__type": "RequestThrottled", "message": "slow down"}),
    "throttled": Answer(400, {"__type": "com.amazonaws.sqs#RequestThrottled", "message": "x"}),
    "over limit": Answer(403, {"__type": "com.amazonaws.sqs#OverLimit", "message": "x"}),
    "drop": Drop(), "reset": Drop(reset=True),
    "empty body": Answer(200, b""), "not json": Answer(200, "<html>no</html>"),
    "array": Answer(200, b"[]"), "null": Answer(200, b"null"),
    "messages is text": Answer(200, {"Messages": "x"}),
    "messages is null": Answer(200, {"Messages": None}),
    "message is text": Answer(200, {"Messages": ["x"]}),
    "message is empty": Answer(200, {"Messages": [{}]}),
    "no body": Answer(200, {"Messages": [{"MessageId": "m", "ReceiptHandle": "h"}]}),
    "no handle": Answer(200, {"Messages": [{"MessageId": "m", "Body": "b"}]}),
    "garbage": Raw(b"\x00\x01\x02\x03\r\n\r\n"),
    "bad length": Raw(b"HTTP/1.1 200 OK\r\nContent-Length: banana\r\n\r\n{}"),
    "bad utf-8": Answer(200, b'{"Messages":[{"MessageId":"m","ReceiptHandle":"h","Body":"\xff\xfe"}]}'),
    "redirect": Answer(302, b"", {"Location": "http://127.0.0.1:1/"}),
}


@limit(150)
def test_receive_faults(t):
    """After each fault the next receive works and the message is handled."""
    sqs, queue, counter, config = set_up(t)
    gateway = t.gateway(config)
    eventually(lambda: sqs.count("ReceiveMessage") >= 1, 10, "the first receive")
    for name, fault in RECEIVE_FAULTS.items():
        sqs.fail("ReceiveMessage", fault, times=2)
        sqs.kick()
        eventually(lambda: sqs.used_up("ReceiveMessage"), 30, f"{name!r} met twice")
        sqs.put(queue, {"fault": name})
        eventually(lambda: not sqs.left(queue), 30, f"handled after {name!r}")
    assert gateway.running()
    once(queue, counter)
    assert gateway.stop() == 0


@limit(90)
def test_half_answers_and_lost_replies(t):
    """The server took the messages as received, but the answer did not arrive: they come again."""
    sqs, queue, counter, config = set_up(t, visibility=5)

    def once_with_messages(spoil):
        """Spoils the first answer that holds messages."""
        used = []

        def fault(request, do):
            answer = do()
            if used or b'"Messages"' not in answer.body:
                return answer
            used.append(1)
            return spoil(answer)

        return fault

    gateway = t.gateway(config)
    for name, spoil in (("half", Half), ("lost", lambda answer: Drop())):
        sqs.fail("ReceiveMessage", once_with_messages(spoil), times=None)
        before = sqs.count("ReceiveMessage")
        sqs.kick()
        eventually(lambda n=before: sqs.count("ReceiveMessage") > n, 10, "a receive that will fail")
        messages = sqs.put(queue, *[{"id": i} for i in range(5)])
        eventually(lambda: not sqs.left(queue), 25, f"handled after {name}")
        sqs.heal()
        for message in messages:
            assert counter.counts[message.id] == 1
        assert max(len(message.receives) for message in messages) == 2, "the fault did not happen"
    assert gateway.stop() == 0


@limit(60)
def test_endless_answer_is_bounded(t):
    sqs, queue, counter, config = set_up(t)
    endless = Endless(300 << 20)
    claims = Endless(300 << 20, chunked=False)
    sqs.fail("ReceiveMessage", endless)
    sqs.fail("ReceiveMessage", claims)
    gateway = t.gateway(config)
    eventually(lambda: sqs.count("ReceiveMessage") >= 3, 40, "went on after it")
    sqs.put(queue, {"id": 1})
    eventually(lambda: not sqs.left(queue), 20, "handled")
    with open(f"/proc/{gateway.process.pid}/status") as handle:
        peak = next(int(line.split()[1]) for line in handle if line.startswith("VmHWM"))
    most = 400_000 if "asan" in str(BINARY) else 150_000
    assert peak < most, f"{peak} kB at the peak"
    assert endless.sent < 200 << 20, f"took {endless.sent} bytes before it gave up"


@limit(60)
def test_duplicate_members(t):
    """Duplicate members: the last one counts, as AWS's parsers do; it is one message either way."""
    sqs, queue, counter, config = set_up(t)

    def doubled(request, do):
        answer = do()
        messages = json.loads(answer.body).get("Messages")
        if messages:
            text = answer.body.decode()
            first = '"Body": "{\\"id\\": 1}"'
            assert first in text, text
            answer.body = text.replace(first, '"Body": "overwritten", ' + first).encode()
        return answer

    sqs.fail("ReceiveMessage", doubled, times=None)
    sqs.put(queue, {"id": 1})
    t.gateway(config)
    eventually(lambda: not sqs.left(queue), 20, "handled")
    assert [r["body"] for e in counter.events for r in e["Records"]] == ['{"id": 1}']


@limit(60)
def test_same_message_twice_in_one_answer(t):
    """One receipt handle per message, the latest; not twice in one batch (sqs.md 2)."""
    sqs, queue, counter, config = set_up(t, event={"MaximumBatchingWindowInSeconds": 1})

    def doubled(request, do):
        answer = do()
        body = json.loads(answer.body)
        if body.get("Messages"):
            body["Messages"] = body["Messages"] + body["Messages"]
            answer.body = json.dumps(body).encode()
        return answer

    sqs.fail("ReceiveMessage", doubled, times=None)
    sqs.put(queue, {"id": 1}, {"id": 2})
    t.gateway(config)
    eventually(lambda: not sqs.left(queue), 20, "handled")
    for event in counter.events:
        ids = [record["messageId"] for record in event["Records"]]
        assert len(ids) == len(set(ids)), ids
    never(lambda: any(n > 1 for n in counter.counts.values()), 1.5, "handled twice")


@limit(90)
def test_delete_faults(t):
    """A delete that failed is tried again: handled once, deleted in the end."""
    sqs, queue, counter, config = set_up(t)
    gateway = t.gateway(config)

    def lost(request, do):
        do()
        return Drop()

    def entries_fail(request, do):
        return Answer(200, {"Successful": [], "Failed": [
            {"Id": e["Id"], "SenderFault": False, "Code": "InternalError", "Message": "x"}
            for e in request.json["Entries"]]})

    def half_fail(request, do):
        entries = request.json["Entries"]
        with sqs.changed:
            sqs._delete(queue, entries[0]["ReceiptHandle"])
        return Answer(200, {"Successful": [{"Id": entries[0]["Id"]}], "Failed": [
            {"Id": e["Id"], "SenderFault": False, "Code": "InternalError", "Message": "x"}
            for e in entries[1:]]})

    faults = {"500": Answer(500, "x"), "429": Answer(429, "x"), "drop": Drop(), "lost": lost,
              "half": lambda request, do: Half(do()), "not json": Answer(200, "nonsense"),
              "entries fail": entries_fail, "half fail": half_fail}
    for name, fault in faults.items():
        sqs.fail("DeleteMessageBatch", fault, times=1)
        sqs.put(queue, *[{"fault": name, "i": i} for i in range(4)])
        eventually(lambda: not sqs.left(queue), 20, f"deleted after {name!r}")
    once(queue, counter)
    eventually(lambda: gateway.metric("penstock_concurrent_executions") == 0, 5)
    assert gateway.stop() == 0


@limit(60)
def test_invalid_handle_is_not_tried_for_ever(t):
    sqs, queue, counter, config = set_up(t)

    def invalid(request, do):
        return Answer(200, {"Successful": [], "Failed": [
            {"Id": e["Id"], "SenderFault": True, "Code": "ReceiptHandleIsInvalid", "Message": "x"}
            for e in request.json["Entries"]]})

    sqs.fail("DeleteMessageBatch", invalid, times=None)
    sqs.put(queue, {"id": 1})
    gateway = t.gateway(config)
    eventually(lambda: sqs.count("DeleteMessageBatch") >= 1, 10, "a delete")
    never(lambda: sqs.count("DeleteMessageBatch") > 8, 3, "a storm of deletes")
    assert gateway.stop() == 0, "drain hangs on a delete that cannot work"


@limit(60)
def test_storm_of_errors_backs_off(t):
    sqs, queue, counter, config = set_up(t)
    sqs.fail("ReceiveMessage", Answer(503, "storm"), times=None)
    gateway = t.gateway(config)
    eventually(lambda: sqs.count("ReceiveMessage") >= 2, 10)
    before = sqs.count("ReceiveMessage")
    never(lambda: sqs.count("ReceiveMessage") - before > 40, 4, "hammers a server that is down")
    sqs.heal()
    sqs.put(queue, {"id": 1})
    eventually(lambda: not sqs.left(queue), 40, "works after the storm")
    assert gateway.get("/healthz").status == 200


@limit(90)
def test_wrong_credentials(t):
    sqs, queue, counter, config = set_up(t)
    sqs.fail("*", Answer(403, {
        "__type": "com.amazonaws.sqs#InvalidClientTokenId",
        "message": "The security token included in the request is invalid."}), times=None)
    sqs.put(queue, {"id": 1})
    gateway = t.gateway(config)
    eventually(lambda: "The security token included in the request is invalid" in gateway.log(),
               20, "the server's words in the log")
    assert gateway.get("/healthz").status == 200
    assert "test-secret" not in gateway.log()
    sqs.heal()
    eventually(lambda: not sqs.left(queue), 60, "works once they are accepted")


@limit(60)
def test_server_dies_and_comes_back(t):
    from fake_sqs import FakeSqs
    sqs, queue, counter, config = set_up(t)
    sqs.put(queue, {"id": 1})
    t.gateway(config)
    eventually(lambda: not sqs.left(queue), 10, "before")
    sqs.stop()
    again = FakeSqs(port=sqs.port)
    t.ends.callback(again.stop)
    other = again.queue("queue", 30)
    again.put(other, {"id": 2})
    eventually(lambda: not again.left(other), 40, "after")


@limit(60)
def test_held_messages_are_extended(t):
    """One slot, slow function: what waits is extended in time, by the server's own books."""
    def slow(event):
        return Slow(0.7, Answer(200, "null"))

    sqs, queue, counter, config = set_up(t, visibility=2, answer=slow, event={"BatchSize": 1},
                                         ReservedConcurrentExecutions=1, Timeout=2)
    sqs.put(queue, *[{"id": i} for i in range(20)])
    gateway = t.gateway(config)
    eventually(lambda: not sqs.left(queue), 40, "all handled")
    once(queue, counter)
    assert counter.server.peak == 1
    assert any(message.extensions for message in queue.messages), "nothing was held: a weak test"
    assert gateway.stop() == 0


@limit(60)
def test_extension_faults(t):
    """ChangeMessageVisibility fails now and then: tried again before the time is up."""
    def slow(event):
        return Slow(0.5, Answer(200, "null"))

    sqs, queue, counter, config = set_up(t, visibility=4, answer=slow, event={"BatchSize": 1},
                                         ReservedConcurrentExecutions=1, Timeout=3)
    sqs.fail("ChangeMessageVisibilityBatch", Answer(500, "x"))
    sqs.fail("ChangeMessageVisibilityBatch", Drop())
    sqs.put(queue, *[{"id": i} for i in range(16)])
    t.gateway(config)
    eventually(lambda: not sqs.left(queue), 40, "all handled")
    once(queue, counter)


@limit(60)
def test_clock_of_visibility_jumps(t):
    """The queue gives a message again while its function runs: the newer handle deletes it."""
    def slow(event):
        return Slow(1.5, Answer(200, "null"))

    sqs, queue, counter, config = set_up(t, visibility=30, answer=slow, Timeout=5)
    message = sqs.put(queue, {"id": 1})[0]
    gateway = t.gateway(config)
    eventually(lambda: counter.counts, 10, "it runs")
    sqs.advance(60)
    eventually(lambda: message.deleted is not None, 20, "deleted in the end")
    assert 1 <= counter.counts[message.id] <= 2
    assert gateway.stop() == 0


@limit(60)
def test_drain_releases_what_waits(t):
    """What waits for a slot at the drain is given back, not handled and not deleted."""
    def slow(event):
        return Slow(1, Answer(200, "null"))

    sqs, queue, counter, config = set_up(t, answer=slow, event={"BatchSize": 1},
                                         ReservedConcurrentExecutions=1)
    sqs.put(queue, *[{"id": i} for i in range(10)])
    gateway = t.gateway(config)
    eventually(lambda: counter.counts, 10, "the first runs")
    assert gateway.stop() == 0
    handled = len(counter.counts)
    assert handled <= 2, f"{handled} were handled during the drain"
    assert len(sqs.left(queue)) == 10 - handled


@limit(60)
def test_slow_server_does_not_hold_up_others(t):
    """Receives of one queue that never answer leave the other queue alone."""
    sqs = t.fake_sqs()
    stuck, good = sqs.queue("stuck"), sqs.queue("good")

    def hold(request, do):
        if request.json["QueueUrl"].endswith("/stuck"):
            return Slow(25, Answer(200, "{}"))
        return do()

    sqs.fail("ReceiveMessage", hold, times=None)
    counter = Counter(t)
    functions = {"stuck": url_function(counter.server, stuck),
                 "good": url_function(counter.server, good)}
    gateway = t.gateway(t.config(functions, sqs))
    sqs.put(good, *[{"id": i} for i in range(30)])
    eventually(lambda: not sqs.left(good), 10, "the good queue is served")
    assert gateway.stop(10) == 0, "drain waits for a receive that does not answer"
