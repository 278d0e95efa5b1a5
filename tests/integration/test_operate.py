"""Running it: health, metrics, drain, reload."""

import json
import signal
import threading
import time

from gateway import FUNCTIONS, event_of
from harness import limit
from servers import eventually, free_port, never
from test_functions import PYTHON, alive, ok


@limit(60)
def test_start_stop(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    host, port = gateway.address.rsplit(":", 1)
    assert host == "127.0.0.1" and int(port) > 0, gateway.ready_line
    assert gateway.get("/healthz").status == 200
    assert gateway.get("/readyz").status == 200
    assert gateway.get("/metrics").header("content-type").startswith("text/plain")
    pid = gateway.invoke("f", {"do": "pid"}).json
    assert gateway.stop() == 0
    gateway.nothing_left()
    eventually(lambda: not alive(pid), 5, "its process is gone")


@limit(60)
def test_api_address_in_use(t):
    server = t.http_server()
    gateway = t.gateway(t.config({"f": {"Url": "http://127.0.0.1:1/"}},
                                 Api=f"127.0.0.1:{server.port}"), start=False)
    gateway.spawn()
    assert gateway.wait(10) == 2
    assert str(server.port) in gateway.log()


@limit(60)
def test_metrics(t):
    queue = t.queue(VisibilityTimeout=30)
    records = t.records()
    queue.send_all([{"id": i, "fail": -1 if i == 0 else 0} for i in range(20)])
    gateway = t.gateway(t.config({
        "worker": t.worker(queue, records, {"PARTIAL": "1"}, {
            "FunctionResponseTypes": ["ReportBatchItemFailures"]}),
        "f": dict(PYTHON, Handler="app.handler", ReservedConcurrentExecutions=1)}, t.elasticmq()))
    eventually(lambda: queue.depth() == (0, 1, 0), 20, "one left")
    ok(gateway.invoke("f", {"do": "echo"}), {"echo": None})
    gateway.invoke("f", {"do": "throw", "message": "m"})
    assert gateway.metric("penstock_invocations_total", function="f") == 2
    assert gateway.metric("penstock_errors_total", function="f") == 1
    assert gateway.metric("penstock_duration_seconds_count", function="f") == 2
    assert gateway.metric("penstock_invocations_total", function="worker") >= 2
    assert gateway.metric("penstock_concurrent_executions", function="f") == 0
    text = gateway.get("/metrics").body.decode()
    for name in ("penstock_throttles_total", "penstock_duration_seconds_bucket"):
        assert name in text, f"{name} is not in\n{text}"
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            assert line.split()[3] in ("counter", "gauge", "histogram"), line
    law(gateway)


def law(gateway):
    """accepted = done + filtered + dead + released + waiting + in flight, for each mapping."""
    by_mapping = {}
    for (name, labels), value in gateway.metrics().items():
        labels = dict(labels)
        if "mapping" in labels and "record" in name:
            key = name + ("" if "state" not in labels else ":" + labels["state"])
            by_mapping.setdefault(labels["mapping"], {})[key] = value
    assert by_mapping, "no conservation counters in /metrics"
    for mapping, values in by_mapping.items():
        found = {}
        for key, value in values.items():
            for word in ("accepted", "done", "filtered", "dead", "released", "waiting", "in_flight"):
                if word in key:
                    found[word] = value
        assert {"accepted", "done", "released"} <= set(found), values
        rest = sum(value for word, value in found.items() if word != "accepted")
        assert found["accepted"] == rest, f"{mapping}: {found}"


@limit(60)
def test_drain_lets_flying_work_come_home(t):
    queue = t.queue(VisibilityTimeout=30)
    records = t.records()
    gateway = t.gateway(t.config({
        "worker": t.worker(queue, records, {"LATENCY": "2"}, {"BatchSize": 1},
                           ReservedConcurrentExecutions=1),
        "f": dict(PYTHON, Handler="app.handler")}, t.elasticmq()))
    queue.send_all([{"id": i} for i in range(5)])
    eventually(lambda: queue.depth()[1] > 0, 10, "received")
    replies = []
    caller = threading.Thread(
        target=lambda: replies.append(gateway.invoke("f", {"do": "sleep", "ms": 1500})))
    caller.start()
    eventually(lambda: gateway.metric("penstock_concurrent_executions") == 2, 10, "both are busy")
    begun = time.monotonic()
    gateway.signal(signal.SIGTERM)
    code = gateway.wait(20)
    took = time.monotonic() - begun
    caller.join()
    assert code == 0, f"exit {code}"
    assert 0.5 < took < 6, f"drained in {took:.1f} s"
    assert replies and replies[0].json == "slept", replies
    gateway.nothing_left()
    done = [line["id"] for line in records.lines() if line["ok"]]
    visible, flying, _ = queue.depth()
    # What was handled is deleted, also that which ended during the drain; the rest is still there.
    assert len(done) == len(set(done)) and visible + flying == 5 - len(done), (done, queue.depth())
    assert len(done) >= 1


@limit(60)
def test_not_ready_while_draining(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    caller = threading.Thread(target=lambda: gateway.invoke("f", {"do": "sleep", "ms": 2000}))
    caller.start()
    eventually(lambda: gateway.metric("penstock_concurrent_executions") == 1, 10, "busy")
    gateway.signal(signal.SIGTERM)

    def refuses():
        try:
            return gateway.get("/readyz").status == 503
        except OSError:
            return True

    eventually(refuses, 1.5, "not ready any more", every=0.01)
    caller.join()
    assert gateway.wait(10) == 0


@limit(60)
def test_drain_deadline_cuts(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler", Timeout=60)}, Drain="1s"))
    caller = threading.Thread(target=lambda: swallow(gateway, {"do": "sleep", "ms": 30000}))
    caller.start()
    eventually(lambda: gateway.metric("penstock_concurrent_executions") == 1, 10, "busy")
    begun = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(10) == 1
    assert 0.8 < time.monotonic() - begun < 4
    caller.join()
    gateway.nothing_left()


def swallow(gateway, event):
    import http.client
    try:
        gateway.invoke("f", event)
    except (OSError, http.client.HTTPException):
        pass


@limit(60)
def test_second_signal_is_at_once(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler", Timeout=60)}))
    caller = threading.Thread(target=lambda: swallow(gateway, {"do": "sleep", "ms": 30000}))
    caller.start()
    eventually(lambda: gateway.metric("penstock_concurrent_executions") == 1, 10, "busy")
    gateway.signal(signal.SIGTERM)
    never(lambda: not gateway.running(), 0.3, "ended at the first signal")
    begun = time.monotonic()
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(10) == 1
    assert time.monotonic() - begun < 2
    caller.join()
    gateway.nothing_left()


@limit(60)
def test_sigint_drains_too(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    ok(gateway.invoke("f", {"do": "echo"}), {"echo": None})
    gateway.signal(signal.SIGINT)
    assert gateway.wait(10) == 0
    gateway.nothing_left()


@limit(90)
def test_reload(t):
    """Changed, removed and new mappings take effect; an unchanged one is not disturbed."""
    kept, changed, removed, new = (t.queue(name) for name in ("kept", "changed", "removed", "new"))
    files = {name: t.records(f"{name}.jsonl") for name in ("kept", "changed", "removed", "new")}
    functions = {
        "kept": t.worker(kept, files["kept"], ReservedConcurrentExecutions=1),
        "changed": t.worker(changed, files["changed"], None, {"BatchSize": 1}),
        "removed": t.worker(removed, files["removed"]),
    }
    gateway = t.gateway(t.config(functions, t.elasticmq()))
    for queue, name in ((kept, "kept"), (changed, "changed"), (removed, "removed")):
        queue.send({"id": 1})
        eventually(lambda n=name: files[n].count() == 1, 15, f"first message of {name}")
    pid = files["kept"].lines()[0]["pid"]
    kept.send({"id": "flying", "sleep": 3})
    eventually(lambda: kept.depth()[1] == 1, 10, "a message in flight")

    functions["changed"] = t.worker(changed, files["changed"], {"LATENCY": "0"}, {"BatchSize": 5})
    del functions["removed"]
    functions["new"] = t.worker(new, files["new"])
    gateway.write(t.config(functions, t.elasticmq()))
    gateway.reload()
    new.send({"id": 1})
    eventually(lambda: files["new"].count() == 1, 15, "the new mapping works")
    changed.send_all([{"id": i} for i in range(2, 7)])
    # ElasticMQ may give one to the poll that the old mapping had to cancel: it comes again.
    eventually(lambda: files["changed"].count() == 6, 45, "the changed mapping works")
    removed.send({"id": 2})
    eventually(kept.empty, 15, "the flying message came home")
    kept.send({"id": 2})
    eventually(lambda: files["kept"].count() == 3, 15, "the kept mapping works")
    assert {line["pid"] for line in files["kept"].lines()} == {pid}, "its process was replaced"
    assert [line["receive"] for line in files["kept"].lines()] == [1, 1, 1]
    never(lambda: files["removed"].count() > 1, 1, "the removed mapping still works")
    assert sum(removed.depth()) == 1
    assert gateway.invoke("removed", {}).status == 404
    law(gateway)
    assert gateway.stop() == 0


@limit(60)
def test_bad_reload_keeps_the_old(t):
    queue = t.queue()
    records = t.records()
    config = t.config({"worker": t.worker(queue, records)}, t.elasticmq())
    gateway = t.gateway(config)
    queue.send({"id": 1})
    eventually(lambda: records.count() == 1, 15, "first message")
    good = gateway.file.read_text()
    for bad in (good.replace('"Timeout"', '"Timeuot"'), "{", ""):
        length = len(gateway.log())
        gateway.file.write_text(bad)
        gateway.reload()
        eventually(lambda n=length: len(gateway.log()) > n, 10, "a line about the bad file")
    assert "Timeuot" in gateway.log()
    queue.send({"id": 2})
    eventually(lambda: records.count() == 2, 15, "works as before")
    gateway.file.write_text(good)
    gateway.reload()
    queue.send({"id": 3})
    eventually(lambda: records.count() == 3, 15, "works still")
    assert len({line["pid"] for line in records.lines()}) == 1
    assert gateway.stop() == 0


@limit(60)
def test_reload_under_load_loses_nothing(t):
    queue = t.queue(VisibilityTimeout=20)
    records = t.records()
    config = t.config({"worker": t.worker(queue, records, {"LATENCY": "0.02"}, {"BatchSize": 2},
                                          ReservedConcurrentExecutions=2)}, t.elasticmq())
    gateway = t.gateway(config)
    queue.send_all([{"id": i} for i in range(300)])
    for size in (3, 4, 2, 5):
        before = records.count()
        eventually(lambda n=before: records.count() >= n + 20, 20, "goes on")
        config["Functions"]["worker"]["Events"]["Queue"]["Properties"]["BatchSize"] = size
        gateway.write(config)
        gateway.reload()
    eventually(queue.empty, 45, "queue empty")
    assert set(records.by_id()) == set(range(300))


@limit(60)
def test_configuration_from_the_environment(t):
    """${NAME} in values, AWS_ENDPOINT_URL_SQS and AWS_REGION as the SDKs take them."""
    queue = t.queue()
    records = t.records()
    function = t.worker(queue, records)
    function["Events"] = event_of("${QUEUE_NAME}")
    function["Environment"]["Variables"]["OWN"] = "${OWN_VALUE}"
    gateway = t.gateway({"Functions": {"worker": function}}, environment={
        "QUEUE_NAME": queue.name, "OWN_VALUE": "from outside",
        "AWS_ENDPOINT_URL_SQS": t.elasticmq().url, "AWS_REGION": "us-east-1"})
    queue.send({"id": 1})
    eventually(queue.empty, 20, "handled")
    assert gateway.stop() == 0


@limit(60)
def test_relative_paths_are_relative_to_the_file(t):
    import shutil
    gateway = t.gateway({"Functions": {"f": dict(PYTHON, Handler="app.handler", CodeUri="./code")}},
                        start=False)
    shutil.copytree(FUNCTIONS / "python", gateway.folder / "code")
    gateway.start()
    ok(gateway.invoke("f", {"do": "echo", "value": 1}), {"echo": 1})


@limit(60)
def test_log_lines(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    gateway.invoke("f", {"do": "throw", "message": "two\nlines \"quoted\""})
    gateway.stop()
    for line in gateway.log().splitlines():
        assert line.startswith("ts="), f"not logfmt: {line!r}"
        assert " level=" in line and " msg=" in line, line
    assert "test-secret" not in gateway.log()


@limit(60)
def test_json_log(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}, LogFormat="json"))
    gateway.invoke("f", {"do": "print", "text": "a \"line\" ü \x01"})
    gateway.stop()
    for line in gateway.log().splitlines():
        fields = json.loads(line)
        assert {"ts", "level", "msg"} <= set(fields), line


def test_port_is_free_again(t):
    port = free_port()
    config = t.config({"f": {"Url": "http://127.0.0.1:1/"}}, Api=f"127.0.0.1:{port}")
    gateway = t.gateway(config)
    assert gateway.address == f"127.0.0.1:{port}"
    gateway.stop()
    gateway.start()
    assert gateway.stop() == 0
