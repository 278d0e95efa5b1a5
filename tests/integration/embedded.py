"""Queues that live in a gateway: a queue server of the tests like any other, by its Api address."""

import json

from gateway import Gateway
from servers import free_port


class EmbeddedQueues:
    """First a gateway with no functions serves the queues; the gateway that a test starts then takes
    its place: the same address, the same store, what was sent is still there."""

    name = "embedded"

    def __init__(self, folder, config=None):
        self.port = free_port()
        self.store = folder / "penstock.db"
        self.alone = Gateway(folder, self.place(config or {"Functions": {}}))
        self.serving = self.alone

    def running(self):
        """Somebody serves the queues: the gateway of the test, else one with no functions."""
        if not self.serving.running():
            self.serving = self.alone.start()
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def place(self, config):
        config = json.loads(json.dumps(config))
        config.setdefault("Gateway", {}).update(Api=f"127.0.0.1:{self.port}", Store=str(self.store))
        return config

    def is_meant(self, config):
        return isinstance(config, dict) and config.get("Services", {}).get("sqs") == self.url

    def move_into(self, config):
        """The configuration of the gateway that is to serve these queues from now on."""
        config = self.place(config)
        del config["Services"]["sqs"]
        if self.serving.running():
            assert self.serving.stop() == 0
        return config
