"""How functions are reached: local processes of every kind, another Lambda API, RIE, plain HTTP."""

import json
import os
import shutil
import time

from gateway import FUNCTIONS, event_of
from harness import in_threads, limit
from scripted_http import Answer, Drop, Half, Slow
from servers import eventually, never, pids_with

PYTHON = {"Runtime": "python3.12", "CodeUri": str(FUNCTIONS / "python"), "Timeout": 10}
NODE = {"Runtime": "nodejs20.x", "CodeUri": str(FUNCTIONS / "node"), "Timeout": 10}


def ok(reply, value):
    assert reply.status == 200 and reply.error is None, reply
    assert reply.json == value, reply
    return reply


def failed(reply, error_type, message=None):
    assert reply.status == 200, reply
    assert reply.error == "Unhandled", reply
    body = reply.json
    assert body.get("errorType") == error_type, body
    if message is not None:
        assert message in body.get("errorMessage", ""), body
    return body


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as handle:
        return handle.read().rpartition(")")[2].split()[0] != "Z"


# -- python*


@limit(60)
def test_python(t):
    gateway = t.gateway(t.config({
        "plain": dict(PYTHON, Handler="app.handler"),
        "slash": dict(PYTHON, Handler="sub/deep.handler"),
        "dots": dict(PYTHON, Handler="sub.deep.handler"),
        "same": dict(PYTHON, Handler="app.returns_event"),
    }))
    ok(gateway.invoke("plain", {"do": "echo", "value": {"é": [1, 2.5, None, "日本"]}}),
       {"echo": {"é": [1, 2.5, None, "日本"]}})
    ok(gateway.invoke("plain", {"do": "nothing"}), None)
    ok(gateway.invoke("slash", {"value": 1}), {"echo": 1, "where": "sub"})
    ok(gateway.invoke("dots", {"value": 1}), {"echo": 1, "where": "sub"})
    for value in (None, True, 0, "text", [], {}):
        ok(gateway.invoke("same", value), value)
    body = failed(gateway.invoke("plain", {"do": "throw", "message": "on purpose"}),
                  "OnPurpose", "on purpose")
    assert isinstance(body["stackTrace"], list) and body["stackTrace"], body
    failed(gateway.invoke("plain", {"do": "unserialisable"}), "Runtime.MarshalError")
    ok(gateway.invoke("plain", {"do": "echo", "value": 1}), {"echo": 1})


@limit(60)
def test_python_init_failures(t):
    gateway = t.gateway(t.config({
        "module": dict(PYTHON, Handler="missing.handler"),
        "function": dict(PYTHON, Handler="app.missing"),
        "syntax": dict(PYTHON, Handler="broken.handler"),
        "throws": dict(PYTHON, Handler="app.handler", Environment={"Variables": {"TEST_INIT": "fail"}}),
        "exits": dict(PYTHON, Handler="app.handler", Environment={"Variables": {"TEST_INIT": "exit"}}),
    }))
    failed(gateway.invoke("module", {}), "Runtime.ImportModuleError", "missing")
    failed(gateway.invoke("function", {}), "Runtime.HandlerNotFound", "missing")
    failed(gateway.invoke("syntax", {}), "Runtime.UserCodeSyntaxError")
    failed(gateway.invoke("throws", {}), "RuntimeError", "init fails on purpose")
    failed(gateway.invoke("exits", {}), "Runtime.ExitError", "exit status 3")
    assert gateway.get("/healthz").status == 200


# -- nodejs*


@limit(60)
def test_node(t):
    if not shutil.which("node"):
        t.skip("node is missing")
    gateway = t.gateway(t.config({
        "async": dict(NODE, Handler="app.handler"),
        "callback": dict(NODE, Handler="app.callback"),
        "no-wait": dict(NODE, Handler="app.callbackNoWait"),
        "callback-text": dict(NODE, Handler="app.callbackText"),
        "sub": dict(NODE, Handler="sub/deep.handler"),
        "nested": dict(NODE, Handler="sub/nested.api.handler"),
        "esm": dict(NODE, Handler="app.handler", CodeUri=str(FUNCTIONS / "node" / "esm")),
        "esm-package": dict(NODE, Handler="app.handler",
                            CodeUri=str(FUNCTIONS / "node" / "esm-package")),
    }))
    for name in ("async", "callback"):
        ok(gateway.invoke(name, {"do": "echo", "value": ["é", 1.5, None]}),
           {"echo": ["é", 1.5, None]})
        body = failed(gateway.invoke(name, {"do": "throw", "message": "on purpose"}),
                      "OnPurpose", "on purpose")
        assert isinstance(body.get("trace") or body.get("stackTrace"), list), body
        ok(gateway.invoke(name, {"do": "nothing"}), None)
    begun = time.monotonic()
    ok(gateway.invoke("no-wait", {"value": 2}), {"echo": 2})
    assert time.monotonic() - begun < 5
    assert gateway.invoke("callback-text", {}).error == "Unhandled"
    ok(gateway.invoke("sub", {"value": 3}), {"echo": 3, "where": "sub"})
    ok(gateway.invoke("nested", {"value": 3}), {"echo": 3, "where": "nested"})
    ok(gateway.invoke("esm", {"value": 4}), {"echo": 4, "where": "esm"})
    failed(gateway.invoke("esm", {"do": "throw", "message": "m"}), "TypeError", "m")
    ok(gateway.invoke("esm-package", {"value": 5}), {"echo": 5, "where": "esm-package"})
    assert gateway.invoke("async", {"do": "uncaught", "message": "late"}).error == "Unhandled"
    ok(gateway.invoke("async", {"do": "echo", "value": 6}), {"echo": 6})


@limit(60)
def test_node_init_failures(t):
    if not shutil.which("node"):
        t.skip("node is missing")
    gateway = t.gateway(t.config({
        "module": dict(NODE, Handler="missing.handler"),
        "function": dict(NODE, Handler="app.missing"),
        "not-a-function": dict(NODE, Handler="app.notAFunction"),
        "syntax": dict(NODE, Handler="broken.handler"),
        "throws": dict(NODE, Handler="app.handler", Environment={"Variables": {"TEST_INIT": "fail"}}),
    }))
    failed(gateway.invoke("module", {}), "Runtime.ImportModuleError")
    failed(gateway.invoke("function", {}), "Runtime.HandlerNotFound")
    failed(gateway.invoke("not-a-function", {}), "Runtime.HandlerNotFound")
    failed(gateway.invoke("syntax", {}), "Runtime.UserCodeSyntaxError")
    failed(gateway.invoke("throws", {}), "RangeError", "init fails on purpose")


# -- provided*, Command


@limit(60)
def test_documented_shell_loop(t):
    gateway = t.gateway(t.config({
        "provided": {"Runtime": "provided.al2023", "Handler": "function.handler", "Timeout": 10,
                     "CodeUri": str(FUNCTIONS / "sh-documented")},
        "command": {"Command": ["bash", "bootstrap"], "Handler": "function.handler", "Timeout": 10,
                    "CodeUri": str(FUNCTIONS / "sh-documented")},
    }))
    for name in ("provided", "command"):
        for text in ("one", "two"):
            reply = gateway.invoke(name, {"text": text})
            assert reply.status == 200 and reply.error is None, reply
            assert reply.body.decode() == f"Echoing request: '{{\"text\": \"{text}\"}}'", reply


@limit(60)
def test_missing_bootstrap(t):
    empty = t.folder / "empty"
    empty.mkdir()
    gateway = t.gateway(t.config({"none": {"Runtime": "provided.al2023", "Handler": "x",
                                           "CodeUri": str(empty)}}), start=False)
    gateway.spawn()
    # Refused at start with the file's name, or failed at the first call with AWS's type.
    time_up = time.monotonic() + 10
    while gateway.running() and "READY" not in gateway.log() and time.monotonic() < time_up:
        time.sleep(0.05)
    if gateway.running():
        raise AssertionError("started though bootstrap is missing: nothing said so")
    assert gateway.wait(1) == 2
    assert "bootstrap" in gateway.log()


RESERVED = {
    "_HANDLER", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "TZ",
}


@limit(60)
def test_environment(t):
    gateway = t.gateway(t.config({"f": dict(
        PYTHON, Handler="app.handler", MemorySize=256,
        Environment={"Variables": {"OWN": "a b=ü", "EMPTY": ""}})}, Region="eu-west-1"))
    have = gateway.invoke("f", {"do": "environment"}).json
    missing = RESERVED - set(have)
    assert not missing, f"not set: {missing}"
    assert have["OWN"] == "a b=ü" and have["EMPTY"] == ""
    assert have["_HANDLER"] == "app.handler"
    assert have["AWS_LAMBDA_FUNCTION_NAME"] == "f"
    assert have["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert have["AWS_LAMBDA_FUNCTION_VERSION"] == "$LATEST"
    assert have["AWS_LAMBDA_LOG_GROUP_NAME"] == "/aws/lambda/f"
    assert have["AWS_REGION"] == have["AWS_DEFAULT_REGION"] == "eu-west-1"
    assert have["LAMBDA_TASK_ROOT"] == str(FUNCTIONS / "python")
    assert have["TZ"] == ":UTC"
    assert "://" not in have["AWS_LAMBDA_RUNTIME_API"]
    assert "AWS_LAMBDA_MAX_CONCURRENCY" not in have


@limit(60)
def test_context_headers(t):
    gateway = t.gateway(t.config({"raw": t.raw("headers"),
                                  "f": dict(PYTHON, Handler="app.handler", Timeout=7)},
                                 Region="eu-west-1", AccountId="123456789012"))
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    reply = gateway.invoke("raw", {}, client_context={"custom": {"k": "é"}},
                           headers={"X-Amzn-Trace-Id": trace})
    headers = reply.json
    assert headers["lambda-runtime-aws-request-id"] == reply.header("x-amzn-RequestId"), headers
    assert headers["lambda-runtime-invoked-function-arn"] == (
        "arn:aws:lambda:eu-west-1:123456789012:function:raw")
    left = int(headers["lambda-runtime-deadline-ms"]) / 1000 - time.time()
    assert 2 < left <= 5, f"deadline in {left} s with a timeout of 5"
    assert headers["lambda-runtime-trace-id"].startswith(trace.split(";")[0])
    assert json.loads(headers["lambda-runtime-client-context"]) == {"custom": {"k": "é"}}
    assert headers["content-type"] == "application/json"
    assert headers.get("lambda-runtime-cognito-identity", "x") != ""
    second = gateway.invoke("raw", {}).json
    assert "lambda-runtime-client-context" not in second
    assert second["lambda-runtime-aws-request-id"] != headers["lambda-runtime-aws-request-id"]
    context = gateway.invoke("f", {"do": "context"}, client_context={"custom": {"k": 1}}).json
    assert 5000 < context["remainingMs"] <= 7000, context
    assert context["name"] == "f" and context["version"] == "$LATEST", context
    assert context["client"] == {"k": 1}, context


@limit(60)
def test_timeout_kills(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler", Timeout=1)}))
    pid = gateway.invoke("f", {"do": "pid"}).json
    begun = time.monotonic()
    reply = gateway.invoke("f", {"do": "sleep", "ms": 30000})
    assert 0.9 < time.monotonic() - begun < 3
    failed(reply, "Sandbox.Timedout")
    assert reply.json["errorMessage"] == (
        f"RequestId: {reply.header('x-amzn-RequestId')} Error: Task timed out after 1.00 seconds")
    eventually(lambda: not alive(pid), 5, "the process is gone")
    assert gateway.invoke("f", {"do": "pid"}).json != pid


@limit(60)
def test_exits(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))

    def text(event):
        reply = gateway.invoke("f", event)
        body = failed(reply, "Runtime.ExitError")
        head = f"RequestId: {reply.header('x-amzn-RequestId')} Error: "
        assert body["errorMessage"].startswith(head), body
        return body["errorMessage"][len(head):]

    assert text({"do": "exit", "code": 0}) == "Runtime exited without providing a reason"
    assert text({"do": "exit", "code": 4}) == "Runtime exited with error: exit status 4"
    assert text({"do": "crash"}) == "Runtime exited with error: signal: segmentation fault"
    ok(gateway.invoke("f", {"do": "echo", "value": 1}), {"echo": 1})


@limit(60)
def test_pool_grows_to_its_concurrency(t):
    gateway = t.gateway(t.config({
        "f": dict(PYTHON, Handler="app.handler", ReservedConcurrentExecutions=3)}))
    begun = time.monotonic()
    replies = in_threads(3, lambda i: gateway.invoke("f", {"do": "sleep", "ms": 1000}))
    assert all(reply.status == 200 for reply in replies), replies
    assert time.monotonic() - begun < 2.8, "three calls did not run side by side"
    pids = {reply.json for reply in in_threads(
        3, lambda i: gateway.invoke("f", {"do": "pid"}))}
    assert len(pids) <= 3
    replies = in_threads(6, lambda i: gateway.invoke("f", {"do": "sleep", "ms": 700}))
    statuses = sorted(reply.status for reply in replies)
    assert statuses == [200] * 3 + [429] * 3, statuses
    refused = next(reply for reply in replies if reply.status == 429)
    assert refused.json["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", refused
    assert refused.header("Retry-After") is not None, refused
    assert refused.header("x-amzn-ErrorType") == "TooManyRequestsException", refused


@limit(60)
def test_provisioned_processes_are_there_before_the_first_call(t):
    gateway = t.gateway(t.config({"f": dict(
        PYTHON, Handler="app.handler", AutoPublishAlias="live",
        ProvisionedConcurrencyConfig={"ProvisionedConcurrentExecutions": 2})}), start=False)
    try:
        gateway.start()
    except AssertionError:
        # The alias is SAM's rule; a build without aliases takes the setting alone.
        gateway = t.gateway(t.config({"f": dict(
            PYTHON, Handler="app.handler",
            ProvisionedConcurrencyConfig={"ProvisionedConcurrentExecutions": 2})}))

    def runtimes():
        return [pid for pid in gateway.processes() if "python" in open(f"/proc/{pid}/comm").read()]

    eventually(lambda: len(runtimes()) == 2, 10, "two processes ready")


@limit(60)
def test_output_becomes_log_lines(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler", MemorySize=512)}))
    reply = gateway.invoke("f", {"do": "print", "text": "to stdout ü", "stderr": "to stderr"},
                           log_type="Tail")
    request = reply.header("x-amzn-RequestId")
    tail = reply.tail
    lines = tail.splitlines()
    assert any(line == f"START RequestId: {request} Version: $LATEST" for line in lines), tail
    assert any(line == f"END RequestId: {request}" for line in lines), tail
    report = next(line for line in lines if line.startswith(f"REPORT RequestId: {request}\t"))
    for part in ("Duration: ", "Billed Duration: ", "Memory Size: 512 MB\t", "Max Memory Used: "):
        assert part in report, report
    assert "to stdout ü" in tail and "to stderr" in tail

    def logged():
        log = gateway.log()
        return [line for line in log.splitlines() if "to stdout" in line and request in line]

    line = eventually(logged, 5, "a log line with the request id")[0]
    assert "f" in line
    plain = gateway.invoke("f", {"do": "print", "text": "x"})
    assert plain.header("X-Amz-Log-Result") is None


@limit(60)
def test_tail_is_the_last_4_kb(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    reply = gateway.invoke("f", {"do": "flood", "bytes": 100_000}, log_type="Tail")
    assert 3000 <= len(reply.tail.encode()) <= 4096, len(reply.tail)
    assert "REPORT RequestId" in reply.tail


@limit(90)
def test_sizes(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler", Timeout=30)}))
    limit_bytes = 6 * 1024 * 1024
    ok(gateway.invoke("f", {"do": "length", "value": "x" * 5_000_000}), 5_000_000)
    reply = gateway.invoke("f", {"do": "size", "bytes": 5_000_000})
    assert reply.error is None and len(reply.body) == 5_000_002
    # A result of exactly 6 MB + 100 bytes is the largest that passes.
    reply = gateway.invoke("f", {"do": "size", "bytes": limit_bytes + 100 - 2})
    assert reply.error is None and len(reply.body) == limit_bytes + 100, reply.body[:200]
    body = failed(gateway.invoke("f", {"do": "size", "bytes": limit_bytes + 100 - 1}),
                  "Function.ResponseSizeTooLarge")
    assert body["errorMessage"] == (
        "Response payload size exceeded maximum allowed payload size (6291556 bytes)."), body
    ok(gateway.invoke("f", {"do": "echo", "value": 1}), {"echo": 1})
    whole = json.dumps({"do": "length", "value": ""}).encode()
    pad = b"x" * (limit_bytes - len(whole))
    fits = whole[:-2] + pad + whole[-2:]
    assert len(fits) == limit_bytes
    ok(gateway.invoke("f", fits), len(pad))
    reply = gateway.invoke("f", whole[:-2] + pad + b"x" + whole[-2:])
    assert reply.status == 413, reply
    assert reply.header("x-amzn-ErrorType") == "RequestTooLargeException", reply


# -- functions that misbehave


@limit(60)
def test_bad_answers(t):
    records = t.records()
    gateway = t.gateway(t.config({"raw": t.raw(None, records, Timeout=2)}))

    def told(note):
        return [line for line in records.lines() if line["note"] == note]

    ok(gateway.invoke("raw", {"do": "twice"}), "first")
    second = eventually(lambda: told("second"), 5, "the second answer's status")[0]
    assert second["status"] == 400 and "InvalidRequestID" in second["body"], second
    ok(gateway.invoke("raw", {"do": "wrong-id"}), "right")
    wrong = told("wrong-id")[0]
    assert wrong["status"] == 400 and "InvalidRequestID" in wrong["body"], wrong
    ok(gateway.invoke("raw", {"do": "wrong-invocation-id"}), "right")
    ok(gateway.invoke("raw", {"do": "init-error-late"}), "right")
    late = told("init-error-late")[0]
    assert late["status"] == 403 and "InvalidStateTransition" in late["body"], late
    ok(gateway.invoke("raw", {"do": "chunked"}), "chunked")
    failed(gateway.invoke("raw", {"do": "trailer-error"}), "TypeError")
    ok(gateway.invoke("raw", {"do": "expect"}), "expect")
    expect = told("expect")[0]
    assert expect["status"] == 100 and expect["seconds"] < 0.5, expect
    for do in ("over", "over-chunked"):
        failed(gateway.invoke("raw", {"do": do}), "Function.ResponseSizeTooLarge")
        assert eventually(lambda: told(do), 5)[0]["status"] == 413
    ok(gateway.invoke("raw", {"do": "close-stdout"}), "closed")
    body = failed(gateway.invoke("raw", {"do": "error", "body": '{"errorMessage":"no type"}',
                                         "headers": {"Lambda-Runtime-Function-Error-Type":
                                                     "Runtime.FromHeader"}}), None)
    assert body == {"errorMessage": "no type"}, body


@limit(60)
def test_hangs_and_half_answers(t):
    records = t.records()
    gateway = t.gateway(t.config({"raw": t.raw(None, records, Timeout=1)}))
    for do in ("hang", "close-and-hang", "half-then-hang", "garbage"):
        body = gateway.invoke("raw", {"do": do}).json
        assert body["errorType"] in ("Sandbox.Timedout", "Runtime.ExitError"), (do, body)
        ok(gateway.invoke("raw", {"do": "respond", "body": "1"}), 1)
    for do in ("half", "half-chunked", "half-then-exit", "next-again"):
        reply = gateway.invoke("raw", {"do": do})
        assert reply.status == 200 and reply.error == "Unhandled", (do, reply)
        ok(gateway.invoke("raw", {"do": "respond", "body": "1"}), 1)
    eventually(lambda: len(gateway.processes()) <= 3, 5, "no process was left over")


@limit(60)
def test_late_answer_is_refused(t):
    """A grandchild that outlived its runtime's timeout answers the old request."""
    records = t.records()
    gateway = t.gateway(t.config({"raw": t.raw(None, records, Timeout=1)}))
    failed(gateway.invoke("raw", {"do": "late", "ms": 2500}), "Sandbox.Timedout")
    ok(gateway.invoke("raw", {"do": "respond", "body": "1"}), 1)

    def late():
        return [line for line in records.lines() if line["note"] == "late"]

    # It was killed with its runtime, or its Runtime API is gone, or the id is unknown by now.
    deadline = time.monotonic() + 4
    while time.monotonic() < deadline and not late():
        time.sleep(0.05)
    for line in late():
        assert "refused" in line.get("error", "") or (
            line["status"] == 400 and "InvalidRequestID" in line["body"]), line


@limit(90)
def test_floods(t):
    records = t.records()
    gateway = t.gateway(t.config({"raw": t.raw(None, records, Timeout=3)}))
    ok(gateway.invoke("raw", {"do": "respond", "body": "1"}), 1)
    ok(gateway.invoke("raw", {"do": "flood", "bytes": 8 << 20}), "flooded")
    ok(gateway.invoke("raw", {"do": "flood-no-newline", "bytes": 4 << 20}), "flooded")
    failed(gateway.invoke("raw", {"do": "flood-for-ever"}), "Sandbox.Timedout")
    ok(gateway.invoke("raw", {"do": "respond", "body": "2"}), 2)
    with open(f"/proc/{gateway.process.pid}/status") as handle:
        peak = next(int(line.split()[1]) for line in handle if line.startswith("VmHWM"))
    assert peak < 100_000, f"{peak} kB of memory at the peak"


@limit(60)
def test_init_failures_of_raw_clients(t):
    def one(kind, **members):
        return t.raw(None, variables={"INIT": kind}, **members)

    gateway = t.gateway(t.config({"error": one("error"), "exit": one("exit"),
                                  "hang": one("hang", Timeout=1)}))
    failed(gateway.invoke("error", {}), "OwnInitError", "init fails on purpose")
    failed(gateway.invoke("exit", {}), "Runtime.ExitError", "exit status 5")
    begun = time.monotonic()
    reply = gateway.invoke("hang", {}, timeout=30)
    assert reply.error == "Unhandled" and time.monotonic() - begun < 15, reply


@limit(30)
def test_missing_program_is_refused_at_start(t):
    gateway = t.gateway(t.config({"f": {"Command": ["/nonexistent/program"],
                                        "CodeUri": str(FUNCTIONS / "raw")}}), start=False)
    gateway.spawn()
    assert gateway.wait(10) == 2
    assert "/nonexistent/program" in gateway.log()


@limit(60)
def test_program_that_vanishes_after_start(t):
    """It was there at the check and is gone at the first call: an error of the function."""
    code = t.folder / "code"
    shutil.copytree(FUNCTIONS / "sh", code)
    gateway = t.gateway(t.config({"f": {"Runtime": "provided.al2023", "Handler": "x",
                                        "CodeUri": str(code)}}))
    (code / "bootstrap").unlink()
    failed(gateway.invoke("f", {}), "Runtime.InvalidEntrypoint")
    shutil.copy2(FUNCTIONS / "sh" / "bootstrap", code / "bootstrap")
    ok(gateway.invoke("f", {"do": "echo", "value": "1"}), {"echo": "1"})


@limit(60)
def test_grandchildren_go_with_the_gateway(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    child = gateway.invoke("f", {"do": "child"}).json
    assert alive(child)
    gateway.kill9()
    gateway.nothing_left()
    eventually(lambda: not alive(child), 5, "the grandchild is gone")


@limit(60)
def test_daemons_go_with_the_gateway(t):
    """A grandchild that left its process group and session."""
    gateway = t.gateway(t.config({"raw": t.raw(None, t.records(), Timeout=1)}))
    failed(gateway.invoke("raw", {"do": "late", "ms": 600_000}), "Sandbox.Timedout")
    gateway.kill9()
    gateway.nothing_left()


# -- another Lambda API


@limit(60)
def test_lambda_backend(t):
    behind = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler", Timeout=2,
                                           ReservedConcurrentExecutions=1)}))
    front = t.gateway(t.config({
        "same-name": {"InvokeEndpoint": f"http://{behind.address}", "FunctionName": "f", "Timeout": 10},
        "missing": {"InvokeEndpoint": f"http://{behind.address}", "FunctionName": "nobody"},
        "nowhere": {"InvokeEndpoint": "http://127.0.0.1:1", "FunctionName": "f"},
    }))
    ok(front.invoke("same-name", {"do": "echo", "value": "é"}), {"echo": "é"})
    failed(front.invoke("same-name", {"do": "throw", "message": "m"}), "OnPurpose", "m")
    failed(front.invoke("same-name", {"do": "sleep", "ms": 5000}), "Sandbox.Timedout")
    replies = in_threads(2, lambda i: front.invoke("same-name", {"do": "sleep", "ms": 800}))
    assert sorted(reply.status for reply in replies) == [200, 429], replies
    assert front.invoke("missing", {}).status >= 400
    assert front.invoke("nowhere", {}).status >= 500
    tail = front.invoke("same-name", {"do": "print", "text": "deep down"}, log_type="Tail")
    assert tail.status == 200


@limit(60)
def test_lambda_backend_signs(t):
    server = t.http_server(lambda request: Answer(200, {"ok": True}))
    gateway = t.gateway(t.config({"f": {"InvokeEndpoint": server.url, "FunctionName": "there:live"}}))
    ok(gateway.invoke("f", {"a": 1}), {"ok": True})
    request = server.requests[0]
    assert request.method == "POST"
    assert request.path.replace("%3A", ":").startswith("/2015-03-31/functions/there:live/invocations")
    authorization = request.header("authorization")
    assert authorization.startswith("AWS4-HMAC-SHA256 Credential=test/"), authorization
    assert "/us-east-1/lambda/aws4_request" in authorization
    assert request.header("x-amz-date")
    assert request.json == {"a": 1}


@limit(60)
def test_emulator(t):
    """RIE (invoke-api.md 8): one call at a time, errors judged by body."""
    answers = {
        "ok": Answer(200, {"fine": 1}),
        "error": Answer(200, {"errorType": "Bad", "errorMessage": "m"}),
        "typed": Answer(200, {"errorMessage": "m"}, {"Error-Type": "Runtime.Bad"}),
        "timeout": Answer(200, "Task timed out after 3.00 seconds", {"Content-Type": "text/plain"}),
        "crash": Answer(502, {"errorType": "Runtime.ExitError", "errorMessage": "m"}),
        "busy": Answer(400, b""),
        "slow": Slow(0.5, Answer(200, '"slow"')),
    }
    server = t.http_server(lambda request: answers[request.json["do"]])
    gateway = t.gateway(t.config({"f": {"InvokeEndpoint": server.url, "Emulator": True,
                                        "Timeout": 5}}))
    ok(gateway.invoke("f", {"do": "ok"}), {"fine": 1})
    assert server.requests[0].path == "/2015-03-31/functions/function/invocations"
    failed(gateway.invoke("f", {"do": "error"}), "Bad")
    assert gateway.invoke("f", {"do": "typed"}).error == "Unhandled"
    assert gateway.invoke("f", {"do": "timeout"}).error == "Unhandled"
    failed(gateway.invoke("f", {"do": "crash"}), "Runtime.ExitError")
    assert gateway.invoke("f", {"do": "busy"}).status == 429
    server.peak = 0
    replies = in_threads(3, lambda i: gateway.invoke("f", {"do": "slow"}))
    assert all(reply.status in (200, 429) for reply in replies), replies
    assert any(reply.status == 200 for reply in replies)
    assert server.peak == 1, f"{server.peak} calls at once"


# -- plain HTTP


@limit(90)
def test_http_backend(t):
    answers = {
        "ok": Answer(200, {"fine": 1}), "created": Answer(201, '"made"'), "none": Answer(204, b""),
        "bad": Answer(400, {"why": "bad"}), "error": Answer(500, "went wrong"),
        "throttled": Answer(429, "", {"Retry-After": "7"}), "busy": Answer(503, ""),
        "drop": Drop(), "reset": Drop(reset=True), "half": Half(Answer(200, "x" * 1000)),
        "hang": Slow(4, Answer(200, '"late"')),
        "big": Answer(200, b'"' + b"x" * 5_000_000 + b'"'),
        "over": Answer(200, b'"' + b"x" * 7_000_000 + b'"'),
    }
    server = t.http_server(lambda request: answers[request.json["do"]])
    gateway = t.gateway(t.config({"f": {"Url": server.url + "/hook?a=1", "Timeout": 2}}))
    ok(gateway.invoke("f", {"do": "ok"}), {"fine": 1})
    request = server.requests[0]
    assert (request.method, request.path) == ("POST", "/hook?a=1")
    assert request.header("content-type") == "application/json"
    ok(gateway.invoke("f", {"do": "created"}), "made")
    assert gateway.invoke("f", {"do": "none"}).error is None
    for do in ("bad", "error"):
        reply = gateway.invoke("f", {"do": do})
        assert reply.status == 200 and reply.error == "Unhandled", reply
    for do in ("throttled", "busy"):
        assert gateway.invoke("f", {"do": do}).status == 429, do
    for do in ("drop", "reset", "half"):
        begun = len(server.requests)
        assert gateway.invoke("f", {"do": do}).status >= 500, do
        assert len(server.requests) == begun + 1, "sent twice"
    begun = time.monotonic()
    reply = gateway.invoke("f", {"do": "hang"})
    assert 1.5 < time.monotonic() - begun < 3.5
    failed(reply, "Sandbox.Timedout")
    assert len(gateway.invoke("f", {"do": "big"}).body) == 5_000_002
    failed(gateway.invoke("f", {"do": "over"}), "Function.ResponseSizeTooLarge")


@limit(60)
def test_throttled_http_backend_spends_no_receive(t):
    """429 for longer than the queue's visibility: held, and handled at its first receive."""
    queue, dead = t.queue(dead_after=2, VisibilityTimeout=2)
    begun = time.monotonic()
    server = t.http_server(lambda request: Answer(429, "", {"Retry-After": "1"})
                           if time.monotonic() - begun < 6 else Answer(200, "null"))
    queue.send_all([{"id": i} for i in range(15)])
    t.gateway(t.config({"f": {"Url": server.url, "Timeout": 1, "Events": event_of(queue)}},
                       t.elasticmq()))
    eventually(queue.empty, 40, "queue empty")
    assert dead.empty(), dead.depth()
    counts = {}
    for request in server.requests:
        for record in request.json["Records"]:
            counts[record["body"]] = max(counts.get(record["body"], 0), int(
                record["attributes"]["ApproximateReceiveCount"]))
    assert counts == {json.dumps({"id": i}, separators=(",", ":")): 1 for i in range(15)}, counts


@limit(60)
def test_unreachable_http_backend_is_tried_again(t):
    from servers import free_port
    port = free_port()
    queue = t.queue(VisibilityTimeout=30)
    queue.send({"id": 1})
    gateway = t.gateway(t.config({"f": {"Url": f"http://127.0.0.1:{port}", "Timeout": 2,
                                        "Events": event_of(queue)}}, t.elasticmq()))
    eventually(lambda: queue.depth() == (0, 1, 0), 10, "received")
    never(queue.empty, 1, "deleted though nobody took it")
    server = t.http_server(lambda request: Answer(200, "null"), port)
    eventually(queue.empty, 25, "handled when the server came")
    received = server.requests[0].json["Records"][0]["attributes"]["ApproximateReceiveCount"]
    assert received == "1", received
    assert gateway.stop() == 0


def test_marker_reaches_functions(t):
    """The check for left-over processes would pass by itself if the marker did not get there."""
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    pid = gateway.invoke("f", {"do": "pid"}).json
    assert pid in pids_with(gateway.marker)
