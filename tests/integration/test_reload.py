"""Reload and drain at unkind moments: what the file no longer says, what is still on its way."""

import http.client
import json
import os
import signal
import socket
import threading

from gateway import FUNCTIONS
from harness import in_threads, limit
from scripted_http import Answer, Slow
from servers import eventually, never
from test_functions import PYTHON, ok


def reload(gateway, config):
    """Writes the configuration and waits until it is in force or was refused."""
    before = gateway.log().count("reload: done") + gateway.log().count("stays in force")
    gateway.write(config)
    gateway.reload()
    eventually(lambda: gateway.log().count("reload: done") +
               gateway.log().count("stays in force") > before, 10, "the reload")


@limit(60)
def test_services_outlive_the_file_that_named_them(t):
    """Everything of the first file was replaced: its memory is gone, its endpoints are not."""
    queue = t.queue()
    records = t.records()
    for round_ in range(3):
        worker = t.worker(queue, records, {"ROUND": str(round_)})
        config = t.config({"worker": worker}, t.elasticmq())
        if round_ == 0:
            gateway = t.gateway(config)
        else:
            reload(gateway, config)
        queue.send({"id": round_})
        eventually(lambda n=round_: records.count() == n + 1, 15, f"message of round {round_}")
    assert gateway.stop() == 0


@limit(60)
def test_removed_and_added_again_while_it_drains(t):
    queue = t.queue()
    records = t.records()
    with_it = t.config({"worker": t.worker(queue, records, None, {"BatchSize": 1})}, t.elasticmq())
    without = t.config({"other": {"Url": "http://127.0.0.1:1/"}}, t.elasticmq())
    gateway = t.gateway(with_it)
    queue.send({"id": "long", "sleep": 2})
    eventually(lambda: queue.depth()[1] == 1, 10, "in flight")
    for config in (without, with_it, without, with_it):
        reload(gateway, config)
    queue.send({"id": "after"})
    eventually(queue.empty, 20, "both handled")
    assert sorted(records.by_id()) == ["after", "long"]
    # A poll that was closing may have received the second and given it back; the first was held.
    assert records.by_id()["long"][0]["receive"] == 1
    assert gateway.stop() == 0


@limit(60)
def test_signals_that_come_together(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    for _ in range(20):
        gateway.reload()
    ok(gateway.invoke("f", {"do": "echo", "value": 1}), {"echo": 1})
    gateway.reload()
    gateway.signal(signal.SIGTERM)
    gateway.reload()
    assert gateway.wait(10) == 0


@limit(60)
def test_a_retired_reservation_starves_nobody(t):
    """What a changed function leaves behind holds the slots it uses, not those it once reserved."""
    server = t.http_server(lambda request: Slow(20, Answer(200, "{}")))
    slow = {"Url": f"http://127.0.0.1:{server.port}/", "Timeout": 30,
            "ReservedConcurrentExecutions": 8}
    free = dict(PYTHON, Handler="app.handler")
    gateway = t.gateway(t.config({"slow": slow, "free": free}, ConcurrentExecutions=10))
    caller = threading.Thread(target=lambda: swallow(gateway, "slow"), daemon=True)
    caller.start()
    eventually(lambda: len(server.requests) == 1, 10, "the slow one is out")
    reload(gateway, t.config({"slow": dict(slow, Timeout=31), "free": free},
                             ConcurrentExecutions=10))
    ok(gateway.invoke("free", {"do": "echo", "value": 1}), {"echo": 1})


def swallow(gateway, name):
    try:
        gateway.invoke(name, {})
    except (OSError, http.client.HTTPException):
        pass


@limit(60)
def test_an_answer_under_way_is_sent_to_its_end(t):
    """SIGTERM while a client is still reading: it gets all of it."""
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    ok(gateway.invoke("f", {"do": "echo", "value": 1}), {"echo": 1})
    host, port = gateway.address.rsplit(":", 1)
    body = json.dumps({"do": "size", "bytes": 6_000_000}).encode()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    client.connect((host, int(port)))
    client.sendall(b"POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nHost: localhost\r\n"
                   b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    got = client.recv(100)
    assert got.startswith(b"HTTP/1.1 200"), got
    gateway.signal(signal.SIGTERM)
    never(lambda: not gateway.running(), 0.5, "ended before the answer was read")
    while chunk := client.recv(65536):
        got += chunk
    client.close()
    assert got.endswith(b'x"'), f"{len(got)} bytes: {got[-50:]!r}"
    assert gateway.wait(10) == 0


@limit(60)
def test_an_answer_nobody_reads_does_not_hold_the_drain(t):
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}, Drain="1s"))
    host, port = gateway.address.rsplit(":", 1)
    body = json.dumps({"do": "size", "bytes": 6_000_000}).encode()
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    client.connect((host, int(port)))
    client.sendall(b"POST /2015-03-31/functions/f/invocations HTTP/1.1\r\nHost: localhost\r\n"
                   b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    assert client.recv(12) == b"HTTP/1.1 200"
    gateway.signal(signal.SIGTERM)
    assert gateway.wait(10) == 1
    client.close()


@limit(60)
def test_the_account_limit_follows_the_file(t):
    """Reservations are checked against the new ConcurrentExecutions: it must be in force."""
    config = t.config({"a": dict(PYTHON, Handler="app.handler", ReservedConcurrentExecutions=2),
                       "b": dict(PYTHON, Handler="app.handler")}, ConcurrentExecutions=4)
    gateway = t.gateway(config)
    ok(gateway.invoke("b", {"do": "echo", "value": 1}), {"echo": 1})
    config["Functions"]["a"]["ReservedConcurrentExecutions"] = 6
    config["Gateway"]["ConcurrentExecutions"] = 8
    reload(gateway, config)
    ok(gateway.invoke("b", {"do": "echo", "value": 2}), {"echo": 2})
    assert gateway.stop() == 0


@limit(60)
def test_many_calls_to_one_host(t):
    """The limit is the account's concurrency, not how many connections a host may have."""
    server = t.http_server(lambda request: Slow(4, Answer(200, '"done"')))
    gateway = t.gateway(t.config(
        {"f": {"Url": f"http://127.0.0.1:{server.port}/", "Timeout": 6}}))
    replies = in_threads(400, lambda i: gateway.invoke("f", {"i": i}))
    bad = [reply for reply in replies if reply.status != 200 or reply.json != "done"]
    assert not bad, f"{len(bad)} of {len(replies)}, such as {bad[0]}"


@limit(60)
def test_a_pipe_is_not_a_configuration(t):
    """A file that would block the only thread for ever is refused at reload."""
    gateway = t.gateway(t.config({"f": dict(PYTHON, Handler="app.handler")}))
    gateway.file.unlink()
    os.mkfifo(gateway.file)
    gateway.reload()
    eventually(lambda: "stays in force" in gateway.log(), 5, "refused")
    ok(gateway.invoke("f", {"do": "echo", "value": 1}), {"echo": 1})
    assert gateway.stop() == 0


@limit(120)
def test_order_survives_reloads_and_restarts(t):
    """FIFO: groups stay in order and nothing is lost, whichever way the mapping ends and begins."""
    queue, dead = t.queue("queue.fifo", dead_after=50, VisibilityTimeout=2)
    records = t.records()
    groups, each = 4, 30
    queue.send_all([{"id": f"g{g}-{i}", "g": g, "fail": int(i % 10 == 3), "sleep": 0.02}
                    for i in range(each) for g in range(groups)],
                   group=lambda _, body: f"g{body['g']}")
    config = t.config({"worker": t.worker(
        queue, records, {"PARTIAL": "1"},
        {"BatchSize": 10, "FunctionResponseTypes": ["ReportBatchItemFailures"]}, Timeout=2,
        ReservedConcurrentExecutions=3)}, t.elasticmq())
    gateway = t.gateway(config)
    for round_ in range(12):
        if queue.empty():
            break
        before = records.count()
        eventually(lambda n=before: records.count() > n or queue.empty(), 20, "goes on")
        config["Functions"]["worker"]["Events"]["Queue"]["Properties"]["BatchSize"] = 10 - round_ % 3
        gateway.write(config)
        if round_ % 4 == 3:
            assert gateway.stop() == 0
            gateway.start()
        else:
            gateway.reload()
    eventually(queue.empty, 60, "queue empty", every=0.2)
    assert dead.empty(), f"dead letter queue: {dead.depth()}"
    for g in range(groups):
        done = [int(line["id"].split("-")[1]) for line in records.lines()
                if line["ok"] and line["group"] == f"g{g}"]
        assert done == list(range(each)), f"g{g}: {done}"
    assert gateway.stop() == 0
