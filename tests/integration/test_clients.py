"""The real runtime clients, unmodified: success, exception, init failure, sizes, timeout, crash."""

import shutil

from gateway import FUNCTIONS
from harness import limit
from servers import eventually, parts
from test_functions import alive, failed, ok

MB = 1024 * 1024


class Client:
    """How one client is started and what its failures are called."""

    thrown = None  # errorType of an exception; None: any
    init = ("Runtime.ExitError",)
    crash = {"do": "exit", "code": 4}
    crash_type = "Runtime.ExitError"
    keeps_on = True  # after a response that is too large it goes on with the next event
    timeout = 3

    def function(self, t, **variables):
        raise NotImplementedError

    def bundle(self, **members):
        return {"Timeout": self.timeout, "MemorySize": 512, **members}


class Python(Client):
    thrown = "OnPurpose"
    init = ("RuntimeError",)
    keeps_on = False

    def function(self, t, **variables):
        python = t.part("python") / "venv" / "bin" / "python"
        return self.bundle(
            Command=[str(python), "-m", "awslambdaric", "app.handler"], Handler="app.handler",
            CodeUri=str(FUNCTIONS / "python"), Environment={"Variables": variables})


class Node3(Client):
    thrown = "OnPurpose"
    init = ("RangeError",)
    crash_type = None

    def function(self, t, **variables):
        program = t.part("node3") / "aws-lambda-ric" / "bin" / "index.mjs"
        return self.bundle(
            Command=["node", str(program), "app.handler"], Handler="app.handler",
            CodeUri=str(FUNCTIONS / "node"), Environment={"Variables": variables})


class Node4(Node3):
    def function(self, t, **variables):
        program = t.part("node4") / "aws-lambda-ric" / "index.mjs"
        return self.bundle(
            Command=["node", str(program)], Handler="app.handler",
            CodeUri=str(FUNCTIONS / "node"), Environment={"Variables": variables})


class Go(Client):
    thrown = "errorString"
    keeps_on = False

    def function(self, t, **variables):
        return self.bundle(Runtime="provided.al2023", Handler="bootstrap",
                           CodeUri=str(t.part("go")), Environment={"Variables": variables})


class Rust(Client):
    def function(self, t, **variables):
        return self.bundle(Runtime="provided.al2023", Handler="bootstrap",
                           CodeUri=str(t.part("rust")), Environment={"Variables": variables})


class Java(Client):
    thrown = "java.lang.IllegalArgumentException"
    init = ("Runtime.BadFunctionCode", "java.lang.IllegalStateException", "Runtime.ExitError")
    timeout = 6

    def function(self, t, **variables):
        folder = t.part("java")
        return self.bundle(
            Command=["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m",
                     parts.jni(folder), "-cp", f"{folder}/classes:{folder}/lib/*",
                     "com.amazonaws.services.lambda.runtime.api.client.AWSLambda",
                     "penstock.Handler::handle"],
            CodeUri=str(folder), Handler="penstock.Handler::handle",
            Environment={"Variables": variables})


class Shell(Client):
    thrown = "OnPurpose"

    def function(self, t, **variables):
        for tool in ("bash", "curl"):
            if not shutil.which(tool):
                t.skip(f"{tool} is missing")
        return self.bundle(Runtime="provided.al2023", Handler="bootstrap",
                           CodeUri=str(FUNCTIONS / "sh"), Environment={"Variables": variables})


def serving(gateway):
    """The processes that three calls reach. One would do; a second may have been started while the
    first was on its way back."""
    return {gateway.invoke("good", {"do": "pid"}).json for _ in range(3)}


def whole_life(t, client):
    gateway = t.gateway(t.config({
        "good": client.function(t),
        "init": client.function(t, TEST_INIT="fail"),
    }))

    # Success, twice: the process is kept.
    ok(gateway.invoke("good", {"do": "echo", "value": "é one"}), {"echo": "é one"})
    ok(gateway.invoke("good", {"do": "echo", "value": "two"}), {"echo": "two"})
    before = serving(gateway)
    assert len(before) <= 2, f"a new process for each event: {before}"
    reply = gateway.invoke("good", {"do": "context"})
    assert reply.json["requestId"] == reply.header("x-amzn-RequestId"), reply
    assert reply.json["arn"] == "arn:aws:lambda:us-east-1:000000000000:function:good", reply
    remaining = reply.json.get("remainingMs")
    assert remaining is None or 0 < remaining <= client.timeout * 1000, reply

    # An exception, and on in the same process.
    reply = gateway.invoke("good", {"do": "throw", "message": "on purpose"})
    assert reply.status == 200 and reply.error == "Unhandled", reply
    assert "on purpose" in reply.json["errorMessage"], reply
    assert client.thrown in (None, reply.json["errorType"]), reply
    assert before & serving(gateway), "started anew after an exception"

    # Its output.
    reply = gateway.invoke("good", {"do": "print", "text": "seen in the log"}, log_type="Tail")
    assert "seen in the log" in reply.tail, reply.tail

    # Init failure.
    reply = gateway.invoke("init", {"do": "echo"})
    assert reply.status == 200 and reply.error == "Unhandled", reply
    assert reply.json["errorType"] in client.init, reply

    # 5 MB pass; more than 6 MB is refused with AWS's words, and the next event works again.
    reply = gateway.invoke("good", {"do": "size", "bytes": 5 * MB})
    assert reply.error is None and len(reply.body) == 5 * MB + 2, reply
    reply = gateway.invoke("good", {"do": "size", "bytes": 6 * MB + 200})
    failed(reply, "Function.ResponseSizeTooLarge", "(6291556 bytes)")
    ok(gateway.invoke("good", {"do": "echo", "value": "after"}), {"echo": "after"})
    if client.keeps_on:
        assert before & serving(gateway), "started anew after a response that was too large"

    # Timeout: killed, and the next is served.
    running = set(gateway.processes())
    failed(gateway.invoke("good", {"do": "sleep", "ms": 60000}), "Sandbox.Timedout",
           f"Task timed out after {client.timeout}.00 seconds")
    eventually(lambda: running - set(gateway.processes()), 5, "the process is gone")
    ok(gateway.invoke("good", {"do": "echo", "value": "again"}), {"echo": "again"})

    # Crash.
    reply = gateway.invoke("good", client.crash)
    assert reply.error == "Unhandled", reply
    assert client.crash_type in (None, reply.json["errorType"]), reply
    ok(gateway.invoke("good", {"do": "echo", "value": "again"}), {"echo": "again"})

    # The gateway is killed: nothing stays behind; started anew it works as before.
    pid = gateway.invoke("good", {"do": "pid"}).json
    gateway.kill9()
    gateway.nothing_left()
    eventually(lambda: not alive(pid), 5, "its process is gone")
    gateway.start()
    ok(gateway.invoke("good", {"do": "echo", "value": "new"}), {"echo": "new"})
    assert gateway.stop() == 0
    gateway.nothing_left()


@limit(120)
def test_python(t):
    whole_life(t, Python())


@limit(120)
def test_node_3(t):
    whole_life(t, Node3())


@limit(120)
def test_node_4(t):
    whole_life(t, Node4())


@limit(120)
def test_go(t):
    whole_life(t, Go())


@limit(120)
def test_rust(t):
    whole_life(t, Rust())


@limit(180)
def test_java(t):
    whole_life(t, Java())


@limit(120)
def test_shell(t):
    whole_life(t, Shell())


@limit(120)
def test_crashes_that_report_themselves(t):
    """Go's panic and Java's OutOfMemoryError post an error and then exit: one failure, not two."""
    functions = {"go": Go().function(t), "rust": Rust().function(t)}
    if shutil.which("mvn"):
        functions["java"] = Java().function(t)
    gateway = t.gateway(t.config(functions))
    reply = gateway.invoke("go", {"do": "panic", "message": "on purpose"})
    assert reply.error == "Unhandled" and "on purpose" in reply.json["errorMessage"], reply
    ok(gateway.invoke("go", {"do": "echo", "value": 1}), {"echo": 1})
    reply = gateway.invoke("rust", {"do": "panic", "message": "on purpose"})
    assert reply.error == "Unhandled", reply
    ok(gateway.invoke("rust", {"do": "echo", "value": 1}), {"echo": 1})
    if "java" in functions:
        reply = gateway.invoke("java", {"do": "memory"})
        failed(reply, "java.lang.OutOfMemoryError")
        ok(gateway.invoke("java", {"do": "echo", "value": 1}), {"echo": 1})
    assert gateway.metric("penstock_errors_total", function="go") == 1


@limit(120)
def test_java_six_at_once(t):
    """The client's native library is unpacked once: six started together live."""
    from harness import in_threads
    gateway = t.gateway(t.config({"java": dict(Java().function(t), Timeout=30)}))
    replies = in_threads(6, lambda i: gateway.invoke("java", {"do": "sleep", "ms": 3000}))
    for reply in replies:
        ok(reply, "slept")


@limit(60)
def test_init_error_types_of_python(t):
    python = str(t.part("python") / "venv" / "bin" / "python")

    def one(handler):
        return {"Command": [python, "-m", "awslambdaric", handler], "Handler": handler,
                "CodeUri": str(FUNCTIONS / "python")}

    gateway = t.gateway(t.config({"module": one("missing.handler"), "syntax": one("broken.handler"),
                                  "function": one("app.missing")}))
    failed(gateway.invoke("module", {}), "Runtime.ImportModuleError")
    failed(gateway.invoke("syntax", {}), "Runtime.UserCodeSyntaxError")
    failed(gateway.invoke("function", {}), "Runtime.HandlerNotFound")
