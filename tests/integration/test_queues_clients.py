"""What SDKs make of our refusals: each error is the exception of its own that the SDK knows; and the
ways in which clients name a queue."""

import json
import subprocess

from harness import limit
from test_queues import aws_environment, serving

REFUSED = 255  # the aws CLI, version 1: a service said no

SCRIPT = r'''
import sys
import boto3, botocore
sqs = boto3.client("sqs", endpoint_url=sys.argv[1], region_name="us-east-1",
                   config=botocore.config.Config(parameter_validation=False,
                                                 retries={"max_attempts": 1}))
known = sqs.exceptions
arn = "arn:aws:sqs:us-east-1:000000000000:"
url = sqs.create_queue(QueueName="q")["QueueUrl"]
steps = sqs.create_queue(QueueName="steps.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
sqs.create_queue(QueueName="source", Attributes={
    "RedrivePolicy": '{"deadLetterTargetArn":"%sdead","maxReceiveCount":"1"}' % arn})
many = [{"Id": str(i), "MessageBody": "x"} for i in range(11)]
half = "x" * (1024 * 1024 // 2)

def wrong(code, call, **members):
    """code: a class of the SDK, or the text of InvalidParameterValue and such, which have none."""
    try:
        getattr(sqs, call)(**members)
    except botocore.exceptions.ClientError as error:
        told = error.response["Error"]["Code"]
        if isinstance(code, str):
            assert told == code, (call, members, error)
        else:
            assert type(error) is code, (call, members, type(error), error)
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert 400 <= status < 500 and error.response["Error"]["Message"], error.response
        return
    raise SystemExit(f"{call} {str(members)[:200]} was taken")

wrong(known.QueueNameExists, "create_queue", QueueName="q", Attributes={"VisibilityTimeout": "7"})
wrong(known.InvalidAttributeName, "create_queue", QueueName="new", Attributes={"Colour": "red"})
wrong(known.InvalidAttributeValue, "create_queue", QueueName="new",
      Attributes={"VisibilityTimeout": "43201"})
wrong("InvalidParameterValue", "create_queue", QueueName="a.b")
wrong("MissingParameter", "create_queue")
wrong(known.UnsupportedOperation, "create_queue", QueueName="new",
      Attributes={"KmsMasterKeyId": "k"})
wrong(known.UnsupportedOperation, "add_permission", QueueUrl=url, Label="l",
      AWSAccountIds=["1"], Actions=["*"])
wrong(known.QueueDoesNotExist, "get_queue_url", QueueName="nobody")
for call, members in (("send_message", {"MessageBody": "x"}), ("receive_message", {}),
                      ("purge_queue", {}), ("delete_queue", {}), ("list_queue_tags", {}),
                      ("get_queue_attributes", {}), ("list_dead_letter_source_queues", {})):
    wrong(known.QueueDoesNotExist, call, QueueUrl=url + "-not", **members)
    wrong(known.QueueDoesNotExist, call, QueueUrl=url.replace("/0", "/1"), **members)
    wrong("MissingParameter", call, **members)
wrong("InvalidParameterValue", "send_message", QueueUrl=url, MessageBody=half + half + "x")
wrong(known.InvalidMessageContents, "send_message", QueueUrl=url, MessageBody="\x01")
wrong("MissingParameter", "send_message", QueueUrl=url, MessageBody="")
wrong("MissingParameter", "send_message", QueueUrl=steps, MessageBody="x")
wrong("InvalidParameterValue", "send_message", QueueUrl=steps, MessageBody="x", MessageGroupId="g")
wrong(known.EmptyBatchRequest, "send_message_batch", QueueUrl=url, Entries=[])
wrong(known.TooManyEntriesInBatchRequest, "send_message_batch", QueueUrl=url, Entries=many)
wrong(known.BatchEntryIdsNotDistinct, "send_message_batch", QueueUrl=url, Entries=many[:1] * 2)
wrong(known.InvalidBatchEntryId, "send_message_batch", QueueUrl=url,
      Entries=[{"Id": "a b", "MessageBody": "x"}])
wrong(known.BatchRequestTooLong, "send_message_batch", QueueUrl=url,
      Entries=[{"Id": "a", "MessageBody": half}, {"Id": "b", "MessageBody": half + "x"}])
wrong(known.EmptyBatchRequest, "delete_message_batch", QueueUrl=url, Entries=[])
wrong("InvalidParameterValue", "receive_message", QueueUrl=url, MaxNumberOfMessages=11)
wrong("InvalidParameterValue", "receive_message", QueueUrl=url, ReceiveRequestAttemptId="x")
wrong(known.InvalidAttributeName, "receive_message", QueueUrl=url, AttributeNames=["Colour"])
wrong(known.ReceiptHandleIsInvalid, "delete_message", QueueUrl=url, ReceiptHandle="x")
sqs.send_message(QueueUrl=url, MessageBody="x")
handle = sqs.receive_message(QueueUrl=url)["Messages"][0]["ReceiptHandle"]
wrong(known.ReceiptHandleIsInvalid, "delete_message", QueueUrl=dead, ReceiptHandle=handle)
wrong("InvalidParameterValue", "change_message_visibility", QueueUrl=url, ReceiptHandle=handle,
      VisibilityTimeout=43201)
sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
wrong("InvalidParameterValue", "change_message_visibility", QueueUrl=url, ReceiptHandle=handle,
      VisibilityTimeout=1)
sqs.purge_queue(QueueUrl=url)
wrong(known.PurgeQueueInProgress, "purge_queue", QueueUrl=url)
wrong(known.ResourceNotFoundException, "start_message_move_task", SourceArn=arn + "nobody")
wrong("InvalidParameterValue", "start_message_move_task", SourceArn=arn + "q")
wrong("InvalidParameterValue", "start_message_move_task", SourceArn=arn + "dead",
      MaxNumberOfMessagesPerSecond=501)
wrong(known.ResourceNotFoundException, "cancel_message_move_task", TaskHandle="x")
wrong("InvalidParameterValue", "list_queues", NextToken="x")
for n in range(3):
    sqs.create_queue(QueueName=f"page-{n}", Attributes={
        "RedrivePolicy": '{"deadLetterTargetArn":"%sdead","maxReceiveCount":"1"}' % arn})
def pages(call, member, **members):
    each = sqs.get_paginator(call).paginate(PaginationConfig={"PageSize": 2}, **members)
    return [[one.rsplit("/", 1)[1] for one in page[member]] for page in each]
assert pages("list_queues", "QueueUrls", QueueNamePrefix="page-") == [["page-0", "page-1"],
                                                                      ["page-2"]]
assert pages("list_dead_letter_source_queues", "queueUrls", QueueUrl=dead) == [
    ["page-0", "page-1"], ["page-2", "source"]]
print("ok")
'''


@limit(90)
def test_every_refusal_is_an_exception_of_boto3(t):
    python = t.part("moto") / "venv" / "bin" / "python"
    gateway, _ = serving(t)
    done = subprocess.run([python, "-c", SCRIPT, f"http://{gateway.address}"], text=True,
                          capture_output=True, env=aws_environment())
    assert done.returncode == 0 and done.stdout == "ok\n", done.stdout + done.stderr


@limit(120)
def test_aws_cli_names_queues_its_way(t):
    """Queue URLs of AWS, of other servers, and what the CLI says of refusals."""
    aws = t.part("awscli") / "venv" / "bin" / "aws"
    gateway, _ = serving(t, {"orders": {}})

    def call(*words, code=0):
        done = subprocess.run([aws, "--endpoint-url", f"http://{gateway.address}", "sqs", *words],
                              capture_output=True, text=True, env=aws_environment())
        assert done.returncode == code, (words, done)
        return done.stderr if code else json.loads(done.stdout or "null")

    for url in ("https://sqs.us-east-1.amazonaws.com/000000000000/orders",
                "http://localhost:4566/000000000000/orders",
                "http://sqs.us-east-1.localhost.localstack.cloud:4566/000000000000/orders",
                "http://localhost:4566/queue/us-east-1/000000000000/orders",
                "http://localhost:9324/queue/orders", "orders"):
        sent = call("send-message", "--queue-url", url, "--message-body", "by " + url)
        got = call("receive-message", "--queue-url", url)["Messages"]
        assert [(m["MessageId"], m["Body"]) for m in got] == [(sent["MessageId"], "by " + url)], got
        call("delete-message", "--queue-url", url, "--receipt-handle", got[0]["ReceiptHandle"])
    refused = call("send-message", "--queue-url", "http://x/111111111111/orders",
                   "--message-body", "x", code=REFUSED)
    assert "(AWS.SimpleQueueService.NonExistentQueue)" in refused, refused


@limit(60)
def test_a_whole_message_however_it_is_escaped(t):
    """Some writers of JSON escape < and >: six bytes for one."""
    gateway, sqs = serving(t)
    queue = sqs.create("q")
    most = 1024 * 1024
    target = {"X-Amz-Target": "AmazonSQS.SendMessage"}
    for n, status in ((most, 200), (most + 1, 400)):
        body = '{"QueueUrl":"q","MessageBody":"%s"}' % ("\\u003c" * n)
        reply = gateway.request("POST", "/", body.encode(), target)
        assert reply.status == status, reply
    assert reply.json["message"].endswith("Message must be shorter than 1048576 bytes."), reply
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    reply = gateway.request("POST", "/000000000000/q", (
        "Action=SendMessage&MessageBody=" + "%3c" * most).encode(), form)
    assert reply.status == 200, reply
    assert [m["Body"] == "<" * most for m in queue.receive()] == [True, True]
    reply = gateway.request("POST", "/", b" " * (8 * most), target)
    assert reply.status == 400 and "shorter" in reply.json["message"], reply


@limit(60)
def test_groups_of_a_standard_queue_are_a_label(t):
    """Carried to whoever receives; nothing waits for them, nothing is left out because of them."""
    _, sqs = serving(t)
    queue = sqs.create("q")
    for i in range(4):
        queue.send("same", MessageGroupId="loud" if i < 3 else "quiet")
    first, = queue.receive(most=1)
    rest = queue.receive()
    assert len(rest) == 3, "a message of the group is out, and the others are given out"
    groups = [m["Attributes"]["MessageGroupId"] for m in (first, *rest)]
    assert sorted(groups) == ["loud"] * 3 + ["quiet"], groups
    assert "SequenceNumber" not in first["Attributes"], first
