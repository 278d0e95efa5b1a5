"""A small SQS client over http.client, JSON protocol, for what the tests ask of a queue server."""

import http.client
import json
from urllib.parse import urlsplit

# Not checked by the servers of the tests; moto reads the service's name from the scope.
AUTHORIZATION = (
    "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/sqs/aws4_request, "
    "SignedHeaders=host;x-amz-date, Signature=0"
)


class SqsError(Exception):
    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Sqs:
    """One keep-alive connection; not for several threads."""

    def __init__(self, url, timeout=40):
        self.url = url
        parts = urlsplit(url)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)

    def send(self, operation, members):
        self.connection.request("POST", "/", json.dumps(members).encode(), {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AmazonSQS.{operation}",
            "X-Amz-Date": "20260101T000000Z",
            "Authorization": AUTHORIZATION,
        })

    def call(self, operation, **members):
        for last in (False, True):
            try:
                self.send(operation, members)
                answer = self.connection.getresponse()
                text = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                self.connection.close()
                if last:
                    raise
        if answer.status != 200:
            raise SqsError(answer.status, text.decode("utf-8", "replace"))
        return json.loads(text) if text else {}

    def create(self, name, **attributes):
        """Makes a queue and gives its handle. dead=(queue, n): redrive to queue after n receives."""
        dead = attributes.pop("dead", None)
        if dead:
            attributes["RedrivePolicy"] = json.dumps(
                {"deadLetterTargetArn": dead[0].arn, "maxReceiveCount": dead[1]})
        if name.endswith(".fifo"):
            attributes.setdefault("FifoQueue", "true")
        attributes = {key: str(value) for key, value in attributes.items()}
        made = self.call("CreateQueue", QueueName=name, Attributes=attributes)
        return Queue(self, name, made["QueueUrl"])


class Queue:
    def __init__(self, sqs, name, url):
        self.sqs = sqs
        self.name = name
        self.url = url
        self.arn = self.attributes("QueueArn")["QueueArn"]

    def attributes(self, *names):
        return self.sqs.call(
            "GetQueueAttributes", QueueUrl=self.url, AttributeNames=list(names) or ["All"]
        )["Attributes"]

    def depth(self):
        """(visible, in flight, delayed)"""
        got = self.attributes(
            "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed")
        return tuple(int(got.get(name, 0)) for name in (
            "ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed"))

    def empty(self):
        return self.depth() == (0, 0, 0)

    def count(self):
        return sum(self.depth())

    def send(self, body, **members):
        if not isinstance(body, str):
            body = json.dumps(body, separators=(",", ":"))
        return self.sqs.call("SendMessage", QueueUrl=self.url, MessageBody=body, **members)

    def send_all(self, bodies, group=None):
        """Sends all, ten at a time; group(i, body) gives the MessageGroupId. Returns message ids."""
        ids = []
        for start in range(0, len(bodies), 10):
            entries = []
            for index, body in enumerate(bodies[start:start + 10]):
                text = body if isinstance(body, str) else json.dumps(body, separators=(",", ":"))
                entry = {"Id": str(index), "MessageBody": text}
                if group:
                    entry["MessageGroupId"] = group(start + index, body)
                    entry["MessageDeduplicationId"] = f"{self.name}-{start + index}"
                entries.append(entry)
            answer = self.sqs.call("SendMessageBatch", QueueUrl=self.url, Entries=entries)
            if answer.get("Failed"):
                raise SqsError(200, str(answer["Failed"]))
            by_id = {entry["Id"]: entry["MessageId"] for entry in answer["Successful"]}
            ids.extend(by_id[str(index)] for index in range(len(entries)))
        return ids

    def receive(self, wait=0, most=10, **members):
        answer = self.sqs.call(
            "ReceiveMessage", QueueUrl=self.url, MaxNumberOfMessages=most, WaitTimeSeconds=wait,
            MessageSystemAttributeNames=["All"], AttributeNames=["All"],
            MessageAttributeNames=["All"], **members)
        return answer.get("Messages") or []

    def receive_later(self, wait):
        """Sends a receive; what comes back gives its messages."""
        self.sqs.send("ReceiveMessage", {"QueueUrl": self.url, "WaitTimeSeconds": wait})
        return lambda: json.loads(self.sqs.connection.getresponse().read()).get("Messages") or []

    def delete(self, message):
        self.sqs.call("DeleteMessage", QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def drain(self):
        """Everything that can be received now, deleted; the bodies."""
        bodies = []
        while True:
            messages = self.receive()
            if not messages:
                return bodies
            for message in messages:
                bodies.append(message["Body"])
                self.delete(message)

    def destroy(self):
        self.sqs.call("DeleteQueue", QueueUrl=self.url)
