"""A Runtime API client in full: next, response, again."""

import http.client
import json
import os

BASE = "/2018-06-01/runtime/invocation"


def handle(event):
    return {"keys": sorted(event) if isinstance(event, dict) else []}


def main():
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        api.request("GET", BASE + "/next")
        answer = api.getresponse()
        event = json.loads(answer.read())
        request = answer.getheader("Lambda-Runtime-Aws-Request-Id")
        try:
            path, body = "response", handle(event)
        except Exception as error:  # whatever the handler raises is the function's error
            path, body = "error", {"errorType": type(error).__name__, "errorMessage": str(error)}
        api.request("POST", f"{BASE}/{request}/{path}", json.dumps(body))
        api.getresponse().read()


if __name__ == "__main__":
    main()
