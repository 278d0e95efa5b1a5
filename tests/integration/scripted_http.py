"""A small threaded HTTP/1.1 server whose every answer a test decides, down to the bytes."""

import json
import socket
import struct
import threading
import time


class Request:
    def __init__(self, method, path, headers, body):
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
        self.at = time.time()

    def header(self, name):
        return self.headers.get(name.lower())

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.method} {self.path} {self.body[:200]!r}>"


class Answer:
    """A plain answer. body: bytes, text, or anything JSON."""

    def __init__(self, status=200, body=b"", headers=None, close=False):
        if isinstance(body, str):
            body = body.encode()
        elif not isinstance(body, bytes):
            body = json.dumps(body).encode()
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        self.close = close

    def head(self, length=None):
        headers = {"Content-Type": "application/json", **self.headers}
        headers.setdefault("Content-Length", len(self.body) if length is None else length)
        if self.close:
            headers["Connection"] = "close"
        lines = [f"HTTP/1.1 {self.status} Scripted"]
        lines += [f"{name}: {value}" for name, value in headers.items() if value is not None]
        return "\r\n".join([*lines, "", ""]).encode()

    def send(self, connection):
        """False: the connection is not to be used again."""
        connection.sendall(self.head() + self.body)
        return not self.close


class Drop:
    """No answer at all: the connection is closed, or reset."""

    def __init__(self, reset=False):
        self.reset = reset

    def send(self, connection):
        if self.reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False


class Half:
    """The head and the first half of an answer's body, then the end."""

    def __init__(self, answer):
        self.answer = answer

    def send(self, connection):
        connection.sendall(self.answer.head() + self.answer.body[: len(self.answer.body) // 2])
        return False


class Raw:
    """These bytes and the end."""

    def __init__(self, data, keep=False):
        self.data = data
        self.keep = keep

    def send(self, connection):
        connection.sendall(self.data)
        return self.keep


class Endless:
    """A body that never ends, in chunks, until the other side gives up or most bytes are sent."""

    def __init__(self, most, chunked=True, prefix=b'{"Messages":[{"Body":"'):
        self.most = most
        self.chunked = chunked
        self.prefix = prefix
        self.sent = 0

    def send(self, connection):
        block = b"x" * 65536
        if self.chunked:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n")
        else:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               b"Content-Length: %d\r\n\r\n" % self.most)
        parts = [self.prefix] + [block] * (self.most // len(block))
        for part in parts:
            data = b"%x\r\n%s\r\n" % (len(part), part) if self.chunked else part
            connection.sendall(data)
            self.sent += len(part)
        return False


class Slow:
    """Waits, then answers."""

    def __init__(self, seconds, answer):
        self.seconds = seconds
        self.answer = answer

    def send(self, connection):
        time.sleep(self.seconds)
        return self.answer.send(connection)


class HttpServer:
    """handle(request) gives an Answer, Drop, Half, Raw, Endless or Slow. `requests` keeps all."""

    def __init__(self, handle=None, port=0):
        self.handle = handle or (lambda request: Answer())
        self.requests = []
        self.lock = threading.Lock()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", port))
        self.listener.listen(128)
        self.port = self.listener.getsockname()[1]
        self.connections = set()
        self.open = True
        self.peak = 0
        self.busy = 0
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def stop(self):
        self.open = False
        # shutdown wakes the thread that waits in accept(); close alone would leave it there.
        for victim in [self.listener, *self.connections]:
            try:
                victim.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()

    def _accept(self):
        while self.open:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        stream = connection.makefile("rb")
        try:
            while self.open:
                request = self._read(stream, connection)
                if request is None:
                    return
                with self.lock:
                    self.requests.append(request)
                    self.busy += 1
                    self.peak = max(self.peak, self.busy)
                try:
                    answer = self.handle(request)
                    if not answer.send(connection):
                        return
                finally:
                    with self.lock:
                        self.busy -= 1
        except OSError:
            pass
        finally:
            stream.close()
            connection.close()
            with self.lock:
                self.connections.discard(connection)

    def _read(self, stream, connection):
        line = stream.readline()
        if not line:
            return None
        method, path, _ = line.decode("latin-1").split(" ", 2)
        headers = {}
        while True:
            line = stream.readline()
            if line in (b"\r\n", b"\n", b""):
                break
            name, value = line.decode("latin-1").split(":", 1)
            headers[name.strip().lower()] = value.strip()
        if headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while True:
                size = int(stream.readline().split(b";")[0], 16)
                if size == 0:
                    while stream.readline() not in (b"\r\n", b""):
                        pass
                    break
                body += stream.read(size)
                stream.readline()
        else:
            body = stream.read(int(headers.get("content-length", 0)))
        return Request(method, path, headers, body)
