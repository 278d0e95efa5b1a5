"""Web pages do not reach an Api that asks for no signature; programs and pages of this machine do."""

import json
import os
import subprocess

from gateway import BINARY
from harness import limit
from sqs_client import Sqs
from test_functions import PYTHON

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PURGE = b"Action=PurgeQueue&Version=2012-11-05&QueueUrl=q"
INVOKE = "/2015-03-31/functions/f/invocations"


def serving(t, **gateway):
    gateway = t.gateway({"Queues": {"q": {}}, "Gateway": gateway,
                         "Functions": {"f": dict(PYTHON, Handler="app.handler")}})
    return gateway


def requests():
    """Everything that a page could want: method, path, body, headers."""
    yield "POST", "/", PURGE, FORM
    yield "GET", "/?" + PURGE.decode(), None, {}
    yield "POST", "/000000000000/q", b"Action=PurgeQueue", FORM
    yield "POST", "/", b'{"QueueName":"made"}', {
        "X-Amz-Target": "AmazonSQS.CreateQueue", "Content-Type": "application/x-amz-json-1.0"}
    yield "GET", "/_penstock/queues/q/peek", None, {}
    yield "POST", INVOKE, b'{"do":"echo"}', {}
    yield "GET", "/metrics", None, {}
    yield "OPTIONS", "/", None, {"Access-Control-Request-Method": "POST"}


def refused(gateway, headers, word):
    for method, path, body, own in requests():
        reply = gateway.request(method, path, body, {**own, **headers})
        assert reply.status == 403, (method, path, headers, reply)
        assert word in reply.json["message"], reply
        assert reply.header("x-amzn-ErrorType") == "AccessDeniedException", reply
        assert not [name for name in reply.headers if name.startswith("access-control")], reply
    for path in ("/healthz", "/readyz"):
        assert gateway.request("GET", path, None, headers).status == 200, path


def allowed(gateway, headers):
    for method, path, body, own in requests():
        reply = gateway.request(method, path, body, {**own, **headers})
        assert reply.status != 403 or b"PurgeQueueInProgress" in reply.body, (
            method, path, headers, reply)


@limit(60)
def test_pages_are_refused_on_loopback(t):
    gateway = serving(t)
    sqs = Sqs(f"http://{gateway.address}")
    sqs.call("SendMessage", QueueUrl="q", MessageBody="stays")
    port = gateway.address.rsplit(":", 1)[1]
    for host in ("evil.example", f"evil.example:{port}", f"127.0.0.1.evil.example:{port}",
                 "penstock:9001"):
        refused(gateway, {"Host": host}, "Host")
    for origin in ("http://evil.example", "null", f"http://evil.example:{port}",
                   "https://localhost.evil.example"):
        refused(gateway, {"Origin": origin}, "Origin")
    refused(gateway, {"Sec-Fetch-Site": "cross-site"}, "Sec-Fetch-Site")
    told = sqs.call("GetQueueAttributes", QueueUrl="q", AttributeNames=["All"])["Attributes"]
    assert told["ApproximateNumberOfMessages"] == "1", told
    assert len(sqs.call("ListQueues")["QueueUrls"]) == 1
    allowed(gateway, {"Host": f"localhost:{port}"})
    allowed(gateway, {"Host": f"sqs.us-east-1.localhost:{port}"})
    allowed(gateway, {"Origin": "http://localhost:3000", "Sec-Fetch-Site": "same-site"})
    allowed(gateway, {"Sec-Fetch-Site": "none"})


@limit(60)
def test_beyond_loopback_every_name_is_ours(t):
    gateway = serving(t, Api="0.0.0.0:0")
    gateway.address = "127.0.0.1:" + gateway.address.rsplit(":", 1)[1]
    refused(gateway, {"Host": "penstock:9001", "Origin": "http://evil.example"}, "Origin")
    refused(gateway, {"Host": "penstock:9001", "Sec-Fetch-Site": "cross-site"}, "Sec-Fetch-Site")
    allowed(gateway, {"Host": "penstock:9001"})
    made = gateway.request("POST", "/", b'{"QueueName":"x"}', {
        "Host": "penstock:9001", "X-Amz-Target": "AmazonSQS.CreateQueue"})
    assert made.json == {"QueueUrl": "http://penstock:9001/000000000000/x"}, made


@limit(60)
def test_signatures_are_enough(t):
    """Who signs has a secret, which no page has: any name, as a proxy in front may use."""
    keys = {"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "secret"}
    gateway = serving(t, **keys)
    reply = gateway.request("POST", "/", PURGE, {**FORM, "Host": "evil.example"})
    assert reply.status == 403 and b"MissingAuthenticationToken" in reply.body, reply
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    environment.update(AWS_ACCESS_KEY_ID=keys["AccessKeyId"],
                       AWS_SECRET_ACCESS_KEY=keys["SecretAccessKey"])
    done = subprocess.run([BINARY, "queue", "list", "--json", "--api", f"http://{gateway.address}"],
                          capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done
    assert [queue["Name"] for queue in json.loads(done.stdout)["Queues"]] == ["q"], done


BOTO = r'''
import socket, sys
import boto3
real = socket.getaddrinfo
def resolve(host, *rest, **named):
    return real("127.0.0.1" if host == "penstock" else host, *rest, **named)
socket.getaddrinfo = resolve
endpoint = "http://penstock:" + sys.argv[1]
sqs = boto3.client("sqs", endpoint_url=endpoint, region_name="us-east-1")
url = sqs.create_queue(QueueName="hosted")["QueueUrl"]
assert url == endpoint + "/000000000000/hosted", url
sqs.send_message(QueueUrl=url, MessageBody="x")
other = url.replace("penstock", "sqs.us-east-1.amazonaws.com").replace("http:", "https:")
got = sqs.receive_message(QueueUrl=other)["Messages"]
sqs.delete_message(QueueUrl="http://localhost:4566/queue/us-east-1/000000000000/hosted",
                   ReceiptHandle=got[0]["ReceiptHandle"])
print("fine")
'''


@limit(60)
def test_boto3_by_a_name_of_the_hosts_file(t):
    """As containers of one network call each other; and queue URLs of another endpoint."""
    python = t.part("moto") / "venv" / "bin" / "python"
    gateway = serving(t, Api="0.0.0.0:0")
    environment = dict(os.environ, AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="y",
                       HOME=str(t.folder))
    done = subprocess.run([python, "-c", BOTO, gateway.address.rsplit(":", 1)[1]],
                          capture_output=True, text=True, env=environment, timeout=50)
    assert done.returncode == 0 and done.stdout == "fine\n", done
