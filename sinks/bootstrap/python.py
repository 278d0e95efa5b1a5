"""Runs a Python handler for the Runtime API: fed to the interpreter through stdin, standard library
only. One connection, kept; the event loop is a plain recv/send on a raw socket, which is what makes
it faster than clients on top of an HTTP library."""

import importlib
import json
import logging
import os
import socket
import sys
import time

ROOT = b"/2018-06-01/runtime/"
MAX_LINE = 1024 * 1024


class Api:
    """One keep-alive connection to the gateway."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.sock = socket.create_connection((host, int(port)))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.host = b"\r\nHost: " + address.encode() + b"\r\n"
        self.next_request = b"GET " + ROOT + b"invocation/next HTTP/1.1" + self.host + b"\r\n"
        self.rest = b""

    def receive(self):
        """Status, headers (names in lower case) and body of one answer."""
        recv = self.sock.recv
        data = self.rest
        end = data.find(b"\r\n\r\n")
        while end < 0:
            piece = recv(65536)
            if not piece or len(data) > MAX_LINE:
                raise ConnectionError("the gateway is gone")
            data = data + piece if data else piece
            end = data.find(b"\r\n\r\n")
        lines = data[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        start, length = end + 4, int(headers.get("content-length", 0))
        if len(data) < start + length:
            parts, have = [data], len(data)
            while have < start + length:
                piece = recv(min(1 << 20, start + length - have))
                if not piece:
                    raise ConnectionError("the gateway is gone")
                parts.append(piece)
                have += len(piece)
            data = b"".join(parts)
        self.rest = data[start + length:]
        return lines[0][9:12], headers, data[start:start + length]

    def next(self):
        self.sock.sendall(self.next_request)
        status, headers, body = self.receive()
        if status != "200":
            raise ConnectionError("/next answered " + status)
        return headers, body

    def post(self, path, body, content_type=b"application/json"):
        head = b"".join((b"POST ", ROOT, path, b" HTTP/1.1", self.host, b"Content-Type: ",
                         content_type, b"\r\nContent-Length: ", str(len(body)).encode(),
                         b"\r\n\r\n"))
        if len(body) < 65536:
            self.sock.sendall(head + body)
        else:
            self.sock.sendall(head)
            self.sock.sendall(body)
        return self.receive()[0]


class Fault(Exception):
    """An error of ours with the type that AWS gives it."""

    def __init__(self, kind, message, trace=None):
        Exception.__init__(self, message)
        self.kind = kind
        self.trace = trace


class Plain:
    """A JSON object as attributes; absent ones are None."""

    def __init__(self, values, *names):
        for name in names:
            setattr(self, name, values.get(name))


class CognitoIdentity:
    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")


class ClientContext:
    def __init__(self, values):
        self.client = Plain(values.get("client") or {}, "installation_id", "app_title",
                            "app_version_name", "app_version_code", "app_package_name")
        self.custom = values.get("custom")
        self.env = values.get("env")


class LambdaContext:
    function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
    memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
    log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
    log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
    client_context = None
    tenant_id = None

    def __init__(self, headers):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self._deadline_ms = int(headers["lambda-runtime-deadline-ms"])
        value = headers.get("lambda-runtime-client-context")
        if value:
            self.client_context = ClientContext(json.loads(value.encode("latin-1")))
        value = headers.get("lambda-runtime-cognito-identity")
        self.identity = CognitoIdentity(json.loads(value) if value else {})

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, text):
        sys.stdout.write(str(text))

    def __repr__(self):
        return "LambdaContext([aws_request_id=%s,function_name=%s,invoked_function_arn=%s])" % (
            self.aws_request_id, self.function_name, self.invoked_function_arn)


class RequestFilter(logging.Filter):
    request_id = ""

    def filter(self, record):
        record.aws_request_id = RequestFilter.request_id
        return True


class Output(logging.Handler):
    """Root handler in AWS's format; writes to what sys.stdout is at that time."""

    def emit(self, record):
        try:
            sys.stdout.write(self.format(record))
        except Exception:
            self.handleError(record)


def set_up_output():
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, errors="backslashreplace")
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n",
        "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler = Output()
    handler.setFormatter(formatter)
    handler.addFilter(RequestFilter())
    logging.getLogger().addHandler(handler)


def frames(error):
    """The traceback without this file's and the import machinery's frames."""
    import traceback

    def foreign(frame):
        return frame.filename != "<stdin>" and not frame.filename.startswith("<frozen importlib")

    found = [f for f in traceback.extract_tb(error.__traceback__) if foreign(f)]
    while found and os.path.dirname(found[0].filename) == os.path.dirname(importlib.__file__):
        found.pop(0)
    return traceback.format_list(found)


def report(error, request_id):
    """Prints the error as AWS does and returns its JSON body."""
    if isinstance(error, Fault):
        kind, trace = error.kind, error.trace or []
    else:
        kind, trace = type(error).__name__, frames(error)
    text = "[ERROR] %s: %s\n" % (kind, error)
    if trace:
        text += "Traceback (most recent call last):\n" + "".join(trace)
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
    sys.stdout.flush()
    body = {"errorMessage": str(error), "errorType": kind, "requestId": request_id,
            "stackTrace": trace}
    return json.dumps(body).encode()


def load(name):
    """The function that Handler names: FOLDER/FILE.FUNCTION or PACKAGE.FILE.FUNCTION."""
    module_name, dot, function = name.rpartition(".")
    if not dot or not module_name:
        raise Fault("Runtime.MalformedHandlerName",
                    "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name)
    module_name = module_name.replace("/", ".").lstrip(".")
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict",
                    "Cannot use built-in module %s as a handler module" % module_name)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", "Unable to import module '%s': %s"
                    % (module_name, error), frames(error)) from None
    except SyntaxError as error:
        where = '  File "%s" Line %s\n    %s\n' % (error.filename, error.lineno,
                                                   (error.text or "").strip())
        raise Fault("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s"
                    % (module_name, error), [where]) from None
    try:
        return getattr(module, function)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'"
                    % (function, module_name)) from None


def default(value):
    """As AWS does: decimals become floats, what else json does not know is refused."""
    import decimal
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable" % type(value).__name__)


ENCODE = json.JSONEncoder(ensure_ascii=False, default=default).encode


def parse(body):
    try:
        return json.loads(body.decode())
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError",
                    "Unable to unmarshal input: %s" % error) from None


def marshal(result):
    if isinstance(result, bytes):
        return result, b"application/unknown"
    try:
        try:
            return ENCODE(result).encode(), b"application/json"
        except UnicodeEncodeError:  # lone surrogates have only an escaped form
            return json.dumps(result, default=default).encode(), b"application/json"
    except Exception as error:
        raise Fault("Runtime.MarshalError", "Unable to marshal response: %s" % error) from None


def serve(api, handler):
    environ = os.environ
    while True:
        headers, body = api.next()
        context = LambdaContext(headers)
        request_id = RequestFilter.request_id = context.aws_request_id
        environ["_X_AMZN_TRACE_ID"] = headers.get("lambda-runtime-trace-id", "")
        path = b"invocation/" + request_id.encode()
        try:
            answer, content_type = marshal(handler(parse(body), context))
        except Exception as error:
            status = api.post(path + b"/error", report(error, request_id))
        else:
            sys.stdout.flush()
            status = api.post(path + b"/response", answer, content_type)
        if status == "500":
            raise ConnectionError("the gateway answered 500")
        RequestFilter.request_id = ""


def main():
    root = os.environ.get("LAMBDA_TASK_ROOT", os.getcwd())
    sys.path[0] = root
    name = sys.argv[1]
    sys.argv = [root]
    set_up_output()
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        handler = load(name)
    except Exception as error:
        api.post(b"init/error", report(error, ""))
        sys.exit(1)
    try:
        serve(api, handler)
    except ConnectionError as error:
        sys.stderr.write("runtime: %s\n" % error)
        sys.exit(1)


main()
