"""Handles orders; says which of a batch failed, so that only those come again."""
import json


def handler(event, context):
    failed = []
    for record in event["Records"]:
        order = json.loads(record["body"])
        attempt = int(record["attributes"]["ApproximateReceiveCount"])
        if attempt <= order["fails"]:
            print(f"order {order['id']}: attempt {attempt} fails")
            failed.append({"itemIdentifier": record["messageId"]})
        else:
            print(f"order {order['id']}: attempt {attempt} works")
    return {"batchItemFailures": failed}
