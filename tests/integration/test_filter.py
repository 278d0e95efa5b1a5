"""FilterCriteria: what matches reaches the function unchanged, the rest is deleted and counted."""

import json
import subprocess
import time

from gateway import BINARY, event_of
from harness import embedded, limit
from scripted_http import Answer
from servers import eventually, never
from test_faults import set_up
from test_operate import law
from test_reload import reload

PARTIAL = {"FunctionResponseTypes": ["ReportBatchItemFailures"]}


def criteria(*patterns):
    return {"FilterCriteria": {"Filters": [
        {"Pattern": p if isinstance(p, str) else json.dumps(p)} for p in patterns]}}


KIND_A = criteria({"body": {"kind": ["a"]}})


def filtered(gateway, mapping):
    return gateway.metric("penstock_records_filtered_total", mapping=mapping)


class Seen:
    """A function that keeps the records it gets."""

    def __init__(self, t):
        self.records = []
        self.server = t.http_server(self.handle)

    def handle(self, request):
        self.records.extend(request.json["Records"])
        return Answer(200, "null")

    def function(self, queue, **properties):
        return {"Url": f"http://127.0.0.1:{self.server.port}/", "Timeout": 10,
                "Events": event_of(queue, **properties)}


@limit(90)
def test_matching_messages_reach_the_function_unchanged(t):
    queue = t.queue(VisibilityTimeout=30)
    bodies = ['{ "kind" : "a", "n": 1.00, "u": "\\u00e9é" }', '{"kind":"b"}', '{"kind":["c","a"]}',
              '{"other":"a"}', "kind a", ""]
    bodies = [body for body in bodies if body]
    for i, body in enumerate(bodies):
        queue.send(body, MessageAttributes={
            "number": {"DataType": "Number", "StringValue": str(i)}})
    seen = Seen(t)
    gateway = t.gateway(t.config({"f": seen.function(queue, **KIND_A)}, t.server()))
    eventually(queue.empty, 20, "queue empty")
    assert sorted(r["body"] for r in seen.records) == sorted([bodies[0], bodies[2]])
    for record in seen.records:
        assert record["messageAttributes"]["number"]["stringValue"] == \
            str(bodies.index(record["body"]))
        assert record["eventSource"] == "aws:sqs" and record["receiptHandle"]
    eventually(lambda: filtered(gateway, "f/Queue") == 3, 5, "filtered is counted")
    assert gateway.metric("penstock_records_done_total", mapping="f/Queue") == 2
    law(gateway)
    assert gateway.stop() == 0


TEXT = {"body": ["plain text"]}
JSON = {"body": {"a": [1]}}
META = {"messageAttributes": {"colour": {"stringValue": ["red"]}}}
ROWS = {  # pattern, body -> does the function get it
    "text-text": (TEXT, "plain text", True),
    "text-other-text": (TEXT, "another text", False),
    "text-json": (TEXT, '{"a":1}', False),
    "text-array": (TEXT, '["plain text"]', False),
    "prefix-text": ({"body": [{"prefix": "plain"}]}, "plain text", True),
    "json-text": (JSON, "plain text", False),
    "json-json": (JSON, '{"a":1,"b":2}', True),
    "json-other-json": (JSON, '{"a":2}', False),
    "json-broken": (JSON, '{"a":1', False),
    "json-array": (JSON, '[{"a":2},{"a":1}]', True),
    "number-text": ({"body": ["5"]}, "5", True),
    "number-number": ({"body": [5]}, "5", True),
    "number-other": ({"body": [6]}, "5", False),
    "string-json": ({"body": ["x"]}, '"x"', True),
    "meta-text": (META, "plain text", True),
    "meta-json": (META, '{"a":1}', True),
    "meta-other": ({"messageAttributes": {"colour": {"stringValue": ["blue"]}}}, "x", False),
    "meta-and-json": (dict(META, **JSON), '{"a":1}', True),
    "meta-and-json-text": (dict(META, **JSON), "plain text", False),
    "system": ({"attributes": {"ApproximateReceiveCount": ["1"]}}, "x", True),
    "arn": ({"eventSourceARN": [{"suffix": "-arn"}]}, "x", True),
    "arn-other": ({"eventSourceARN": [{"prefix": "arn:aws:sns"}]}, "x", False),
    "no-member": ({"body": {"b": [{"exists": False}]}}, '{"a":1}', True),
    "no-member-text": ({"body": {"b": [{"exists": False}]}}, "plain text", False),
}


@limit(120)
def test_table_of_bodies_and_patterns(t):
    queues, seen, functions = {}, {}, {}
    for name, (pattern, body, _) in ROWS.items():
        queues[name] = t.queue(name, VisibilityTimeout=60)
        seen[name] = Seen(t)
        functions[name] = seen[name].function(queues[name], **criteria(pattern))
        queues[name].send(body, MessageAttributes={
            "colour": {"DataType": "String", "StringValue": "red"}})
    gateway = t.gateway(t.config(functions, t.server()))

    def wrong():
        found = {}
        for name, (_, body, passes) in ROWS.items():
            bodies = [record["body"] for record in seen[name].records]
            have = (bodies, filtered(gateway, f"{name}/Queue"), queues[name].count())
            wanted = ([body] if passes else [], 0 if passes else 1, 0)
            if have != wanted:
                found[name] = (have, wanted)
        return found

    try:
        eventually(lambda: not wrong(), 30, "each row as in the table")
    except AssertionError:
        raise AssertionError(f"(have, wanted): {wrong()}") from None
    law(gateway)


@limit(90)
def test_any_of_the_filters_is_enough(t):
    queue = t.queue()
    records = t.records()
    queue.send_all([{"id": i, "kind": "abcde"[i % 5]} for i in range(50)])
    gateway = t.gateway(t.config({"worker": t.worker(
        queue, records, None, criteria({"body": {"kind": ["a"]}}, {"body": {"kind": ["c"], "id": [
            {"numeric": [">=", 25]}]}}))}, t.server()))
    eventually(queue.empty, 20, "queue empty")
    wanted = [i for i in range(50) if i % 5 == 0 or (i % 5 == 2 and i >= 25)]
    assert sorted(records.by_id()) == wanted
    eventually(lambda: filtered(gateway, "worker/Queue") == 50 - len(wanted), 5, "counted")


@limit(60)
def test_no_filters_are_none(t):
    queues = [t.queue("empty"), t.queue("list")]
    events = [{"FilterCriteria": {}}, {"FilterCriteria": {"Filters": []}}]
    records = [t.records(f"{i}.jsonl") for i in range(2)]
    t.gateway(t.config({f"w{i}": t.worker(queues[i], records[i], None, events[i])
                        for i in range(2)}, t.server()))
    for i in range(2):
        queues[i].send({"id": 1})
        eventually(lambda n=i: records[n].count() == 1, 20, "the message")


@limit(120)
def test_fifo_with_filtered_messages_inside_a_group(t):
    """Order of what remains, and failures that block their group, are as if the rest were not there."""
    queue, dead = t.queue("queue.fifo", dead_after=9, VisibilityTimeout=2)
    records = t.records()
    groups, each = 3, 30
    bodies = [{"id": f"g{g}-{i}", "g": g, "kind": "a" if i % 3 else "b",
               "fail": 1 if i in (7, 20) else 0} for i in range(each) for g in range(groups)]
    queue.send_all(bodies, group=lambda _, body: f"g{body['g']}")
    gateway = t.gateway(t.config({"worker": t.worker(
        queue, records, {"PARTIAL": "1"}, {"BatchSize": 10, **PARTIAL, **KIND_A}, Timeout=2,
        ReservedConcurrentExecutions=4)}, t.server()))
    eventually(queue.empty, 90, "queue empty", every=0.2)
    for g in range(groups):
        done = [int(line["id"].split("-")[1]) for line in records.lines()
                if line["ok"] and line["group"] == f"g{g}"]
        assert done == [i for i in range(each) if i % 3], f"group {g}: {done}"
    assert filtered(gateway, "worker/Queue") == groups * each // 3
    assert dead.empty(), f"dead letter queue: {dead.depth()}"
    law(gateway)


@limit(120)
def test_filters_with_partial_failures_and_a_window(t):
    """Batches fill up with what matches; what fails comes again, what was filtered does not."""
    queue, dead = t.queue(dead_after=4, VisibilityTimeout=8)
    records = t.records()
    queue.send_all([{"id": i, "kind": "ab"[i % 2], "fail": 1 if i % 10 == 0 else 0}
                    for i in range(120)])
    gateway = t.gateway(t.config({"worker": t.worker(
        queue, records, {"PARTIAL": "1"},
        {"BatchSize": 30, "MaximumBatchingWindowInSeconds": 3, **PARTIAL, **KIND_A}, Timeout=2,
        ReservedConcurrentExecutions=2)}, t.server()))
    eventually(queue.empty, 60, "queue empty", every=0.2)
    seen = records.by_id()
    assert sorted(seen) == list(range(0, 120, 2))
    for i, lines in seen.items():
        assert [line["receive"] for line in lines] == ([1, 2] if i % 10 == 0 else [1]), (i, lines)
    assert max(line["batch"] for line in records.lines()) == 30, "no batch was filled"
    assert dead.empty(), f"dead letter queue: {dead.depth()}"
    eventually(lambda: filtered(gateway, "worker/Queue") == 60, 5, "counted once each")
    law(gateway)


@limit(240)
def test_ten_thousand_of_which_one_in_a_hundred_matches(t):
    queue = t.queue(VisibilityTimeout=60)
    records = t.records()
    n = 10000
    queue.send_all([{"id": i, "kind": "a" if i % 100 == 0 else "b"} for i in range(n)])
    gateway = t.gateway(t.config({"worker": t.worker(queue, records, None, KIND_A)}, t.server()))
    begun = time.monotonic()
    eventually(queue.empty, 200, "queue empty", every=0.1)
    took = time.monotonic() - begun
    assert sorted(records.by_id()) == list(range(0, n, 100))
    assert all(len(lines) == 1 for lines in records.by_id().values())
    assert filtered(gateway, "worker/Queue") == n - n // 100
    law(gateway)
    print(f"     {n} messages, 1 % match: {n / took:.0f} deletes/s", flush=True)


@limit(60)
def test_filtered_messages_need_no_function(t):
    """The function is busy with its only slot; what nobody wants is deleted meanwhile."""
    queue = t.queue(VisibilityTimeout=60)
    records = t.records()
    gateway = t.gateway(t.config({"worker": t.worker(
        queue, records, None, {"BatchSize": 1, **KIND_A}, ReservedConcurrentExecutions=1)},
        t.server()))
    queue.send({"id": "slow", "kind": "a", "sleep": 6})
    eventually(lambda: queue.depth()[1] == 1, 10, "the function is at work")
    queue.send_all([{"id": i, "kind": "b"} for i in range(50)])
    eventually(lambda: filtered(gateway, "worker/Queue") == 50, 5, "filtered")
    eventually(lambda: queue.depth() == (0, 1, 0), 5, "deleted")
    assert records.count() == 0, "it was to be at work still"
    eventually(queue.empty, 15, "queue empty")


@limit(150)
def test_kill_9_loses_no_message_that_matches(t):
    queue = t.queue(VisibilityTimeout=2)
    records = t.records()
    gateway = t.gateway(t.config({"worker": t.worker(
        queue, records, {"LATENCY": "0.01"}, KIND_A, Timeout=2)}, t.server()))
    sent = 0
    for kill in range(4):
        queue.send_all([{"id": i, "kind": "a" if i % 4 == 0 else "b"}
                        for i in range(sent, sent + 200)])
        sent += 200
        before = records.count()
        eventually(lambda n=before: records.count() > n, 30, f"work before kill {kill}")
        gateway.kill9()
        gateway.nothing_left()
        gateway.start()
        queue.sqs.connection.close()
    eventually(queue.empty, 60, "queue empty", every=0.2)
    assert sorted(records.by_id()) == list(range(0, sent, 4))


def told_once(queue, counter):
    """Each message received once and deleted once; in the function only those of kind a."""
    for message in queue.messages:
        wanted = 1 if json.loads(message.body)["kind"] == "a" else None
        assert counter.counts.get(message.id) == wanted, message.body
        assert (len(message.receives), message.deletes) == (1, 1), vars(message)


@limit(60)
def test_a_whole_receive_is_one_delete_request(t):
    sqs, queue, counter, config = set_up(t, event=KIND_A)
    sqs.put(queue, *[{"id": i, "kind": "a" if i < 10 else "b"} for i in range(200)])
    gateway = t.gateway(config)
    eventually(lambda: not sqs.left(queue), 20, "all deleted")
    told_once(queue, counter)
    deletes = [len(m["Entries"]) for name, m, _ in sqs.calls if name == "DeleteMessageBatch"]
    assert sum(deletes) == 200 and deletes.count(10) >= 19, deletes
    assert filtered(gateway, "f/Queue") == 190
    assert gateway.stop() == 0


@limit(60)
def test_deletes_that_fail_are_repeated(t):
    sqs, queue, counter, config = set_up(t, event=KIND_A)
    sqs.fail("DeleteMessageBatch", Answer(500, "oops"), 4)
    sqs.put(queue, *[{"id": i, "kind": "ab"[i % 2]} for i in range(40)])
    gateway = t.gateway(config)
    eventually(lambda: not sqs.left(queue), 30, "all deleted")
    told_once(queue, counter)
    assert filtered(gateway, "f/Queue") == 20
    assert gateway.metric("penstock_sqs_undeleted_total", mapping="f/Queue") == 0
    law(gateway)
    assert gateway.stop() == 0


BAD = {  # pattern -> what is said of it
    '{"body": {"kind": "a"}}': 'must be an object or an array',
    '{"body": {"kind": [{"prefx": "a"}]}}': "prefx",
    "{}": "",
    "body": "",
    '{"body": []}': "",
}


def check(gateway, *options):
    return subprocess.run([BINARY, "check", *options, gateway.file], capture_output=True, text=True,
                          timeout=20, check=False)


@limit(60)
def test_bad_patterns_are_refused_by_check(t):
    queue = "nobody"
    gateway = t.gateway(t.config({"f": {"Url": "http://127.0.0.1:1/"}}), start=False)
    for pattern, said in BAD.items():
        gateway.write(t.config({"f": {"Url": "http://127.0.0.1:1/", "Events": event_of(
            queue, **criteria({"body": ["x"]}, pattern))}}))
        done = check(gateway)
        first, excerpt, caret = done.stderr.splitlines()[:3]
        assert done.returncode == 2, done
        assert "Functions.f.Events.Queue.FilterCriteria.Filters[1].Pattern: " \
            "Invalid filter pattern definition. " in first and said in first, first
        assert excerpt.endswith("| " + pattern) and caret.rstrip().endswith("^"), done.stderr
        errors = json.loads(check(gateway, "--json").stdout)["errors"]
        assert errors == [first], errors


@limit(60)
def test_check_warns_of_what_aws_would_not_take(t):
    gateway = t.gateway(t.config({"f": {"Url": "http://127.0.0.1:1/", "Events": event_of(
        "nobody", **criteria({"body": [{"wildcard": "a*"}]}, *[{"body": [str(i)]}
                                                             for i in range(5)]))}}))
    done = check(gateway)
    assert done.returncode == 0, done
    wild, six = sorted(done.stderr.splitlines(), key=lambda line: "raised quota" in line)
    assert "Filters[0].Pattern: warning: wildcard " in wild, wild
    assert "Filters: warning: 6 filters" in six, six
    told = json.loads(check(gateway, "--json").stdout)
    assert sorted(told["warnings"]) == sorted([wild, six]) and told["errors"] == [], told
    for words in ("wildcard is documented for event buses", "6 filters; AWS takes"):
        assert gateway.log().count(words) == 1, f"{words}: {gateway.log()}"


@limit(90)
def test_reload_takes_new_filters_and_refuses_bad_ones(t):
    queue = t.queue()
    records = t.records()

    def config(*patterns):
        event = criteria(*patterns) if patterns else {}
        return t.config({"worker": t.worker(queue, records, None, event)}, t.elasticmq())

    gateway = t.gateway(config({"body": {"kind": ["a"]}}))
    queue.send_all([{"id": f"1{kind}", "kind": kind} for kind in "ab"])
    eventually(queue.empty, 15, "first round")
    reload(gateway, config({"body": {"kind": "b"}}))
    assert "stays in force" in gateway.log() and "Invalid filter pattern" in gateway.log()
    queue.send_all([{"id": f"2{kind}", "kind": kind} for kind in "ab"])
    eventually(queue.empty, 15, "second round")
    reload(gateway, config({"body": {"kind": ["b"]}}))
    queue.send_all([{"id": f"3{kind}", "kind": kind} for kind in "ab"])
    eventually(queue.empty, 15, "third round")
    reload(gateway, config())
    queue.send_all([{"id": f"4{kind}", "kind": kind} for kind in "ab"])
    eventually(queue.empty, 15, "fourth round")
    assert sorted(records.by_id()) == ["1a", "2a", "3b", "4a", "4b"]
    assert gateway.stop() == 0


@limit(120)
def test_reload_under_load_loses_nothing(t):
    """Both filters want the even ones; the change replaces the mapping again and again."""
    queue = t.queue(VisibilityTimeout=10)
    records = t.records()

    def config(i):
        return t.config({"worker": t.worker(queue, records, None, criteria(
            {"body": {"even": [True], "round": [{"anything-but": f"r{i}"}]}}))}, t.elasticmq())

    gateway = t.gateway(config(0))
    sent = 0
    for i in range(5):
        queue.send_all([{"id": n, "even": n % 2 == 0, "round": "none"}
                        for n in range(sent, sent + 200)])
        sent += 200
        reload(gateway, config(i + 1))
    eventually(queue.empty, 60, "queue empty", every=0.2)
    assert sorted(records.by_id()) == list(range(0, sent, 2))
    assert gateway.stop() == 0


@limit(60)
def test_debug_tells_why(t):
    queue = t.queue()
    records = t.records()
    queue.send_all([{"id": 1, "kind": "loud"}, "plain text"])
    gateway = t.gateway(t.config({"worker": t.worker(queue, records, None, criteria(
        {"body": {"kind": ["quiet"]}}))}, t.elasticmq(), LogLevel="debug"))
    eventually(lambda: filtered(gateway, "worker/Queue") == 2, 15, "filtered")
    lines = [line for line in gateway.log().splitlines() if "is filtered out" in line]
    assert len(lines) == 2, lines
    assert any("body.kind" in line and "loud" in line and "quiet" in line for line in lines), lines
    assert any("is plain text, the pattern wants JSON" in line for line in lines), lines
    never(lambda: records.count(), 0.2, "a filtered message in the function")


for _function in (
        test_matching_messages_reach_the_function_unchanged, test_table_of_bodies_and_patterns,
        test_any_of_the_filters_is_enough, test_no_filters_are_none,
        test_fifo_with_filtered_messages_inside_a_group,
        test_ten_thousand_of_which_one_in_a_hundred_matches,
        test_filtered_messages_need_no_function, test_kill_9_loses_no_message_that_matches):
    globals()[_function.__name__ + "_embedded"] = embedded(_function)
