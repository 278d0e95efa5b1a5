"""A handler in a sub-folder: sub/deep.handler or sub.deep.handler."""


def handler(event, context):
    return {"echo": event.get("value"), "where": "sub"}
