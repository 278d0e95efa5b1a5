"""An SQS server that makes the faults no real server makes, with the clock of visibility in hand.

It keeps the whole life of each message, so that a test can say: never received again while the
gateway held it. Faults are scripted per operation: fail(operation, fault, times). A fault is an
answer of scripted_http, or a function of (request, do) that gives one, where do() performs the
operation for real and gives the answer that would have been right.
"""

import base64
import hashlib
import json
import threading
import time
import uuid
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from scripted_http import Answer, HttpServer

REGION = "us-east-1"
ACCOUNT = "000000000000"


class Message:
    def __init__(self, body, group=None, attributes=None):
        self.id = str(uuid.uuid4())
        self.body = body
        self.group = group
        self.attributes = attributes or {}
        self.sent = time.time()
        self.receives = []  # (clock, visible again at) of each receive
        self.extensions = []  # (clock, visible again at) of each ChangeMessageVisibility
        self.visible_at = 0.0
        self.handle = None
        self.deleted = None  # clock
        self.deletes = 0

    @property
    def lapsed(self):
        """It came to be visible again though it was not deleted: receives beyond the first."""
        return len(self.receives) > 1


class ScriptedQueue:
    def __init__(self, name, visibility=30, attributes=None):
        self.name = name
        self.visibility = visibility
        self.attributes = attributes or {}
        self.messages = []

    @property
    def arn(self):
        return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{self.name}"

    @property
    def fifo(self):
        return self.name.endswith(".fifo")


class FakeSqs(HttpServer):
    """protocol: 'json', or 'query' for a server that knows only the query protocol."""

    def __init__(self, protocol="json", port=0, url_host=None):
        self.protocol = protocol
        self.queues = {}
        self.faults = {}
        self.calls = []  # (operation, members, clock)
        self.offset = 0.0
        self.kicks = 0
        self.changed = threading.Condition()
        self.url_host = url_host
        super().__init__(self.answer, port)

    # -- what a test does

    def now(self):
        return time.time() + self.offset

    def advance(self, seconds):
        """Moves the clock of visibility."""
        with self.changed:
            self.offset += seconds
            self.changed.notify_all()

    def queue(self, name="queue", visibility=30, **attributes):
        with self.changed:
            queue = ScriptedQueue(name, visibility, attributes)
            self.queues[name] = queue
            return queue

    def put(self, queue, *bodies, group=None, attributes=None):
        made = []
        with self.changed:
            for body in bodies:
                text = body if isinstance(body, str) else json.dumps(body)
                made.append(Message(text, group, attributes))
            queue.messages.extend(made)
            self.changed.notify_all()
        return made

    def fail(self, operation, fault, times=1):
        """times=None: until heal()."""
        with self.changed:
            self.faults.setdefault(operation, []).append([fault, times])

    def heal(self, operation=None):
        with self.changed:
            if operation:
                self.faults.pop(operation, None)
            else:
                self.faults.clear()

    def kick(self):
        """Receives that wait for messages are answered now."""
        with self.changed:
            self.kicks += 1
            self.changed.notify_all()

    def used_up(self, operation):
        with self.changed:
            return not self.faults.get(operation)

    def count(self, operation):
        with self.changed:
            return sum(1 for name, _, _ in self.calls if name == operation)

    def left(self, queue):
        with self.changed:
            return [m for m in queue.messages if m.deleted is None]

    # -- the protocol

    def answer(self, request):
        target = request.header("x-amz-target") or ""
        if target.startswith("AmazonSQS."):
            if self.protocol == "query":
                return self._xml_error("MissingAction", "The request must contain Action.")
            try:
                members = json.loads(request.body or b"{}")
            except ValueError:
                return self._error("SerializationException", "not JSON")
            return self._perform(request, target[10:], members)
        form = {k: v[0] for k, v in parse_qs(request.body.decode(), True).items()}
        if "Action" in form and self.protocol == "query":
            return self._perform(request, form["Action"], members_of_form(form))
        return self._error("UnknownOperationException", f"no target: {target!r}")

    def _perform(self, request, operation, members):
        with self.changed:
            self.calls.append((operation, members, self.now()))
            fault = None
            waiting = self.faults.get(operation) or self.faults.get("*")
            if waiting:
                fault, times = waiting[0]
                if times is not None:
                    waiting[0][1] -= 1
                    if waiting[0][1] <= 0:
                        waiting.pop(0)

        def do():
            act = getattr(self, f"do_{operation}", None)
            if act is None:
                return self._error("UnknownOperationException", operation)
            return act(members)

        if fault is None:
            return do()
        return fault(request, do) if callable(fault) else fault

    def _error(self, kind, message, status=400):
        if self.protocol == "query":
            return self._xml_error(kind, message, status)
        return Answer(status, {"__type": f"com.amazonaws.sqs#{kind}", "message": message},
                      {"Content-Type": "application/x-amz-json-1.0"})

    def _xml_error(self, code, message, status=400):
        return Answer(status, "<?xml version=\"1.0\"?><ErrorResponse><Error><Type>Sender</Type>"
                      f"<Code>{code}</Code><Message>{escape(message)}</Message></Error>"
                      "<RequestId>r</RequestId></ErrorResponse>", {"Content-Type": "text/xml"})

    def _ok(self, operation, result):
        if self.protocol == "json":
            return Answer(200, result, {"Content-Type": "application/x-amz-json-1.0",
                                        "x-amzn-RequestId": str(uuid.uuid4())})
        return Answer(200, xml_of(operation, result), {"Content-Type": "text/xml"})

    def _queue(self, members):
        name = (members.get("QueueUrl") or members.get("QueueName") or "").rsplit("/", 1)[-1]
        return self.queues.get(name)

    def _missing(self):
        kind = ("AWS.SimpleQueueService.NonExistentQueue" if self.protocol == "query"
                else "QueueDoesNotExist")
        return self._error(kind, "The specified queue does not exist.")

    def do_GetQueueUrl(self, members):
        queue = self._queue(members)
        if queue is None:
            return self._missing()
        host = self.url_host or f"127.0.0.1:{self.port}"
        return self._ok("GetQueueUrl", {"QueueUrl": f"http://{host}/{ACCOUNT}/{queue.name}"})

    def do_GetQueueAttributes(self, members):
        queue = self._queue(members)
        if queue is None:
            return self._missing()
        attributes = {"QueueArn": queue.arn, "VisibilityTimeout": str(queue.visibility),
                      **queue.attributes}
        if queue.fifo:
            attributes["FifoQueue"] = "true"
        return self._ok("GetQueueAttributes", {"Attributes": attributes})

    def do_ReceiveMessage(self, members):
        wait = float(members.get("WaitTimeSeconds", 0))
        most = int(members.get("MaxNumberOfMessages", 1))
        end = time.monotonic() + wait
        with self.changed:
            kicks = self.kicks
            while True:
                queue = self._queue(members)
                if queue is None:
                    return self._missing()
                visibility = float(members.get("VisibilityTimeout", queue.visibility))
                found = self._take(queue, most, visibility)
                left = end - time.monotonic()
                if found or left <= 0 or not self.open or kicks != self.kicks:
                    break
                self.changed.wait(min(left, 0.5))
        return self._ok("ReceiveMessage", {"Messages": found} if found else {})

    def _take(self, queue, most, visibility):
        now, found = self.now(), []
        closed = {m.group for m in queue.messages
                  if m.group and m.deleted is None and m.visible_at > now}
        for message in queue.messages:
            if len(found) == most:
                break
            if message.deleted is not None or message.visible_at > now or message.group in closed:
                continue
            message.handle = uuid.uuid4().hex
            message.visible_at = now + visibility
            message.receives.append((now, message.visible_at))
            found.append(self._wire(message))
        return found

    def _wire(self, message):
        attributes = {
            "ApproximateReceiveCount": str(len(message.receives)),
            "SentTimestamp": str(int(message.sent * 1000)),
            "SenderId": "AIDATEST",
            "ApproximateFirstReceiveTimestamp": str(int(message.receives[0][0] * 1000)),
        }
        if message.group:
            attributes.update(MessageGroupId=message.group, MessageDeduplicationId=message.id,
                              SequenceNumber="18849496460467696128")
        wire = {
            "MessageId": message.id, "ReceiptHandle": message.handle, "Body": message.body,
            "MD5OfBody": hashlib.md5(message.body.encode()).hexdigest(), "Attributes": attributes,
        }
        if message.attributes:
            wire["MessageAttributes"] = message.attributes
            wire["MD5OfMessageAttributes"] = md5_of_attributes(message.attributes)
        return wire

    def _by_handle(self, queue, handle):
        for message in queue.messages:
            if message.handle == handle:
                return message
        return None

    def _delete(self, queue, handle):
        message = self._by_handle(queue, handle)
        if message is None:
            return "ReceiptHandleIsInvalid"
        message.deletes += 1
        if message.deleted is None:
            message.deleted = self.now()
        return None

    def _extend(self, queue, handle, seconds):
        message = self._by_handle(queue, handle)
        if message is None:
            return "ReceiptHandleIsInvalid"
        now = self.now()
        if message.deleted is not None or message.visible_at <= now:
            return "AWS.SimpleQueueService.MessageNotInflight"
        message.visible_at = now + seconds
        message.extensions.append((now, message.visible_at))
        self.changed.notify_all()
        return None

    def _batch(self, operation, members, act):
        with self.changed:
            queue = self._queue(members)
            if queue is None:
                return self._missing()
            good, bad = [], []
            for entry in members.get("Entries", []):
                code = act(queue, entry)
                if code:
                    bad.append({"Id": entry["Id"], "SenderFault": True, "Code": code,
                                "Message": code})
                else:
                    good.append({"Id": entry["Id"]})
            return self._ok(operation, {"Successful": good, "Failed": bad})

    def do_DeleteMessageBatch(self, members):
        return self._batch("DeleteMessageBatch", members,
                           lambda queue, e: self._delete(queue, e["ReceiptHandle"]))

    def do_ChangeMessageVisibilityBatch(self, members):
        return self._batch(
            "ChangeMessageVisibilityBatch", members,
            lambda queue, e: self._extend(queue, e["ReceiptHandle"], float(e["VisibilityTimeout"])))

    def do_DeleteMessage(self, members):
        with self.changed:
            queue = self._queue(members)
            if queue is None:
                return self._missing()
            code = self._delete(queue, members["ReceiptHandle"])
            return self._error(code, code) if code else self._ok("DeleteMessage", {})

    def do_ChangeMessageVisibility(self, members):
        with self.changed:
            queue = self._queue(members)
            if queue is None:
                return self._missing()
            code = self._extend(queue, members["ReceiptHandle"], float(members["VisibilityTimeout"]))
            return self._error(code, code) if code else self._ok("ChangeMessageVisibility", {})


def md5_of_attributes(attributes):
    """sqs.md 8.5"""
    digest = hashlib.md5()

    def part(data):
        digest.update(len(data).to_bytes(4, "big") + data)

    for name in sorted(attributes):
        value = attributes[name]
        part(name.encode())
        part(value["DataType"].encode())
        if "BinaryValue" in value:
            digest.update(b"\2")
            part(base64.b64decode(value["BinaryValue"]))
        else:
            digest.update(b"\1")
            part(value["StringValue"].encode())
    return digest.hexdigest()


BATCH_ENTRIES = ("DeleteMessageBatchRequestEntry", "ChangeMessageVisibilityBatchRequestEntry")


def members_of_form(form):
    """The query form as JSON members."""
    members, entries = {}, {}
    for name, value in form.items():
        head, _, rest = name.partition(".")
        if head in BATCH_ENTRIES:
            index, _, member = rest.partition(".")
            entries.setdefault(int(index), {})[member] = value
        elif not rest:
            members[name] = value
        else:
            members.setdefault(head, []).append(value)
    if entries:
        members["Entries"] = [entries[index] for index in sorted(entries)]
    return members


def xml_of(operation, result):
    """The answer of the query protocol for a result of the JSON protocol."""
    def tag(name, value):
        return f"<{name}>{escape(value)}</{name}>"

    parts = []
    for message in result.get("Messages", []):
        parts.append("<Message>")
        for name in ("MessageId", "ReceiptHandle", "MD5OfBody", "Body", "MD5OfMessageAttributes"):
            if name in message:
                parts.append(tag(name, message[name]))
        for name, value in message["Attributes"].items():
            parts.append(f"<Attribute>{tag('Name', name)}{tag('Value', value)}</Attribute>")
        for name, value in message.get("MessageAttributes", {}).items():
            inner = "".join(tag(kind, value[kind])
                            for kind in ("StringValue", "BinaryValue", "DataType") if kind in value)
            parts.append(f"<MessageAttribute>{tag('Name', name)}<Value>{inner}</Value>"
                         "</MessageAttribute>")
        parts.append("</Message>")
    for name, value in result.get("Attributes", {}).items():
        parts.append(f"<Attribute>{tag('Name', name)}{tag('Value', value)}</Attribute>")
    if "QueueUrl" in result:
        parts.append(tag("QueueUrl", result["QueueUrl"]))
    for entry in result.get("Successful", []):
        parts.append(f"<{operation}ResultEntry>{tag('Id', entry['Id'])}</{operation}ResultEntry>")
    for entry in result.get("Failed", []):
        inner = tag("Id", entry["Id"]) + tag("Code", entry["Code"]) + tag(
            "Message", entry["Message"]) + tag("SenderFault", "true")
        parts.append(f"<BatchResultErrorEntry>{inner}</BatchResultErrorEntry>")
    body = "".join(parts)
    return (f'<?xml version="1.0"?><{operation}Response '
            'xmlns="http://queue.amazonaws.com/doc/2012-11-05/">'
            f"<{operation}Result>{body}</{operation}Result>"
            "<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
            f"</{operation}Response>")
