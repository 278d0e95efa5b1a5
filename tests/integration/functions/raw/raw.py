"""A Runtime API client on plain sockets that misbehaves as it is told.

What to do comes from the environment DO, else from the event's "do". RECORD: a file that gets one
JSON line for each thing worth checking. RESPOND: the body for `respond`, where %IDn% stands for the
messageId of record n of an SQS event. SAVE: a folder that gets each event as it came, one file each.
"""

import json
import os
import socket
import sys
import time

API = os.environ["AWS_LAMBDA_RUNTIME_API"]
HOST, PORT = API.rsplit(":", 1)
BASE = "/2018-06-01/runtime"
RECORD = os.environ.get("RECORD")


def record(**what):
    if RECORD:
        line = json.dumps({**what, "pid": os.getpid(), "at": time.time()}) + "\n"
        descriptor = os.open(RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        os.write(descriptor, line.encode())
        os.close(descriptor)


class Connection:
    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)))
        self.buffer = b""

    def send(self, data):
        self.socket.sendall(data)

    def request(self, method, path, body=b"", headers=()):
        head = [f"{method} {BASE}{path} HTTP/1.1", f"Host: {API}", *headers]
        if method == "POST":
            head.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*head, "", ""]).encode() + body)
        return self.answer()

    def answer(self):
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.strip().lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return status, headers, body

    def more(self):
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data


def later(seconds, act):
    """Acts in a process of its own session, which the end of this one does not end."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(seconds)
            act()
        os._exit(0)
    os.wait()


def answer_in_new_connection(request_id, note):
    try:
        status, _, body = Connection().request(
            "POST", f"/invocation/{request_id}/response", b'"late"'
        )
        record(note=note, status=status, body=body.decode("utf-8", "replace"))
    except OSError as error:
        record(note=note, error=str(error))


def filled_in(text, event):
    records = event.get("Records", []) if isinstance(event, dict) else []
    for index, one in enumerate(records):
        text = text.replace(f"%ID{index}%", one.get("messageId", ""))
    return text


def act(connection, request_id, event, raw):
    """Does what it is told; true when the connection can be used again."""
    do = os.environ.get("DO") or (event.get("do") if isinstance(event, dict) else None)
    path = f"/invocation/{request_id}"
    records = event.get("Records") if isinstance(event, dict) else None
    record(note="event", request=request_id, do=do, length=len(raw), batch=len(records or []))
    if os.environ.get("SAVE"):
        with open(os.path.join(os.environ["SAVE"], request_id), "wb") as handle:
            handle.write(raw)
    if do == "respond":
        body = filled_in(os.environ.get("RESPOND", event.get("body", "")), event).encode()
        connection.request("POST", f"{path}/response", body)
    elif do == "error":
        headers = [f"{k}: {v}" for k, v in event.get("headers", {}).items()]
        status, _, _ = connection.request(
            "POST", f"{path}/error", event.get("body", "").encode(), headers)
        record(note="error", status=status)
    elif do == "event":
        connection.request("POST", f"{path}/response", raw)
    elif do == "headers":
        connection.request("POST", f"{path}/response", json.dumps(event["_headers"]).encode())
    elif do == "twice":
        for note in ("first", "second"):
            status, _, body = connection.request(
                "POST", f"{path}/response", json.dumps(note).encode())
            record(note=note, status=status, body=body.decode())
    elif do == "late":
        later(event["ms"] / 1000, lambda: answer_in_new_connection(request_id, "late"))
        time.sleep(3600)
    elif do == "wrong-id":
        status, _, body = connection.request(
            "POST", "/invocation/00000000-0000-0000-0000-000000000000/response", b'"x"')
        record(note="wrong-id", status=status, body=body.decode())
        connection.request("POST", f"{path}/response", b'"right"')
    elif do == "wrong-invocation-id":
        status, _, body = connection.request(
            "POST", f"{path}/response", b'"x"',
            ["Lambda-Runtime-Invocation-Id: 00000000-0000-0000-0000-000000000000"])
        record(note="wrong-invocation-id", status=status, body=body.decode())
        connection.request("POST", f"{path}/response", b'"right"')
    elif do == "init-error-late":
        status, _, body = connection.request("POST", "/init/error", b'{"errorType":"Late"}')
        record(note="init-error-late", status=status, body=body.decode())
        connection.request("POST", f"{path}/response", b'"right"')
    elif do == "over":
        body = b'"' + b"x" * (event.get("bytes", 7 << 20) - 2) + b'"'
        status, _, _ = connection.request("POST", f"{path}/response", body)
        record(note="over", status=status)
    elif do == "over-chunked":
        connection.send(f"POST {BASE}{path}/response HTTP/1.1\r\nHost: {API}\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n".encode())
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range(7 << 4):
            connection.send(chunk)
        connection.send(b"0\r\n\r\n")
        status, _, _ = connection.answer()
        record(note="over-chunked", status=status)
    elif do == "chunked":
        connection.send(f"POST {BASE}{path}/response HTTP/1.1\r\nHost: {API}\r\n"
                        "Transfer-Encoding: chunked\r\n"
                        "Trailer: Lambda-Runtime-Function-Error-Type\r\n\r\n"
                        "5\r\n\"chun\r\n4\r\nked\"\r\n0\r\n\r\n".encode())
        connection.answer()
    elif do == "trailer-error":
        connection.send(f"POST {BASE}{path}/response HTTP/1.1\r\nHost: {API}\r\n"
                        "Transfer-Encoding: chunked\r\n"
                        "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
                        "Trailer: Lambda-Runtime-Function-Error-Type\r\n"
                        "Trailer: Lambda-Runtime-Function-Error-Body\r\n\r\n"
                        "0\r\nLambda-Runtime-Function-Error-Type: TypeError\r\n"
                        "Lambda-Runtime-Function-Error-Body: "
                        "eyJlcnJvclR5cGUiOiJUeXBlRXJyb3IifQ==\r\n\r\n".encode())
        connection.answer()
    elif do == "expect":
        connection.send(f"POST {BASE}{path}/response HTTP/1.1\r\nHost: {API}\r\n"
                        "Content-Length: 8\r\nExpect: 100-continue\r\n\r\n".encode())
        begun = time.monotonic()
        status, _, _ = connection.answer()
        record(note="expect", status=status, seconds=time.monotonic() - begun)
        connection.send(b'"expect"')
        connection.answer()
    elif do == "half":
        connection.send(f"POST {BASE}{path}/response HTTP/1.1\r\nHost: {API}\r\n"
                        "Content-Length: 100\r\n\r\n\"half".encode())
        connection.socket.close()
        return False
    elif do == "half-chunked":
        connection.send(f"POST {BASE}{path}/response HTTP/1.1\r\nHost: {API}\r\n"
                        "Transfer-Encoding: chunked\r\n\r\n100\r\n\"half".encode())
        connection.socket.close()
        return False
    elif do == "half-then-hang":
        connection.send(f"POST {BASE}{path}/response HTTP/1.1\r\nHost: {API}\r\n"
                        "Content-Length: 100\r\n\r\n\"half".encode())
        time.sleep(3600)
    elif do == "half-then-exit":
        connection.send(f"POST {BASE}{path}/response HTTP/1.1\r\nHost: {API}\r\n"
                        "Content-Length: 100\r\n\r\n\"half".encode())
        os._exit(0)
    elif do == "garbage":
        connection.send(b"\x00\x01\x02 not http at all\r\n\r\n")
        connection.socket.close()
        time.sleep(3600)
    elif do == "exit":
        os._exit(event.get("code", 0))
    elif do == "hang":
        time.sleep(3600)
    elif do == "close-and-hang":
        connection.socket.close()
        time.sleep(3600)
    elif do == "next-again":
        # Asks for the next event without having answered this one.
        record(note="next-again")
    elif do == "flood":
        block = b"f" * 4095 + b"\n"
        for _ in range(event.get("bytes", 1 << 20) // len(block)):
            os.write(1, block)
        connection.request("POST", f"{path}/response", b'"flooded"')
    elif do == "flood-no-newline":
        for _ in range(event.get("bytes", 1 << 20) // 4096):
            os.write(1, b"f" * 4096)
        connection.request("POST", f"{path}/response", b'"flooded"')
    elif do == "flood-for-ever":
        while True:
            os.write(1, b"f" * 4095 + b"\n")
    elif do == "close-stdout":
        os.close(1)
        os.close(2)
        connection.request("POST", f"{path}/response", b'"closed"')
    else:
        connection.request("POST", f"{path}/response", raw)
    return True


def main():
    init = os.environ.get("INIT")
    if init == "error":
        Connection().request(
            "POST", "/init/error",
            b'{"errorType":"OwnInitError","errorMessage":"init fails on purpose"}',
            ["Lambda-Runtime-Function-Error-Type: Runtime.OwnInitError"])
        sys.exit(1)
    if init == "hang":
        time.sleep(3600)
    if init == "exit":
        sys.exit(5)
    connection = Connection()
    while True:
        status, headers, raw = connection.request("GET", "/invocation/next")
        if status != 200:
            record(note="next", status=status, body=raw.decode("utf-8", "replace"))
            sys.exit(1)
        try:
            event = json.loads(raw)
        except ValueError:
            event = None
        if isinstance(event, dict):
            event["_headers"] = headers
        if not act(connection, headers["lambda-runtime-aws-request-id"], event, raw):
            connection = Connection()


if __name__ == "__main__":
    main()
