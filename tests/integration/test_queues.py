"""Queues that live in the gateway: from the file and by the API, over restarts and reloads, for every
client; and the scenarios of the SQS source on them."""

import json
import os
import re
import shutil
import signal
import subprocess
import time

import test_fifo
import test_sqs
from gateway import BINARY, arn
from harness import embedded, limit
from servers import ROOT, eventually
from sqs_client import Queue, Sqs, SqsError

# The acceptance of the SQS source, once more on embedded queues.
for _function in (
        test_sqs.test_partial_failures_1000, test_sqs.test_partial_failures_10000,
        test_sqs.test_held_while_slots_are_taken, test_sqs.test_partial_response_table,
        test_sqs.test_function_error_releases_all,
        test_sqs.test_always_failing_goes_to_the_dead_letter_queue, test_sqs.test_timeout_releases,
        test_sqs.test_window_gathers, test_sqs.test_window_ends_when_the_batch_is_full,
        test_sqs.test_window_extends_visibility, test_sqs.test_batch_is_what_is_there_without_window,
        test_sqs.test_event_is_cut_at_6_mb, test_sqs.test_cut_counts_what_escaping_adds,
        test_sqs.test_event_bytes, test_sqs.test_event_without_attributes,
        test_sqs.test_visibility_shorter_than_timeout, test_sqs.test_maximum_concurrency,
        test_sqs.test_disabled_mapping_is_left_alone,
        test_sqs.test_two_mappings_on_one_queue_share_it,
        test_fifo.test_order_under_load, test_fifo.test_order_under_load_long,
        test_fifo.test_groups_run_side_by_side, test_fifo.test_failed_batch_blocks_its_group_only,
        test_fifo.test_event_has_fifo_attributes):
    globals()[_function.__name__ + "_embedded"] = embedded(_function)


def serving(t, queues=None, **gateway):
    """A gateway with queues and no functions; its SQS client."""
    config = {"Queues": queues or {}, "Functions": {}, "Gateway": gateway}
    gateway = t.gateway(config)
    return gateway, client(gateway)


def client(gateway):
    return Sqs(f"http://{gateway.address}")


def queue_of(sqs, name):
    return Queue(sqs, name, sqs.call("GetQueueUrl", QueueName=name)["QueueUrl"])


def names(sqs):
    urls = sqs.call("ListQueues").get("QueueUrls") or []
    return sorted(url.rsplit("/", 1)[1] for url in urls)


def redrive(name, receives):
    return {"deadLetterTargetArn": arn(name), "maxReceiveCount": receives}


def tags_of(queue):
    return queue.sqs.call("ListQueueTags", QueueUrl=queue.url).get("Tags") or {}


def fails(code, act):
    try:
        act()
    except SqsError as error:
        assert error.status == 400 and code in error.body, error
        return error.body
    raise AssertionError(f"{code} was expected")


# ---- the file

@limit(60)
def test_queues_of_the_file(t):
    _, sqs = serving(t, {
        "orders": {"VisibilityTimeout": 45, "DelaySeconds": 0, "MessageRetentionPeriod": 3600,
                   "RedrivePolicy": redrive("orders-dead", 3),
                   "Tags": [{"Key": "team", "Value": "blue"}]},
        "orders-dead": {"RedriveAllowPolicy": {"redrivePermission": "byQueue",
                                               "sourceQueueArns": [arn("orders")]}},
        "plain": None,
        "steps.fifo": {"ContentBasedDeduplication": True}})
    assert names(sqs) == ["orders", "orders-dead", "plain", "steps.fifo"]
    orders = queue_of(sqs, "orders")
    told = orders.attributes()
    assert told["VisibilityTimeout"] == "45" and told["MessageRetentionPeriod"] == "3600", told
    policy = json.loads(told["RedrivePolicy"])
    assert (policy["deadLetterTargetArn"], int(policy["maxReceiveCount"])) == (
        arn("orders-dead"), 3)
    assert told["QueueArn"] == arn("orders")
    assert tags_of(orders) == {"team": "blue"}
    assert json.loads(queue_of(sqs, "orders-dead").attributes()["RedriveAllowPolicy"]) == {
        "redrivePermission": "byQueue", "sourceQueueArns": [arn("orders")]}
    assert queue_of(sqs, "plain").attributes()["VisibilityTimeout"] == "30"
    steps = queue_of(sqs, "steps.fifo").attributes()
    assert steps["FifoQueue"] == "true" and steps["ContentBasedDeduplication"] == "true", steps


@limit(60)
def test_wrong_queues_of_the_file(t):
    gateway = t.gateway("\n".join((
        "Queues:",
        "  orders: {VisibilityTimeout: 5, KmsMasterKeyId: k}",
        "  steps: {FifoQueue: true}",
        "  dead.letters: {}",
        "  a.fifo: {FifoThroughputLimit: perMessageGroupId}",
        "  b: {VisibilityTimeout: 43201, VisibilityTimeouts: 3}",
        "  c: {RedrivePolicy: {deadLetterTargetArn: " + arn("a.fifo") + ", maxReceiveCount: 3}}",
        "  d: {RedriveAllowPolicy: {redrivePermission: some}}",
        "  short: {VisibilityTimeout: 5}",
        "Functions:",
        "  f:",
        "    Url: http://127.0.0.1:1/",
        "    Timeout: 6",
        "    Events:",
        "      Q: {Type: SQS, Properties: {Queue: " + arn("short") + "}}", "")), start=False)
    done = subprocess.run([BINARY, "check", gateway.file], capture_output=True, text=True)
    assert done.returncode == 2, done
    found = {}
    for text in done.stderr.splitlines():
        _, line, problem = text.split(":", 2)
        found[line] = found.get(line, "") + problem
    wanted = {
        "2": "KmsMasterKeyId is not supported here",
        "3": "must end with .fifo suffix",
        "4": "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length",
        "5": "DeduplicationScope must be messageGroup",
        "6": "VisibilityTimeouts",
        "7": "Dead-letter queue must be same type of queue as the source.",
        "8": "redrivePermission must be allowAll, denyAll or byQueue",
        "15": "Queue visibility timeout: 5 seconds is less than Function timeout: 6 seconds",
    }
    for line, text in wanted.items():
        assert text in found.get(line, ""), (line, text, found)


@limit(60)
def test_the_whole_way(t):
    """Sent to a queue of the file, handled by a function, failures in the dead-letter queue."""
    records = t.records()
    function = t.worker("orders", records, {"PARTIAL": "1"},
                        {"FunctionResponseTypes": ["ReportBatchItemFailures"]}, Timeout=1)
    gateway = t.gateway({
        "Queues": {"orders": {"VisibilityTimeout": 1, "RedrivePolicy": redrive("dead", 2)},
                   "dead": {}},
        "Functions": {"worker": function}})
    sqs = client(gateway)
    orders, dead = queue_of(sqs, "orders"), queue_of(sqs, "dead")
    orders.send({"id": "good"})
    orders.send({"id": "once", "fail": 1})
    orders.send({"id": "poison", "fail": -1})
    eventually(lambda: dead.count() == 1, 30, "the poison message in the dead-letter queue")
    eventually(orders.empty, 10, "queue empty")
    receives = {i: [line["receive"] for line in lines] for i, lines in records.by_id().items()}
    assert receives == {"good": [1], "once": [1, 2], "poison": [1, 2]}, receives
    message = dead.receive()[0]
    assert json.loads(message["Body"])["id"] == "poison"
    assert message["Attributes"]["DeadLetterQueueSourceArn"] == arn("orders"), message
    # moved after two receives, received here once more
    assert message["Attributes"]["ApproximateReceiveCount"] == "3", message


@limit(90)
def test_quickstart(t):
    """What `make run` shows, with Python and with a machine that has none."""
    script = ROOT / "examples" / "quickstart" / "run.sh"
    without = t.folder / "bin"
    without.mkdir()
    for tool in ("sh", "mktemp", "sed", "tee", "cat", "mkfifo", "rm", "sleep", "dirname", "curl",
                 "grep"):
        (without / tool).symlink_to(shutil.which(tool))
    for path in (os.environ["PATH"], str(without)):
        done = subprocess.run([script, BINARY], capture_output=True, text=True,
                              env={"PATH": path, "TMPDIR": str(t.folder)})
        assert done.returncode == 0 and not done.stderr, done
        told_orders = re.findall(r"^   [0-9a-f]{8}  order (\d): attempt (\d) (\w+)$", done.stdout, re.M)
        assert sorted(told_orders) == [
            ("1", "1", "works"), ("2", "1", "fails"), ("2", "2", "works"), ("3", "1", "fails"),
            ("3", "2", "fails"), ("3", "3", "fails")], done.stdout
        assert re.search(r"^orders +0 +0 +0 +- +orders-dead, after 3 receives$", done.stdout, re.M)
        assert re.search(r'  receives 3  \{"id": 3, "fails": 99\}$', done.stdout, re.M), done.stdout
        assert done.stdout.endswith("drained, exit 0\n"), done.stdout
    assert [path.name for path in t.folder.iterdir()] == ["bin"], "left behind"


@limit(60)
def test_examples(t):
    for path in sorted((ROOT / "config" / "examples").glob("*.*")):
        done = subprocess.run([BINARY, "check", path], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr


# ---- restarts

def contents(queue):
    return sorted(message["Body"] for message in queue.receive())


def over_a_restart(t, end):
    gateway, sqs = serving(t, {"declared": {"VisibilityTimeout": 3}})
    declared = queue_of(sqs, "declared")
    made = sqs.create("made", VisibilityTimeout=7, dead=(declared, 5))
    ordered = sqs.create("ordered.fifo", ContentBasedDeduplication="true")
    sqs.call("TagQueue", QueueUrl=made.url, Tags={"k": "v"})
    declared.send("d1", MessageAttributes={"a": {"DataType": "String", "StringValue": "x"}})
    made.send("m1")
    made.send("m2", DelaySeconds=900)
    for i in range(3):
        ordered.send(f"o{i}", MessageGroupId="g")
    held = declared.receive()[0]
    end(gateway)
    gateway.start()
    sqs = client(gateway)
    assert names(sqs) == ["declared", "made", "ordered.fifo"]
    made, declared, ordered = (queue_of(sqs, name) for name in ("made", "declared", "ordered.fifo"))
    told = made.attributes()
    assert told["VisibilityTimeout"] == "7" and "declared" in told["RedrivePolicy"], told
    assert tags_of(made) == {"k": "v"}
    assert made.depth() == (1, 0, 1), made.depth()
    assert contents(made) == ["m1"]
    # in flight before is in flight still, until its visibility ends
    again = eventually(lambda: declared.receive(wait=2), 10, "visible again")[0]
    assert again["MessageId"] == held["MessageId"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2", again
    assert again["MessageAttributes"]["a"]["StringValue"] == "x", again
    declared.delete(again)
    assert declared.empty()
    assert [message["Body"] for message in ordered.receive()] == ["o0", "o1", "o2"]
    # deduplication remembers what came before the restart
    before = ordered.count()
    ordered.send("o1", MessageGroupId="g")
    assert ordered.count() == before


@limit(60)
def test_restart(t):
    def end(gateway):
        assert gateway.stop() == 0
    over_a_restart(t, end)


@limit(60)
def test_kill_and_restart(t):
    over_a_restart(t, lambda gateway: gateway.kill9())


@limit(60)
def test_one_store_one_gateway(t):
    gateway, _ = serving(t, {"q": {}})
    store = gateway.folder / "penstock.db"
    assert store.exists(), sorted(path.name for path in gateway.folder.iterdir())
    second = t.gateway({"Functions": {}, "Gateway": {"Store": str(store)}}, start=False)
    second.spawn()
    assert second.wait(10) == 2
    assert str(store) in second.log(), second.log()


# ---- behaviour by the API

@limit(60)
def test_dead_letters_by_receives(t):
    _, sqs = serving(t)
    dead = sqs.create("dead")
    queue = sqs.create("queue", dead=(dead, 2), VisibilityTimeout=0)
    queue.send("x")
    assert [m["Attributes"]["ApproximateReceiveCount"] for m in queue.receive()] == ["1"]
    assert [m["Attributes"]["ApproximateReceiveCount"] for m in queue.receive()] == ["2"]
    assert queue.receive() == []
    assert queue.empty() and dead.depth() == (1, 0, 0)
    sources = sqs.call("ListDeadLetterSourceQueues", QueueUrl=dead.url)
    assert [url.rsplit("/", 1)[1] for url in sources["queueUrls"]] == ["queue"], sources


@limit(60)
def test_fifo_groups(t):
    _, sqs = serving(t)
    queue = sqs.create("steps.fifo", VisibilityTimeout=30)

    def send(group, body, dedup=None):
        return queue.send(body, MessageGroupId=group, MessageDeduplicationId=dedup or body)

    first = send("a", "a0")
    for body in ("a1", "b0", "a2", "b1"):
        send(body[0], body)
    again = send("a", "other", "a0")
    assert again["MessageId"] == first["MessageId"], "a duplicate within five minutes"
    got = queue.receive(most=2)
    assert [m["Body"] for m in got] == ["a0", "a1"], got
    assert [m["Body"] for m in queue.receive()] == ["b0", "b1"], "group a is closed"
    assert queue.receive() == []
    queue.delete(got[0])
    assert queue.receive() == [], "closed while any of its messages is out"
    queue.delete(got[1])
    assert [m["Body"] for m in queue.receive()] == ["a2"]
    numbers = [int(m["Attributes"]["SequenceNumber"]) for m in got]
    assert numbers == sorted(numbers)


@limit(60)
def test_long_poll_wakes_at_once(t):
    _, sqs = serving(t, {"q": {}})
    poller, sender = queue_of(sqs, "q"), queue_of(Sqs(sqs.url), "q")
    for i in range(5):
        begin = poller.receive_later(wait=20)
        begun = time.monotonic()
        sender.send(str(i))
        messages = begin()
        assert time.monotonic() - begun < 1, "the poll did not wake"
        assert [m["Body"] for m in messages] == [str(i)], messages


@limit(60)
def test_errors(t):
    _, sqs = serving(t, {"q": {}})
    queue = queue_of(sqs, "q")
    fails("QueueDoesNotExist", lambda: sqs.call("GetQueueUrl", QueueName="nobody"))
    fails("ReceiptHandleIsInvalid",
          lambda: sqs.call("DeleteMessage", QueueUrl=queue.url, ReceiptHandle="nonsense"))
    fails("InvalidParameterValue", lambda: queue.receive(most=11))
    fails("QueueNameExists", lambda: sqs.create("q", VisibilityTimeout=99))
    assert sqs.create("q").url == queue.url, "the same attributes: the same queue"


# ---- clients

SCRIPT = r'''
import json, os, sys
import boto3
sqs = boto3.client("sqs", endpoint_url=sys.argv[1], region_name="us-east-1")
resource = boto3.resource("sqs", endpoint_url=sys.argv[1], region_name="us-east-1")
url = sqs.create_queue(QueueName="boto", Attributes={"VisibilityTimeout": "60"},
                       tags={"a": "b"})["QueueUrl"]
assert sqs.get_queue_url(QueueName="boto")["QueueUrl"] == url
assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"a": "b"}
# botocore checks the MD5s by itself
sent = sqs.send_message(QueueUrl=url, MessageBody="one \u00e9", MessageAttributes={
    "n": {"DataType": "Number", "StringValue": "1.5"},
    "b": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}})
batch = sqs.send_message_batch(QueueUrl=url, Entries=[
    {"Id": str(i), "MessageBody": f"batch {i}"} for i in range(9)])
assert len(batch["Successful"]) == 9 and not batch.get("Failed"), batch
got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1,
                          AttributeNames=["All"], MessageAttributeNames=["All"])["Messages"]
assert len(got) == 10, got
first = next(m for m in got if m["MessageId"] == sent["MessageId"])
assert first["Body"] == "one \u00e9" and first["MessageAttributes"]["b"]["BinaryValue"] == b"\x00\xff"
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=first["ReceiptHandle"], VisibilityTimeout=0)
back = sqs.receive_message(QueueUrl=url, AttributeNames=["ApproximateReceiveCount"])["Messages"][0]
assert back["Attributes"] == {"ApproximateReceiveCount": "2"}, back
latest = [back if m is first else m for m in got]  # an old handle deletes nothing, as in AWS
done = sqs.delete_message_batch(QueueUrl=url, Entries=[
    {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"]} for i, m in enumerate(latest)])
assert len(done["Successful"]) == 10, done
counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
assert counts["ApproximateNumberOfMessages"] == counts["ApproximateNumberOfMessagesNotVisible"] == "0"
sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
queue = resource.get_queue_by_name(QueueName="boto")
assert queue.attributes["VisibilityTimeout"] == "5"
for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix="bo"):
    assert page["QueueUrls"] == [url], page
try:
    sqs.get_queue_url(QueueName="nobody")
    raise SystemExit("nobody is there")
except sqs.exceptions.QueueDoesNotExist as error:
    assert error.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue", error.response
sqs.purge_queue(QueueUrl=url)
sqs.delete_queue(QueueUrl=url)
assert "QueueUrls" not in sqs.list_queues(QueueNamePrefix="boto")
print("ok")
'''


def aws_environment(**more):
    keep = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return {**keep, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true", **more}


@limit(90)
def test_boto3(t):
    python = t.part("moto") / "venv" / "bin" / "python"
    gateway, _ = serving(t)
    done = subprocess.run([python, "-c", SCRIPT, f"http://{gateway.address}"], text=True,
                          capture_output=True, env=aws_environment())
    assert done.returncode == 0 and done.stdout == "ok\n", done.stdout + done.stderr


@limit(120)
def test_aws_cli(t):
    aws = t.part("awscli") / "venv" / "bin" / "aws"
    gateway, _ = serving(t, {"orders": {}})

    def call(*words):
        done = subprocess.run([aws, "--endpoint-url", f"http://{gateway.address}", "sqs", *words],
                              capture_output=True, text=True, env=aws_environment())
        assert done.returncode == 0, (words, done.stderr)
        return json.loads(done.stdout) if done.stdout.strip() else None

    url = call("get-queue-url", "--queue-name", "orders")["QueueUrl"]
    sent = call("send-message", "--queue-url", url, "--message-body", "by the aws CLI")
    got = call("receive-message", "--queue-url", url, "--attribute-names", "All")["Messages"]
    assert [(m["MessageId"], m["Body"]) for m in got] == [(sent["MessageId"], "by the aws CLI")]
    call("delete-message", "--queue-url", url, "--receipt-handle", got[0]["ReceiptHandle"])
    made = call("create-queue", "--queue-name", "more.fifo", "--attributes", "FifoQueue=true")
    assert made["QueueUrl"].endswith("/more.fifo"), made
    assert len(call("list-queues")["QueueUrls"]) == 2
    call("delete-queue", "--queue-url", made["QueueUrl"])


@limit(180)
def test_go_sdk(t):
    program = t.part("gosqs") / "client"
    gateway, sqs = serving(t)
    done = subprocess.run([program, f"http://{gateway.address}"], capture_output=True, text=True,
                          env=aws_environment())
    assert done.returncode == 0 and done.stdout == "ok\n", done.stdout + done.stderr
    assert names(sqs) == []


@limit(90)
def test_signatures(t):
    """With credentials in the file only signed requests are answered."""
    gateway, sqs = serving(t, {"q": {}}, AccessKeyId="AKIDTEST", SecretAccessKey="hunter2")
    try:
        sqs.call("ListQueues")
        raise AssertionError("an unsigned request was answered")
    except SqsError as error:
        assert error.status in (400, 403), error
    right = aws_environment(AWS_ACCESS_KEY_ID="AKIDTEST", AWS_SECRET_ACCESS_KEY="hunter2")
    code, out, err = cli(gateway, "list", environment=right)
    assert code == 0 and "q" in out, (code, out, err)
    code, _, err = cli(gateway, "list", environment=aws_environment(AWS_ACCESS_KEY_ID="AKIDTEST"))
    assert code == 1 and "ignature" in err, (code, err)
    code, _, err = cli(gateway, "send", "q", "x", environment=right)
    assert code == 0, err
    code, out, err = cli(gateway, "peek", "q", environment=right)
    assert code == 0 and "x" in out, (code, out, err)
    assert "hunter2" not in gateway.log()


@limit(60)
def test_mapping_with_signatures(t):
    """The gateway's own mappings sign with the keys that its Api wants; so does invoke."""
    records = t.records()
    gateway = t.gateway({
        "Gateway": {"AccessKeyId": "AKIDTEST", "SecretAccessKey": "hunter2"},
        "Queues": {"q": {}}, "Functions": {"worker": t.worker("q", records)}})
    right = aws_environment(AWS_ACCESS_KEY_ID="AKIDTEST", AWS_SECRET_ACCESS_KEY="hunter2")
    assert cli(gateway, "send", "q", '{"id": 1}', environment=right)[0] == 0
    eventually(lambda: records.count() == 1, 20, "handled")

    def invoke(environment):
        return subprocess.run([BINARY, "invoke", "worker", "--api", f"http://{gateway.address}"],
                              capture_output=True, text=True, env=environment)
    done = invoke(right)
    assert done.returncode in (0, 1), done  # it was run; an event without Records may be an error
    done = invoke(aws_environment())
    assert done.returncode == 2 and "UnrecognizedClientException" in done.stderr, done
    assert gateway.request("GET", "/healthz").status == 200, "health needs no signature"
    # an independent signer
    python = t.part("moto") / "venv" / "bin" / "python"
    script = """
import boto3, sys
client = boto3.client("lambda", endpoint_url=sys.argv[1], region_name="us-east-1")
for name in ("worker", "worker:$LATEST", "arn:aws:lambda:us-east-1:000000000000:function:worker"):
    got = client.invoke(FunctionName=name, Payload=b'{"Records": []}')
    assert got["StatusCode"] == 200 and "FunctionError" not in got, got
boto3.client("sqs", endpoint_url=sys.argv[1], region_name="us-east-1").list_queues()
"""
    for environment, code in ((right, 0), (aws_environment(), 1)):
        done = subprocess.run([python, "-c", script, f"http://{gateway.address}"], text=True,
                              capture_output=True, env=environment)
        assert done.returncode == code, done.stderr
    assert "UnrecognizedClientException" in done.stderr, done.stderr


@limit(60)
def test_addresses(t):
    """Mappings find their own Api whatever it listens on."""
    for address in ("0.0.0.0:0", "[::1]:0", "[::]:0"):
        records = t.records(f"{len(t.gateways)}.jsonl")
        gateway = t.gateway({"Queues": {"q": {}}, "Gateway": {"Api": address},
                             "Functions": {"worker": t.worker("q", records)}})
        gateway.address = gateway.address.replace("0.0.0.0", "127.0.0.1").replace("[::]", "[::1]")
        code, _, err = cli(gateway, "send", "q", '{"id": 1}')
        assert code == 0, (address, err)
        eventually(lambda: records.count() == 1, 20, f"handled with Api {address}")
        assert gateway.stop() == 0


# ---- penstock queue

def cli(gateway, *words, stdin=None, environment=None):
    keep = environment or {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    done = subprocess.run([BINARY, "queue", *words, "--api", f"http://{gateway.address}"],
                          input=stdin, capture_output=True, text=True, env=keep)
    return done.returncode, done.stdout, done.stderr


def told(gateway, *words):
    code, out, err = cli(gateway, *words, "--json")
    assert code == 0, (words, out, err)
    return json.loads(out)


@limit(60)
def test_queue_command(t):
    gateway, sqs = serving(t, {"orders": {"RedrivePolicy": redrive("dead", 1)}, "dead": {},
                               "steps.fifo": {}})
    orders, dead = queue_of(sqs, "orders"), queue_of(sqs, "dead")
    code, out, _ = cli(gateway, "send", "orders", "first", "--attribute", "a=b=c")
    assert code == 0 and re.fullmatch(r"[0-9a-f-]{36}\n", out), out
    assert "MessageId" in told(gateway, "send", "orders", "late", "--delay", "60")
    code, _, err = cli(gateway, "send", "orders", "-e", "-", stdin='{"from": "stdin \x01"}')
    assert code == 1 and err.startswith("penstock queue: Invalid"), (code, err)
    assert cli(gateway, "send", "orders", "-e", "-", stdin='{"from": "stdin\n"}')[0] == 0
    code, _, err = cli(gateway, "send", "steps.fifo", "x")
    assert code == 1 and "MessageGroupId" in err, (code, err)
    assert "SequenceNumber" in told(gateway, "send", "steps.fifo", "x", "--group", "g",
                                    "--dedup", "d")
    for _ in range(3):  # looking changes nothing
        peeked = told(gateway, "peek", "orders")["Messages"]
        assert [m["Body"] for m in peeked] == ["first", '{"from": "stdin\n"}'], peeked
    assert len(told(gateway, "peek", "orders", "-n", "1")["Messages"]) == 1
    code, out, _ = cli(gateway, "peek", "orders")
    assert code == 0 and len(out.splitlines()) == 2 and r'stdin\n' in out, out
    rows = {row["Name"]: row for row in told(gateway, "list")["Queues"]}
    assert rows["orders"]["Visible"] == 2 and rows["orders"]["Delayed"] == 1, rows
    assert rows["orders"]["DeadLetterQueue"] == "dead" and rows["orders"]["OldestSeconds"] < 60
    assert rows["dead"] == {"Name": "dead", "Visible": 0, "InFlight": 0, "Delayed": 0,
                            "OldestSeconds": None, "DeadLetterQueue": None}
    got = orders.receive()
    assert [m["Attributes"]["ApproximateReceiveCount"] for m in got] == ["1", "1"], got
    assert got[0]["MessageAttributes"]["a"]["StringValue"] == "b=c", got
    code, out, _ = cli(gateway, "list")
    assert code == 0 and re.search(r"^orders +0 +2 +1 +- +dead, after 1 receives$", out, re.M), out
    for message in got:
        sqs.call("ChangeMessageVisibility", QueueUrl=orders.url,
                 ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
    assert orders.receive() == []
    assert dead.depth() == (2, 0, 0)
    code, out, err = cli(gateway, "redrive", "dead")
    assert (code, out) == (0, "2 moved\n"), (code, out, err)
    assert orders.depth()[0] == 2 and dead.empty()
    assert cli(gateway, "purge", "orders") == (0, "orders is empty\n", "")
    assert orders.empty()


@limit(60)
def test_queue_command_refusals(t):
    gateway, _ = serving(t, {"q": {}})
    for words in ((), ("bananas",), ("list", "extra"), ("send", "q"), ("send", "q", "x", "-e", "-"),
                  ("send", "q", "x", "--delay", "soon"), ("send", "q", "x", "--attribute", "a"),
                  ("peek", "q", "-n", "11"), ("peek",), ("purge",), ("redrive", "q", "--rate", "x"),
                  ("send", "q", "x", "--unknown")):
        code, out, err = cli(gateway, *words)
        assert code == 2 and not out and "usage: penstock queue" in err, (words, code, out, err)
    for words in (("send", "nobody", "x"), ("peek", "nobody"), ("purge", "nobody"),
                  ("redrive", "nobody"), ("redrive", "q"), ("send", "q", "x", "--delay", "901")):
        code, out, err = cli(gateway, *words)
        assert code == 1 and not out and err.startswith("penstock queue: "), (words, code, out, err)
    gateway.stop()
    code, out, err = cli(gateway, "list")
    assert code == 3 and not out and "cannot reach" in err, (code, out, err)


# ---- reload

@limit(60)
def test_reload(t):
    gateway, sqs = serving(t, {"stays": {"VisibilityTimeout": 30}, "full": {}, "empty": {}})
    stays, full = queue_of(sqs, "stays"), queue_of(sqs, "full")
    made = sqs.create("made")
    stays.send("s")
    full.send("f")
    held = stays.receive()[0]
    gateway.write({"Queues": {"stays": {"VisibilityTimeout": 31, "RedrivePolicy": redrive("new", 4),
                                        "Tags": [{"Key": "k", "Value": "v"}]},
                              "new": {}}, "Functions": {}})
    gateway.signal(signal.SIGHUP)
    eventually(lambda: "new" in names(sqs), 10, "the new queue")
    eventually(lambda: "empty" not in names(sqs), 10, "the empty queue that left the file is gone")
    eventually(lambda: stays.attributes()["VisibilityTimeout"] == "31", 10, "changed")
    assert "new" in stays.attributes()["RedrivePolicy"]
    assert tags_of(stays) == {"k": "v"}
    assert names(sqs) == ["full", "made", "new", "stays"], names(sqs)
    assert full.depth() == (1, 0, 0), "no message is lost with a queue that left the file"
    assert stays.depth() == (0, 1, 0)
    stays.delete(held)
    assert stays.empty()
    text = 'level=warn gateway=queues msg="queue full is not in the file any more, but holds 1 message'
    eventually(lambda: text in gateway.log(), 5, "the report")
    assert made.empty()


@limit(60)
def test_reload_adds_a_queue_and_its_function(t):
    records = t.records()
    gateway, sqs = serving(t, {})
    worker = t.worker("new", records, {"PARTIAL": "1"},
                      {"FunctionResponseTypes": ["ReportBatchItemFailures"]}, Timeout=1)
    gateway.write({"Queues": {"new": {"VisibilityTimeout": 1, "RedrivePolicy": redrive("dead", 1)},
                              "dead": {}}, "Functions": {"worker": worker}})
    gateway.signal(signal.SIGHUP)
    eventually(lambda: names(sqs) == ["dead", "new"], 10, "the new queues")
    new, dead = queue_of(sqs, "new"), queue_of(sqs, "dead")
    new.send({"id": 1})
    new.send({"id": 2, "fail": -1})
    begun = time.monotonic()
    eventually(lambda: records.count() >= 2, 20, "handled")
    assert time.monotonic() - begun < 5, "the mapping did not find the queue at once"
    eventually(lambda: dead.count() == 1, 20, "dead letter")
    assert "does not exist" not in gateway.log(), gateway.log()


@limit(60)
def test_reload_under_load_loses_nothing(t):
    """Settings of a queue change all the time while it is sent to and received from."""
    records = t.records()
    config = {"Queues": {"q": {"VisibilityTimeout": 10}, "other": {}},
              "Functions": {"worker": t.worker("q", records, None, None, Timeout=5)}}
    gateway = t.gateway(config)
    queue = queue_of(client(gateway), "q")
    for i in range(20):
        queue.send_all([{"id": 10 * i + j} for j in range(10)])
        config["Queues"]["q"]["VisibilityTimeout"] = 10 + i
        config["Queues"].pop("other", None) or config["Queues"].update(other={})
        gateway.write(config)
        gateway.signal(signal.SIGHUP)
    eventually(lambda: gateway.log().count("reload: done") >= 1, 10, "reloaded")
    eventually(lambda: records.count() >= 200, 30, "all handled")
    eventually(queue.empty, 10, "queue empty")
    receives = {i: [line["receive"] for line in lines] for i, lines in records.by_id().items()}
    assert receives == {i: [1] for i in range(200)}, receives


@limit(60)
def test_reload_with_an_error_changes_nothing(t):
    gateway, sqs = serving(t, {"q": {"VisibilityTimeout": 30}})
    gateway.write({"Queues": {"q": {"VisibilityTimeout": 31}, "bad name": {}}, "Functions": {}})
    gateway.signal(signal.SIGHUP)
    eventually(lambda: "the old configuration stays in force" in gateway.log(), 10, "refused")
    assert names(sqs) == ["q"]
    assert queue_of(sqs, "q").attributes()["VisibilityTimeout"] == "30"


@limit(60)
def test_mapping_on_a_queue_made_later(t):
    """A queue that the API makes while a mapping waits for it."""
    records = t.records()
    gateway = t.gateway({"Functions": {"worker": t.worker("later", records)},
                         "Services": {"sqs": "http://127.0.0.1:1"}})
    sqs = client(gateway)
    assert gateway.get("/healthz").status == 200
    queue = sqs.create("later")
    queue.send({"id": 1})
    eventually(queue.empty, 50, "handled")
    assert [line["id"] for line in records.lines()] == [1]
