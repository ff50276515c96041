"""A viewer: one kept-alive connection to the edge, sending the Host header of a distribution."""

import http.client
from dataclasses import dataclass
from urllib.parse import quote


@dataclass
class Answer:
    """What arrived at the viewer."""

    status: int
    headers: dict
    body: bytes

    @property
    def x_cache(self):
        return self.headers.get("x-cache")

    @property
    def age(self):
        return int(self.headers["age"])

    @property
    def hit(self):
        return self.x_cache == "Hit from cloudfront"

    @property
    def missed(self):
        return self.x_cache == "Miss from cloudfront"


class Viewer:
    """Asks the edge of one machine for paths of one host."""

    def __init__(self, machine, host):
        self.machine = machine
        self.host = host
        self.connection = None

    def get(self, path, method="GET", headers=None):
        """`path` may hold any text; what is not allowed in a request line is percent-encoded."""
        target = quote(path, safe="/?&=%~!$'()*+,;:@")
        kept, self.connection = self.connection, None
        try:
            connection, response = self._ask(kept, method, target, headers)
        except (http.client.RemoteDisconnected, BrokenPipeError):
            # The edge may close a connection that has been idle; on a new one the same is a failure.
            if kept is None:
                raise
            connection, response = self._ask(None, method, target, headers)
        body = response.read()
        if not response.will_close:
            self.connection = connection
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)

    def _ask(self, connection, method, target, headers):
        connection = connection or http.client.HTTPConnection("127.0.0.1", self.machine.port("edge"), timeout=60)
        connection.request(method, target, headers={"Host": self.host, **(headers or {})})
        return connection, connection.getresponse()

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None
