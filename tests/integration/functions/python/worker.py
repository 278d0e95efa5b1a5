"""Handles SQS batches as the message bodies say, and writes down each message it saw.

Environment: RECORD, the file that gets one JSON line for each message (one write, appended);
PARTIAL=1, answer batchItemFailures instead of raising; LATENCY, seconds each batch takes.
Body: JSON {"id": ..., "fail": N, "sleep": s, "sleep_first": s}: it fails on its first N receives
("fail": -1: always); sleep_first sleeps only on the first receive.
"""

import fcntl
import json
import os
import time

RECORD = os.environ["RECORD"]
PARTIAL = os.environ.get("PARTIAL") == "1"
LATENCY = float(os.environ.get("LATENCY", "0"))
out = os.open(RECORD, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def write(lines):
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode()
    fcntl.flock(out, fcntl.LOCK_EX)
    try:
        while text:
            text = text[os.write(out, text):]
    finally:
        fcntl.flock(out, fcntl.LOCK_UN)


def handler(event, context):
    begun = time.time()
    if LATENCY:
        time.sleep(LATENCY)
    lines, failures = [], []
    failed_groups = set()
    for record in event["Records"]:
        try:
            body = json.loads(record["body"])
        except ValueError:
            body = {"id": record["body"]}
        received = int(record["attributes"]["ApproximateReceiveCount"])
        if body.get("sleep"):
            time.sleep(body["sleep"])
        if body.get("sleep_first") and received == 1:
            time.sleep(body["sleep_first"])
        group = record["attributes"].get("MessageGroupId")
        limit = body.get("fail", 0)
        # In FIFO order: the first failure of a group takes the rest of its group with it.
        failed = limit < 0 or received <= limit or (group is not None and group in failed_groups)
        if failed:
            failures.append({"itemIdentifier": record["messageId"]})
            if group is not None:
                failed_groups.add(group)
        lines.append({
            "id": body.get("id"), "message": record["messageId"], "receive": received,
            "group": group, "ok": not failed, "batch": len(event["Records"]),
            "request": context.aws_request_id, "pid": os.getpid(),
            "begun": begun, "ended": time.time(),
        })
    if not PARTIAL and failures:
        for line in lines:
            line["ok"] = False
    write(lines)
    if PARTIAL:
        return {"batchItemFailures": failures}
    if failures:
        raise RuntimeError(f"{len(failures)} messages fail on purpose")
    return None
