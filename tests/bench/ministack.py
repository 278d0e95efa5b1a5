"""MiniStack with one queue mapped to one Python function, for comparison."""

import base64
import contextlib
import http.client
import io
import json
import zipfile
from pathlib import Path

from servers import Ministack, parts
from sqs_client import AUTHORIZATION, Sqs


def call(port, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", path, json.dumps(body), {
        "Authorization": AUTHORIZATION.replace("/sqs/", "/lambda/"),
        "Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status // 100 != 2:
        raise RuntimeError(f"MiniStack: {answer.status} {text[:300]!r}")
    return json.loads(text)


def zipped(code):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app.py", code)
    return base64.b64encode(data.getvalue()).decode()


@contextlib.contextmanager
def mapped(folder, code, n, size=256):
    """(queue, record file): n messages wait in the queue, then the mapping begins."""
    parts.fetch("ministack")
    folder = Path(folder)
    server = Ministack(folder).start()
    try:
        record = folder / "record"
        queue = Sqs(server.url).create("bench", VisibilityTimeout=60)
        queue.send_all(["x" * size] * n)
        call(server.port, "/2015-03-31/functions", {
            "FunctionName": "f", "Runtime": "python3.11", "Handler": "app.handler", "Timeout": 10,
            "Role": "arn:aws:iam::000000000000:role/r", "Code": {"ZipFile": zipped(code)},
            "Environment": {"Variables": {"RECORD": str(record)}}})
        call(server.port, "/2015-03-31/event-source-mappings", {
            "EventSourceArn": queue.arn, "FunctionName": "f", "BatchSize": 10})
        yield queue, record
    finally:
        server.stop()
