"""Queues inside, when it gets rough: kill -9 under load, clients that vanish, thousands of idle long
polls, a store that is full, taken, too new or damaged."""

import http.client
import json
import random
import resource
import select
import socket
import sqlite3
import subprocess
import threading
import time

from gateway import BINARY, arn
from harness import big, in_threads, limit
from queue_ledger import Ledger
from servers import eventually, free_port
from sqs_client import Queue, Sqs, SqsError

VISIBILITY_S = 2
BROKEN = (OSError, http.client.HTTPException)


def client(gateway):
    return Sqs(f"http://{gateway.address}")


def queue_of(sqs, name):
    return Queue(sqs, name, sqs.call("GetQueueUrl", QueueName=name)["QueueUrl"])


def listed(gateway):
    """{name: messages} as the command tells it."""
    done = subprocess.run([BINARY, "queue", "list", "--json", "--api", f"http://{gateway.address}"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {row["Name"]: row["Visible"] + row["InFlight"] + row["Delayed"]
            for row in json.loads(done.stdout)["Queues"]}


# ---- kill -9 under load

class Client(threading.Thread):
    """Sends, receives, deletes, lets go; one request at a time, each tried once, so that it is known
    which were answered. A send to the FIFO queue is repeated until it is: deduplication is for that."""

    def __init__(self, index, url, ledgers, seed, fault):
        super().__init__(daemon=True)
        self.index, self.fault = index, fault
        self.ledgers = ledgers
        self.chance = random.Random(f"{seed}-{index}")
        self.sqs = Sqs(url)
        self.sends, self.drains = threading.Event(), threading.Event()
        self.sends.set()
        self.drains.set()
        self.n = {name: 0 for name in ledgers}
        self.pending = None  # the FIFO send that was not answered yet

    def run(self):
        try:
            while self.sends.is_set() or self.drains.is_set():
                name = self.chance.choice(list(self.ledgers))
                if self.pending or (self.sends.is_set() and self.chance.random() < 0.5):
                    self.send("steps.fifo" if self.pending else name)
                elif self.drains.is_set():
                    self.receive(name)
        except BaseException as error:  # the test tells it
            self.fault.append(error)
        finally:
            self.sqs.connection.close()

    def once(self, operation, name, **members):
        """The answer, None when there was none."""
        try:
            url = f"{self.sqs.url}/000000000000/{name}"
            self.sqs.send(operation, {"QueueUrl": url, **members})
            answer = self.sqs.connection.getresponse()
            text = answer.read()
        except BROKEN:
            self.sqs.connection.close()
            time.sleep(0.005)  # not faster than a gateway can start
            return None
        if answer.status in (500, 503):  # it ends
            return None
        if answer.status != 200:
            raise SqsError(answer.status, text.decode())
        return json.loads(text) if text else {}

    def body(self, key):
        return f"{key} {key * (hash_of(key) % 100)}"

    def next_key(self, name):
        self.n[name] += 1
        return f"{self.index}-{self.n[name] - 1}"

    def send(self, name):
        ledger = self.ledgers[name]
        if name.endswith(".fifo"):
            self.pending = self.pending or self.next_key(name)
            ledger.begin_send(self.pending)
            if self.once("SendMessage", name, MessageBody=self.body(self.pending),
                         MessageGroupId=str(self.index), MessageDeduplicationId=self.pending):
                ledger.end_send([self.pending])
                self.pending = None
            return
        keys = [self.next_key(name) for _ in range(self.chance.choice((1, 1, 10)))]
        delay = self.chance.choice((0, 0, 0, 1))
        for key in keys:
            ledger.begin_send(key, delay)
        if len(keys) == 1:
            done = self.once("SendMessage", name, MessageBody=self.body(keys[0]),
                             DelaySeconds=delay)
        else:
            done = self.once("SendMessageBatch", name, Entries=[
                {"Id": key, "MessageBody": self.body(key), "DelaySeconds": delay} for key in keys])
            assert done is None or not done.get("Failed"), done
        if done:
            ledger.end_send(keys)

    def receive(self, name):
        ledger = self.ledgers[name]
        asked = time.monotonic()
        answer = self.once("ReceiveMessage", name, MaxNumberOfMessages=10,
                           MessageSystemAttributeNames=["All"],
                           WaitTimeSeconds=self.chance.choice((0, 0, 0, 1)))
        got = time.monotonic()
        if answer is None:
            ledger.receive_lost()
            return
        messages = answer.get("Messages") or []
        keys = [message["Body"].split(" ", 1)[0] for message in messages]
        for key, message in zip(keys, messages):
            assert message["Body"] == self.body(key), "a body was changed"
        hands = ledger.received(asked, got, list(zip(keys, messages)))
        todo = self.chance.random() if self.sends.is_set() else 0
        if todo < 0.8:
            self.delete(name, list(zip(messages, hands)))
        elif todo < 0.9:
            for message, hand in reversed(list(zip(messages, hands))):
                ledger.begin_free(hand)
                if self.once("ChangeMessageVisibility", name, VisibilityTimeout=0,
                             ReceiptHandle=message["ReceiptHandle"]) is None:
                    break

    def delete(self, name, pairs):
        if not pairs:
            return
        if self.sends.is_set() and self.chance.random() < 0.5:
            pairs = pairs[:1 + self.chance.randrange(len(pairs))]  # the first ones only
        for _, hand in pairs:
            Ledger.begin_free(hand, deleting=True)
        done = self.once("DeleteMessageBatch", name, Entries=[
            {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]}
            for i, (message, _) in enumerate(pairs)])
        if done is None:
            return
        failed = {entry["Id"] for entry in done.get("Failed") or []}
        for i, (_, hand) in enumerate(pairs):
            late = time.monotonic() > hand.until
            assert str(i) not in failed or late, done
            if str(i) not in failed:
                Ledger.end_delete(hand)


def hash_of(key):
    return sum(key.encode())


def kills(t, times):
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    queue = {"VisibilityTimeout": VISIBILITY_S}
    gateway = t.gateway({"Gateway": {"Api": f"127.0.0.1:{free_port()}"}, "Functions": {},
                         "Queues": {"plain": queue, "steps.fifo": queue}})
    ledgers = {name: Ledger(VISIBILITY_S) for name in ("plain", "steps.fifo")}
    fault, slowest = [], 0
    clients = [Client(i, f"http://{gateway.address}", ledgers, seed, fault) for i in range(8)]
    for each in clients:
        each.start()
    for kill in range(times):
        before = [ledger.times_received() for ledger in ledgers.values()]
        eventually(lambda b=before: fault or all(
            ledger.times_received() > n for ledger, n in zip(ledgers.values(), b)),
            30, f"work before kill {kill}, seed {seed}")
        # A random moment of the work is the point here, not a wait for anything.
        time.sleep(chance.random() * 0.3)
        gateway.kill9()
        gateway.start()
        slowest = max(slowest, gateway.ready_seconds)
        assert not fault, (seed, fault)
    for each in clients:
        each.drains.clear()
        each.sends.clear()
    for each in clients:
        each.join(60)
        assert not each.is_alive(), "a client hangs"
    assert not fault, (seed, fault)
    told = listed(gateway)
    for name, ledger in ledgers.items():
        least, most = ledger.left()
        counted = queue_of(client(gateway), name).count()
        assert least <= counted == told[name] <= most, (seed, name, least, counted, told, most)
    in_threads(8, lambda i: drain(i, gateway, ledgers, seed))
    check(gateway, ledgers, seed)
    figures = ", ".join(
        f"{name}: {len(ledger.sent)} sent, {ledger.times_received()} received, {ledger.lost_receives}"
        " receives without an answer" for name, ledger in ledgers.items())
    print(f"     {times} kills; {figures}; slowest start {slowest:.2f} s; seed {seed}", flush=True)


@limit(10)
def test_the_ledger_finds_faults(_):
    """What the tests below look for is found in histories that have it, and only there."""
    def history(*receives, fifo=False):
        ledger = Ledger(VISIBILITY_S)
        for number in range(3):
            ledger.sent[f"g-{number}"] = (0.0, 0, True)
        for asked, got, number, count, freed, deleted in receives:
            message = {"Attributes": {"ApproximateReceiveCount": count}, "MessageId": str(number)}
            hand, = ledger.received(asked, got, [(f"g-{number}", message)])
            hand.freed, hand.deleted, hand.deleting = freed, deleted, deleted is not None
        told = ledger.order_problems(group_and_number) if fifo else ledger.problems()
        return " ".join(told) or "good"

    def expect(text, *receives, fifo=False):
        told = history(*receives, fifo=fifo)
        assert text in told, (text, told)

    expect("good", (1, 2, 0, 1, None, None), (2, 3.5, 0, 2, 4, 5))
    expect("two hands", (1, 2, 0, 1, None, None), (2, 2.9, 0, 2, None, None))
    expect("good", (1, 2, 0, 1, 2.5, None), (2, 2.9, 0, 2, None, None))
    expect("after its delete", (1, 2, 0, 1, 2.1, 2.2), (3.5, 3.6, 0, 2, None, None))
    expect("count twice", (1, 2, 0, 1, None, None), (3.5, 3.6, 0, 1, None, None))
    expect("counts [3]", (1, 2, 0, 3, None, None))
    expect("good", (1, 1.1, 0, 1, 1.2, 1.3), (1.4, 1.5, 1, 1, None, None), fifo=True)
    expect("while 0 was out", (1, 1.1, 0, 1, None, None), (1.4, 1.5, 1, 1, None, None), fifo=True)
    expect("1 came before 0", (1, 1.1, 1, 1, None, None), fifo=True)
    expect("before 0 came again", (1, 1.1, 0, 1, None, None), (1.4, 3.5, 1, 1, None, None),
           fifo=True)
    expect("before 0 came again", (1, 1.1, 0, 1, 1.2, None), (1.4, 3.5, 1, 1, None, None), fifo=True)
    ledger = Ledger(VISIBILITY_S)
    ledger.begin_send("a")
    assert (ledger.lost(), ledger.left()) == ([], (0, 1))
    ledger.end_send(["a"])
    assert (ledger.lost(), ledger.left()) == (["a"], (1, 1))


def group_and_number(key):
    group, number = key.split("-")
    return group, int(number)


def drain(index, gateway, ledgers, seed):
    """Receives and deletes until nothing is left."""
    fault = []
    each = Client(index, f"http://{gateway.address}", ledgers, seed + 1, fault)
    each.sends.clear()
    for name in ledgers:
        queue = queue_of(client(gateway), name)
        deadline = time.monotonic() + 60
        while not queue.empty():
            each.receive(name)
            assert time.monotonic() < deadline, f"{name} does not become empty: {queue.depth()}"


def check(gateway, ledgers, seed):
    told = [f"{name}: {each}" for name, ledger in ledgers.items() for each in ledger.problems()]
    told += ledgers["steps.fifo"].order_problems(group_and_number)
    assert not told, f"seed {seed}: {len(told)} problems: {told[:10]}"
    for name, ledger in ledgers.items():
        lost = ledger.lost()
        assert not lost, f"seed {seed}: {name}: {len(lost)} lost: {lost[:10]}"
    assert set(listed(gateway).values()) == {0}, listed(gateway)
    for line in gateway.log().splitlines():
        assert "level=error" not in line, line
    assert gateway.stop() == 0
    with sqlite3.connect(gateway.folder / "penstock.db") as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@limit(120)
def test_5_kills(t):
    kills(t, 5)


@big
@limit(900)
def test_200_kills(t):
    kills(t, 200)


@limit(120)
def test_mapping_killed(t):
    """A gateway with a function on its own queue, killed under load: nothing lost, nobody left."""
    records = t.records()
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    worker = t.worker("jobs", records, {"PARTIAL": "1", "LATENCY": "0.01"},
                      {"FunctionResponseTypes": ["ReportBatchItemFailures"]}, Timeout=2,
                      ReservedConcurrentExecutions=3)
    redrive = {"deadLetterTargetArn": arn("dead"), "maxReceiveCount": 30}
    gateway = t.gateway({
        "Queues": {"jobs": {"VisibilityTimeout": 2, "RedrivePolicy": redrive}, "dead": {}},
        "Functions": {"worker": worker}})
    sent = 0
    for kill in range(5):
        queue = queue_of(client(gateway), "jobs")
        queue.send_all([{"id": i, "fail": 1 if i % 17 == 0 else 0} for i in range(sent, sent + 100)])
        sent += 100
        before = records.count()
        eventually(lambda n=before: records.count() > n, 30, f"work before kill {kill}, seed {seed}")
        time.sleep(chance.random() * 0.25)  # a random moment of the work, not a wait
        gateway.kill9()
        gateway.nothing_left()
        gateway.start()
    queue, dead = (queue_of(client(gateway), name) for name in ("jobs", "dead"))
    eventually(queue.empty, 60, "queue empty", every=0.1)
    assert dead.empty(), dead.depth()
    assert gateway.stop() == 0
    gateway.nothing_left()
    done = [line["id"] for line in records.lines() if line["ok"]]
    assert set(done) == set(range(sent)), f"seed {seed}: lost {set(range(sent)) - set(done)}"
    # what was in hand at a kill, at most: three batches of ten
    twice = len(done) - sent
    assert twice <= 5 * 3 * 10, f"seed {seed}: {twice} handled again"
    print(f"     5 kills, {sent} messages, none lost, {twice} handled again, seed {seed}", flush=True)


class Mover(Client):
    """Sends to one queue until told to stop; receives from it and keeps nothing, so that everything
    in it ends as a dead letter."""

    def run(self):
        try:
            name, = self.ledgers
            while self.drains.is_set():
                if self.pending or (self.sends.is_set() and self.chance.random() < 0.5):
                    self.send(name)
                else:
                    self.once("ReceiveMessage", name, MaxNumberOfMessages=10, VisibilityTimeout=0)
        except BaseException as error:  # the test tells it
            self.fault.append(error)
        finally:
            self.sqs.connection.close()


def kill_while(gateway, chance, goes_on, most):
    """Kills at random moments for as long as it goes on: how often."""
    for kills_done in range(most):
        if not goes_on():
            return kills_done
        time.sleep(chance.random() * 0.3)  # a random moment of the work, not a wait
        gateway.kill9()
        gateway.start()
    return most


def all_of(queue, whole):
    """The keys in a queue that nobody works on, in the order in which they come; whole: the body of
    a key."""
    found = []
    while not queue.empty():
        got = queue.receive()
        for message in got:
            key = message["Body"].split(" ", 1)[0]
            assert message["Body"] == whole(key), "a body was changed"
            found.append(key)
        if got:
            done = queue.sqs.call("DeleteMessageBatch", QueueUrl=queue.url, Entries=[
                {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]}
                for i, message in enumerate(got)])
            assert not done.get("Failed"), done
    return found


def each_once(keys, ledger, fifo, seed):
    assert len(set(keys)) == len(keys), (seed, len(keys) - len(set(keys)))
    acked = {key for key, (_, _, acknowledged) in ledger.sent.items() if acknowledged}
    assert acked <= set(keys) <= set(ledger.sent), (seed, sorted(acked - set(keys))[:10])
    if fifo:
        latest = {}
        for group, number in map(group_and_number, keys):
            assert number == latest.get(group, -1) + 1, (seed, group, number, latest)
            latest[group] = number


def dead_letters_killed(t, fifo):
    """Every message becomes a dead letter, then a move task brings all of them home; the gateway is
    killed all the time. Each is in one place, once, and the order of groups holds."""
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    work, dead, home = (name + (".fifo" if fifo else "") for name in ("steps", "dead", "home"))
    redrive = {"deadLetterTargetArn": arn(dead), "maxReceiveCount": 2}
    gateway = t.gateway({"Gateway": {"Api": f"127.0.0.1:{free_port()}"}, "Functions": {},
                         "Queues": {work: {"RedrivePolicy": redrive}, dead: {}, home: {}}})
    ledger, fault = Ledger(VISIBILITY_S), []
    movers = [Mover(i, f"http://{gateway.address}", {work: ledger}, seed, fault) for i in range(6)]
    for each in movers:
        each.start()
    kill_while(gateway, chance, lambda: not fault, 6)
    for each in movers:
        each.sends.clear()
    eventually(lambda: fault or (queue_of(client(gateway), work).empty()
                                 and not any(each.pending for each in movers)),
               60, f"all are dead letters, seed {seed}")
    for each in movers:
        each.drains.clear()
    for each in movers:
        each.join(60)
    assert not fault, (seed, fault)
    letters = queue_of(client(gateway), dead).count()
    arns = {name: queue_of(client(gateway), name).arn for name in (dead, home)}
    client(gateway).call("StartMessageMoveTask", SourceArn=arns[dead], DestinationArn=arns[home],
                         MaxNumberOfMessagesPerSecond=500)
    moved_kills = kill_while(
        gateway, chance, lambda: not queue_of(client(gateway), dead).empty(), 6)
    eventually(lambda: queue_of(client(gateway), dead).empty(), 60, f"all are moved, seed {seed}")
    eventually(lambda: client(gateway).call("ListMessageMoveTasks", SourceArn=arns[dead])[
        "Results"][0]["Status"] == "COMPLETED", 10, f"the task is over, seed {seed}")
    task, = client(gateway).call("ListMessageMoveTasks", SourceArn=arns[dead])["Results"]
    assert task["ApproximateNumberOfMessagesMoved"] == letters, (seed, letters, task)
    each_once(all_of(queue_of(client(gateway), home), movers[0].body), ledger, fifo, seed)
    assert set(listed(gateway).values()) == {0}, (seed, listed(gateway))
    assert gateway.stop() == 0
    print(f"     {letters} dead letters, 6 kills while they die, {moved_kills} while they move; "
          f"seed {seed}", flush=True)


@limit(120)
def test_dead_letters_killed(t):
    dead_letters_killed(t, fifo=False)


@limit(120)
def test_dead_letters_killed_fifo(t):
    dead_letters_killed(t, fifo=True)


# ---- long polls

def raw_poll(gateway, name, wait):
    """A long poll on a socket of its own, sent and not waited for."""
    host, port = gateway.address.rsplit(":", 1)
    body = json.dumps({"QueueUrl": f"http://{gateway.address}/000000000000/{name}",
                       "WaitTimeSeconds": wait}).encode()
    poll = socket.create_connection((host, int(port)))
    poll.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\n"
                 b"Content-Type: application/x-amz-json-1.0\r\n"
                 b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
    return poll


@limit(60)
def test_client_vanishes_in_a_long_poll(t):
    gateway = t.gateway({"Queues": {"q": {}}, "Functions": {}})
    queue = queue_of(client(gateway), "q")
    for end in ("closed", "reset"):
        polls = [raw_poll(gateway, "q", 20) for _ in range(50)]
        assert queue.empty()  # asked after the polls were: the gateway knows them all
        for poll in polls:
            if end == "reset":
                poll.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            poll.close()
        sent = queue.send(end)
        got = queue.receive()
        assert [(m["MessageId"], m["Attributes"]["ApproximateReceiveCount"]) for m in got] == [
            (sent["MessageId"], "1")], (end, got, queue.depth())
        queue.delete(got[0])
        assert queue.empty()


def idle_polls(t, n):
    gateway = t.gateway({"Queues": {"q": {}, "other": {}}, "Functions": {}})
    queue = queue_of(client(gateway), "q")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < n + 500:
        t.skip(f"needs {n + 500} file descriptors, {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, n + 500), hard))
    try:
        begun = time.monotonic()
        polls = [raw_poll(gateway, "q", 20) for _ in range(n)]
        assert queue.empty()
        assert len(readable(polls)) == 0, "a long poll came back at once"
        sent_at = time.monotonic()
        assert sent_at - begun < 15, f"{n} long polls took {sent_at - begun:.1f} s to send"
        queue.send("wake")
        woken = eventually(lambda: readable(polls), 5, "one is woken")
        took = time.monotonic() - sent_at
        assert len(woken) == 1 and b"wake" in woken[0].recv(65536), woken
        assert queue.depth() == (0, 1, 0), queue.depth()
        assert len(readable(polls)) == 0, "more than one was woken"
        rss = int(open(f"/proc/{gateway.process.pid}/statm").read().split()[1]) * 4 // 1024
        print(f"     {n} idle long polls: woken after {took * 1000:.1f} ms, {rss} MB resident",
              flush=True)
        for poll in polls:
            poll.close()
        assert gateway.stop() == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def readable(sockets):
    poller = select.epoll()
    by_number = {each.fileno(): each for each in sockets}
    for number in by_number:
        poller.register(number, select.EPOLLIN)
    found = [by_number[number] for number, _ in poller.poll(0, len(sockets))]
    poller.close()
    return found


@limit(60)
def test_2000_idle_long_polls(t):
    idle_polls(t, 2000)


@big
@limit(120)
def test_10000_idle_long_polls(t):
    idle_polls(t, 10000)


# ---- the store

def fill(queue, body, most):
    """Sends until it is refused: how many were taken, the refusal."""
    for sent in range(most):
        try:
            queue.send(body)
        except SqsError as error:
            return sent, error
    raise AssertionError(f"{most} messages were taken, none refused")


def emptied_to_half(queue, kept):
    """Everything that was taken is still there and can be deleted; half of it is."""
    for _ in range(kept // 2):
        got = queue.receive(most=1)
        assert len(got) == 1, (queue.depth(), kept)
        queue.delete(got[0])
    assert queue.count() == kept - kept // 2


def full_store(gateway, limit_now, why):
    queue = queue_of(client(gateway), "q")
    queue.send("first")
    limit_now()
    body = "x" * 40000
    sent, error = fill(queue, body, 2000)
    assert sent > 10 and error.status in (500, 503), (sent, error)
    assert "The store has no room" in error.body, error
    again = in_threads(4, lambda _: fill(queue_of(client(gateway), "q"), body, 200)[0])
    kept = queue.count()
    assert kept == sent + 1 + sum(again), (kept, sent, again)
    told = [x for x in gateway.log().splitlines() if "new messages are refused" in x]
    assert len(told) == 1 and "level=warn" in told[0] and why in told[0], (told, gateway.log())
    emptied_to_half(queue, kept)
    queue.send(body)
    assert queue.count() == kept - kept // 2 + 1
    left = queue.count()
    gateway.kill9()
    gateway.start()
    queue = queue_of(client(gateway), "q")
    assert queue.count() == left
    queue.send(body)


@limit(90)
def test_store_max_bytes(t):
    gateway = t.gateway({"Queues": {"q": {}}, "Functions": {},
                         "Gateway": {"StoreMaxBytes": 4000000}})
    full_store(gateway, lambda: None, "the store is full, by StoreMaxBytes")


@limit(90)
def test_files_may_not_grow(t):
    gateway = t.gateway({"Queues": {"q": {}}, "Functions": {}})

    def limit_now():
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (8000000, hard))
    full_store(gateway, limit_now, "")


@limit(90)
def test_disk_full(t):
    disk = t.folder / "disk"
    disk.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m", "penstock-test", disk],
                          capture_output=True, text=True)
    if done.returncode != 0:
        t.skip(f"no small disk can be mounted: {done.stderr.strip()}")
    t.ends.callback(subprocess.run, ["umount", "--lazy", disk], check=True)
    gateway = t.gateway({"Queues": {"q": {}}, "Functions": {},
                         "Gateway": {"Store": str(disk / "penstock.db")}})
    full_store(gateway, lambda: None, "")


def refused(gateway, *texts):
    """Does not start on its store: exit 2, one line that says why."""
    gateway.log_path.unlink(missing_ok=True)
    gateway.spawn()
    assert gateway.wait(10) == 2, gateway.log()
    for text in texts:
        assert text in gateway.log(), (text, gateway.log())
    assert len(gateway.log().splitlines()) <= 3, gateway.log()
    assert gateway.process.returncode == 2


@limit(60)
def test_second_gateway_on_a_store(t):
    gateway = t.gateway({"Queues": {"q": {}}, "Functions": {}})
    store = gateway.folder / "penstock.db"
    queue = queue_of(client(gateway), "q")
    queue.send("kept")
    second = t.gateway({"Queues": {"q": {}}, "Functions": {}, "Gateway": {"Store": str(store)}},
                       start=False)
    for _ in range(3):
        refused(second, str(store), "another")
    assert [m["Body"] for m in queue.receive()] == ["kept"], "the first one was disturbed"
    gateway.kill9()
    second.start()
    assert queue_of(client(second), "q").count() == 1
    refused(gateway, str(store))


@limit(60)
def test_store_of_a_newer_schema(t):
    gateway = t.gateway({"Queues": {"q": {}}, "Functions": {}})
    queue_of(client(gateway), "q").send("kept")
    assert gateway.stop() == 0
    store = gateway.folder / "penstock.db"

    def set_version(version):
        with sqlite3.connect(store) as db:
            before = db.execute("PRAGMA user_version").fetchone()[0]
            db.execute(f"PRAGMA user_version = {version}")
        db.close()
        return before
    version = set_version(999)
    refused(gateway, str(store), "newer penstock", "999")
    set_version(version)
    gateway.start()
    assert queue_of(client(gateway), "q").count() == 1, "the refusal changed the store"


@limit(90)
def test_damaged_store(t):
    gateway = t.gateway({"Queues": {"q": {}}, "Functions": {}})
    queue = queue_of(client(gateway), "q")
    queue.send_all([f"{i} " * 2000 for i in range(100)])
    assert gateway.stop() == 0
    store = gateway.folder / "penstock.db"
    good = store.read_bytes()
    pages = len(good) // 4096
    store.write_bytes(b"this is no database, it is a letter to somebody. " * 200)
    refused(gateway, str(store), "not a database")
    store.write_bytes(good[:4096] + bytes(i % 251 for i in range(4096)) * (pages - 1))
    refused(gateway, str(store), "damaged")
    store.write_bytes(good[:len(good) // 2])
    refused(gateway, str(store), "damaged")
    store.unlink()
    store.mkdir()
    refused(gateway, str(store))
    store.rmdir()
    store.write_bytes(good)
    gateway.start()
    assert queue_of(client(gateway), "q").count() == 100
