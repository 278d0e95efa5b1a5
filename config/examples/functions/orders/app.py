"""Handles a batch of queue messages and reports those that failed."""

import json


def handler(event, context):
    failed = []
    for record in event.get("Records", []):
        try:
            order = json.loads(record["body"])
            print(context.aws_request_id, "order", order["id"])
        except (ValueError, KeyError, TypeError) as error:
            print("cannot book", record["messageId"], repr(error))
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
