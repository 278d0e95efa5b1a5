"""The Invoke API as the aws CLI, boto3 and plain HTTP use it."""

import json
import os
import shutil
import subprocess

from gateway import BINARY, FUNCTIONS
from harness import in_threads, limit
from test_functions import PYTHON, failed, ok

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"


def simple(t, **members):
    return t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler", **members)}))


@limit(60)
def test_request_response(t):
    gateway = simple(t)
    reply = ok(gateway.invoke("f", {"do": "echo", "value": 1}), {"echo": 1})
    assert reply.header("X-Amz-Executed-Version") == "$LATEST", reply
    assert len(reply.header("x-amzn-RequestId")) == 36, reply
    assert reply.header("X-Amz-Log-Result") is None
    for name in (ARN, "000000000000:function:f", "f:$LATEST", ARN + ":$LATEST", "f%3A%24LATEST",
                 ARN.replace(":", "%3A")):
        ok(gateway.invoke(name, {"do": "echo", "value": name}), {"echo": name})
    ok(gateway.invoke("f", {"do": "echo", "value": 2}, qualifier="$LATEST"), {"echo": 2})
    explicit = gateway.invoke("f", {"do": "echo"}, invocation_type="RequestResponse", log_type="None")
    ok(explicit, {"echo": None})


@limit(60)
def test_dry_run(t):
    gateway = simple(t)
    reply = gateway.invoke("f", {"do": "exit", "code": 1}, invocation_type="DryRun")
    assert reply.status == 204 and reply.body == b"", reply
    assert reply.header("X-Amz-Executed-Version") is None
    assert gateway.invoke("nobody", {}, invocation_type="DryRun").status == 404


@limit(60)
def test_event_type_is_refused_in_this_build(t):
    """Asynchronous invocations are not built: refused, never taken and lost."""
    gateway = simple(t)
    reply = gateway.invoke("f", {"do": "echo"}, invocation_type="Event")
    assert reply.status not in (200, 202, 204), reply
    assert reply.status in (400, 501) and reply.header("x-amzn-ErrorType"), reply


@limit(60)
def test_errors(t):
    gateway = simple(t)
    reply = gateway.invoke("nobody", {})
    assert reply.status == 404, reply
    assert reply.header("x-amzn-ErrorType") == "ResourceNotFoundException", reply
    assert reply.json["Type"] == "User", reply
    assert reply.json["Message"].startswith(
        "Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody"), reply
    reply = gateway.invoke("f", b"{not json")
    assert reply.status == 400, reply
    assert reply.header("x-amzn-ErrorType") == "InvalidRequestContentException", reply
    assert reply.json["message"].startswith(
        "Could not parse request body into json: Could not parse payload into json:"), reply
    ok(gateway.invoke("f", b'{"do":"echo"}'), {"echo": None})
    reply = gateway.invoke("f", {}, invocation_type="Nonsense")
    assert reply.status == 400, reply
    reply = gateway.invoke("f", {"do": "echo"}, headers={"X-Amz-Client-Context": "%%%"})
    assert reply.status == 400, reply
    for name in ("x" * 200, "a/b", "f:::", "%00"):
        assert 400 <= gateway.invoke(name, {}).status < 500, name
    reply = gateway.invoke("f:nobody", {"do": "echo"})
    assert reply.status == 404, reply
    reply = gateway.invoke("f:1", {}, qualifier="2")
    assert reply.status == 400 and "derived qualifier" in reply.json["message"], reply
    assert gateway.get("/2015-03-31/functions/f/invocations").status in (404, 405)
    assert gateway.request("POST", "/nowhere", b"{}").status in (403, 404)
    assert gateway.get("/healthz").status == 200


@limit(60)
def test_empty_body_becomes_an_object(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.returns_event")}))
    ok(gateway.invoke("f", b""), {})


@limit(60)
def test_payload_reaches_the_function_byte_for_byte(t):
    gateway = t.gateway(t.config({"raw": t.raw("event")}))
    for text in ('{"n": 9007199254740993, "f": 0.30000000000000004, "e": 1e400}',
                 ' {"a" : "\\u00e9\\ud83d\\ude00" , "a":1}\n', '"é日本"', "17", "null", "[ ]"):
        reply = gateway.invoke("raw", text.encode())
        assert reply.body == text.encode(), (text, reply.body)


@limit(60)
def test_reserved_zero_throttles_all(t):
    gateway = simple(t, ReservedConcurrentExecutions=0)
    reply = gateway.invoke("f", {"do": "echo"})
    assert reply.status == 429, reply
    assert reply.json["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", reply
    assert gateway.metric("penstock_throttles_total", function="f") == 1


@limit(60)
def test_account_limit(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}, ConcurrentExecutions=1))
    replies = in_threads(3, lambda i: gateway.invoke("f", {"do": "sleep", "ms": 800}))
    assert sorted(reply.status for reply in replies) == [200, 429, 429], replies
    refused = next(reply for reply in replies if reply.status == 429)
    assert refused.json["Reason"] == "ConcurrentInvocationLimitExceeded", refused


@limit(60)
def test_many_connections(t):
    gateway = t.gateway(t.config({"raw": t.raw("event", ReservedConcurrentExecutions=4)}))
    good = 0

    def one(index):
        count = 0
        for n in range(20):
            reply = gateway.invoke("raw", {"i": index, "n": n})
            assert reply.status in (200, 429), reply
            if reply.status == 200:
                assert reply.json == {"i": index, "n": n}, "an answer of somebody else"
                count += 1
        return count

    good = sum(in_threads(16, one))
    assert good > 0
    assert gateway.metric("penstock_invocations_total", function="raw") == good


def client_environment(t, gateway):
    return dict(os.environ, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test-secret",
                AWS_DEFAULT_REGION="us-east-1", HOME=str(t.folder),
                AWS_ENDPOINT_URL=f"http://{gateway.address}", AWS_MAX_ATTEMPTS="1")


BOTO3 = """
import base64, json, sys
import boto3, botocore
client = boto3.client("lambda")
r = client.invoke(FunctionName="f", Payload=json.dumps({"do": "echo", "value": "ü"}), LogType="Tail")
assert r["StatusCode"] == 200 and "FunctionError" not in r, r
assert r["ExecutedVersion"] == "$LATEST", r
assert json.loads(r["Payload"].read()) == {"echo": "ü"}
assert b"START RequestId" in base64.b64decode(r["LogResult"])
r = client.invoke(FunctionName="f", Payload=json.dumps({"do": "throw", "message": "m"}))
assert r["FunctionError"] == "Unhandled", r
assert json.loads(r["Payload"].read())["errorType"] == "OnPurpose"
r = client.invoke(FunctionName="f", InvocationType="DryRun")
assert r["StatusCode"] == 204, r
try:
    client.invoke(FunctionName="nobody")
    sys.exit("no error")
except client.exceptions.ResourceNotFoundException as error:
    assert "Function not found" in str(error) or error.response["Error"], error
try:
    client.invoke(FunctionName="f", Payload=b"{")
    sys.exit("no error")
except client.exceptions.InvalidRequestContentException:
    pass
try:
    client.invoke(FunctionName="none")
    sys.exit("no error")
except client.exceptions.TooManyRequestsException as error:
    assert error.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", error.response
try:
    client.invoke(FunctionName="f", Payload=b'"' + b"x" * (6 << 20) + b'"')
    sys.exit("no error")
except client.exceptions.RequestTooLargeException:
    pass
print("boto3 fine")
"""


@limit(60)
def test_boto3(t):
    python = t.part("moto") / "venv" / "bin" / "python"
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler"),
                                  "none": dict(PYTHON, Handler="app.handler",
                                               ReservedConcurrentExecutions=0)}))
    done = subprocess.run([python, "-c", BOTO3], env=client_environment(t, gateway),
                          capture_output=True, text=True, timeout=50)
    assert done.returncode == 0 and "boto3 fine" in done.stdout, done.stdout + done.stderr


@limit(60)
def test_aws_cli(t):
    if not shutil.which("aws"):
        t.skip("the aws CLI is missing")
    gateway = simple(t)
    out = t.folder / "out.json"
    command = ["aws", "lambda", "invoke", "--function-name", "f", "--cli-binary-format",
               "raw-in-base64-out", "--payload", '{"do":"echo","value":5}', "--log-type", "Tail", out]
    done = subprocess.run(command, env=client_environment(t, gateway), capture_output=True, text=True,
                          timeout=50)
    if "Unknown options" in done.stderr or "cli-binary-format" in done.stderr:
        command = [c for c in command if c not in ("--cli-binary-format", "raw-in-base64-out")]
        done = subprocess.run(command, env=client_environment(t, gateway), capture_output=True,
                              text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text()) == {"echo": 5}
    assert json.loads(done.stdout)["StatusCode"] == 200, done.stdout


def penstock(t, *argv, stdin=None, **environment):
    clean = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return subprocess.run([BINARY, *argv], input=stdin, capture_output=True, text=True, timeout=30,
                          env={**clean, **environment}, cwd=t.folder)


@limit(60)
def test_penstock_invoke(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler"),
                                  "none": dict(PYTHON, Handler="app.handler",
                                               ReservedConcurrentExecutions=0)}))
    api = f"http://{gateway.address}"
    event = t.folder / "event.json"
    event.write_text('{"do":"echo","value":"é"}')
    done = penstock(t, "invoke", "f", "-e", str(event), "--api", api)
    assert done.returncode == 0 and json.loads(done.stdout) == {"echo": "é"}, done
    done = penstock(t, "invoke", "f", "-e", "-", "--api", api, stdin='{"do":"throw","message":"m"}')
    assert done.returncode == 1, done
    assert "OnPurpose" in done.stderr and "m" in done.stderr, done
    done = penstock(t, "invoke", "none", "--api", api)
    assert done.returncode == 4, done
    done = penstock(t, "invoke", "f", "--api", "http://127.0.0.1:1")
    assert done.returncode == 3, done
    done = penstock(t, "invoke", "f", "--api", api)
    assert done.returncode == 1, done  # no event: {} and this function knows no such "do"


@limit(60)
def test_penstock_event(t):
    listed = penstock(t, "event")
    assert listed.returncode == 0 and "SQS" in listed.stdout.upper(), listed
    done = penstock(t, "event", "SQS")
    assert done.returncode == 0, done
    event = json.loads(done.stdout)
    assert event["Records"][0]["eventSource"] == "aws:sqs"
    done = penstock(t, "event", "SQS", "--set", "Records[0].body=hello")
    if done.returncode != 0:
        done = penstock(t, "event", "SQS", "--set", "Records.0.body=hello")
    assert done.returncode == 0 and json.loads(done.stdout)["Records"][0]["body"] == "hello", done
    assert penstock(t, "event", "Nonsense").returncode == 2
    done = penstock(t, "event", "SQS", "--set", "Records.0.own=1", "--set", "Records.0.own=2")
    assert json.loads(done.stdout)["Records"][0]["own"] == 2 and done.stdout.count("own") == 1, done


@limit(60)
def test_json_output(t):
    """--json of every command: one JSON value on stdout, whatever happens."""
    good, bad = t.folder / "good.yaml", t.folder / "bad.yaml"
    good.write_text("Functions: { f: { Url: 'http://127.0.0.1:1/' } }")
    bad.write_text("Functions: { f: { Uri: 'http://127.0.0.1:1/' } }")
    for code, *words in ((0, "help"), (0, "help", "SQS"), (0, "--version"), (0, "event"),
                         (0, "event", "SQS"), (0, "check", good), (2, "check", bad),
                         (2, "run", bad)):
        done = penstock(t, *map(str, words), "--json")
        assert done.returncode == code, (words, done)
        told = json.loads(done.stdout)
        if words[0] in ("check", "run"):
            assert bool(told["errors"]) == (code == 2), (words, done)


GOOD = """
Functions:
  f:
    Runtime: python3.12
    Handler: app.handler
    CodeUri: {code}
    Timeout: 10
    Events:
      Queue: {{ Type: SQS, Properties: {{ Queue: "arn:aws:sqs:us-east-1:000000000000:q" }} }}
"""
REFUSED = {  # what is changed in GOOD -> what the message must name
    "unknown member": (("Timeout: 10", "Timeuot: 10"), ["Timeuot", "Timeout"]),
    "wrong type": (("Timeout: 10", "Timeout: soon"), ["Timeout"]),
    "out of range": (("Timeout: 10", "Timeout: 1000"), ["Timeout", "900"]),
    "unknown section": (("Functions:", "Funktions:"), ["Funktions", "Functions"]),
    "listen": (("\nFunctions:", "\nGateway: { Listen: \"127.0.0.1:8080\" }\nFunctions:"), ["Listen"]),
    "queue member": (("\nFunctions:", "\nQueues: { q: { KmsMasterKeyId: k } }\nFunctions:"),
                     ["KmsMasterKeyId"]),
    "kinesis": (("Type: SQS", "Type: Kinesis"), ["Kinesis"]),
    "nonsense type": (("Type: SQS", "Type: SQZ"), ["SQZ", "SQS"]),
    "batch size": (("Queue: \"arn", "BatchSize: 10001, Queue: \"arn"), ["BatchSize"]),
    "batch size without window": (
        ("Queue: \"arn", "BatchSize: 11, Queue: \"arn"), ["Maximum batch window in seconds"]),
    "filter": (("Queue: \"arn", "FilterCriteria: { Filters: [ { Pattern: '{}' } ] }, Queue: \"arn"),
               ["FilterCriteria.Filters[0].Pattern", "Invalid filter pattern definition."]),
    "starting position": (
        ("Queue: \"arn", "StartingPosition: LATEST, Queue: \"arn"), ["StartingPosition"]),
    "duplicate": (("Timeout: 10", "Timeout: 10\n    Timeout: 11"), ["Timeout"]),
    "no backend": (("    Runtime: python3.12\n    Handler: app.handler\n", ""), ["f"]),
    "two backends": (("Timeout: 10", "Timeout: 10\n    Url: http://127.0.0.1:1/"), ["Url"]),
    "missing code": (("CodeUri: {code}", "CodeUri: ./nowhere"), ["nowhere"]),
    "not yaml": (("Timeout: 10", "Timeout: [10"), []),
    "runtime": (("python3.12", "ruby3.3"), ["ruby3.3"]),
    "not an arn": (("arn:aws:sqs:us-east-1:000000000000:q", "arn:aws:sns:us-east-1:1:q"), ["Queue"]),
}


@limit(60)
def test_check(t):
    file = t.folder / "penstock.yaml"
    text = GOOD.format(code=FUNCTIONS / "python")
    file.write_text(text)
    done = penstock(t, "check", str(file))
    assert done.returncode == 0, done
    problems = []
    for name, ((old, new), wanted) in REFUSED.items():
        old, new = old.format(code=FUNCTIONS / "python"), new
        assert old in text, name
        file.write_text(text.replace(old, new))
        done = penstock(t, "check", str(file))
        said = done.stdout + done.stderr
        if done.returncode != 2 or f"{file}:" not in said:
            problems.append(f"{name}: exit {done.returncode}, {said!r}")
        problems.extend(f"{name}: {word!r} not named in {said!r}"
                        for word in wanted if word not in said)
    assert not problems, "\n".join(problems)
    assert penstock(t, "check", str(t.folder / "absent.yaml")).returncode == 2
    assert penstock(t, "run", str(t.folder / "absent.yaml")).returncode == 2
    assert penstock(t, "nonsense").returncode == 2
    assert penstock(t, "help").returncode == 0
    assert penstock(t, "--version").returncode == 0
