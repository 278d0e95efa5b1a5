"""The test function of all languages, in Python: the event says what to do."""

import ctypes
import os
import sys
import time

if os.environ.get("TEST_INIT") == "fail":
    raise RuntimeError("init fails on purpose")
if os.environ.get("TEST_INIT") == "exit":
    sys.exit(3)
if os.environ.get("TEST_INIT") == "hang":
    time.sleep(3600)


class OnPurpose(Exception):
    pass


def handler(event, context):
    do = event.get("do")
    if do == "echo":
        return {"echo": event.get("value")}
    if do == "throw":
        raise OnPurpose(event.get("message", ""))
    if do == "size":
        return "x" * event["bytes"]
    if do == "length":
        return len(event["value"])
    if do == "sleep":
        time.sleep(event["ms"] / 1000)
        return "slept"
    if do == "exit":
        os._exit(event["code"])
    if do == "sys-exit":
        sys.exit(event["code"])
    if do == "crash":
        ctypes.string_at(0)
    if do == "nothing":
        return None
    if do == "unserialisable":
        return object()
    if do == "env":
        return os.environ.get(event["name"])
    if do == "environment":
        return dict(os.environ)
    if do == "pid":
        return os.getpid()
    if do == "print":
        print(event["text"], flush=True)
        if event.get("stderr"):
            print(event["stderr"], file=sys.stderr, flush=True)
        return "printed"
    if do == "flood":
        block = "f" * 1000 + "\n"
        for _ in range(event["bytes"] // len(block)):
            sys.stdout.write(block)
        sys.stdout.flush()
        return "flooded"
    if do == "child":
        pid = os.fork()
        if pid == 0:
            time.sleep(3600)
            os._exit(0)
        return pid
    if do == "context":
        return {
            "requestId": context.aws_request_id,
            "arn": context.invoked_function_arn,
            "remainingMs": context.get_remaining_time_in_millis(),
            "name": context.function_name,
            "version": context.function_version,
            "memory": context.memory_limit_in_mb,
            "logGroup": context.log_group_name,
            "logStream": context.log_stream_name,
            "client": getattr(getattr(context, "client_context", None), "custom", None),
        }
    raise ValueError(f"unknown do: {do!r}")


def returns_event(event, context):
    return event


not_callable = 7
