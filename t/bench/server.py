#!/usr/bin/python3
"""What the bench's cats talk to: a light server that knows when it was asked.

usage: server.py HTTP_PORT TCP_PORT HANG_PORT

HTTP_PORT   answers 200 to every path, or 503 when told so, and notes the moment of each request:
            /_arrivals   the noted moments by path, in nanoseconds of CLOCK_MONOTONIC, as JSON; forgets them
            /_quiet      nanoseconds since the last of them; at first since the start
            /_fail/PATH  the next request of /PATH gets 503
TCP_PORT    accepts and closes
HANG_PORT   accepts and never says a word
Prints "ready" when it listens. Ends with its standard input.
"""
import asyncio
import json
import resource
import sys
import time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
FAIL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class State:
    arrivals = {}
    last = time.monotonic_ns()
    failing = set()


class Http(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.arrived = time.monotonic_ns()
        self.head = b""

    def data_received(self, data):
        self.head = (self.head + data)[-65536:]
        if b"\r\n\r\n" in self.head:
            self.transport.write(self.answer(self.head.split(b" ", 2)[1].decode("latin-1")))
            self.transport.close()

    def answer(self, path):
        if path == "/_arrivals":
            body = json.dumps(State.arrivals).encode()
            State.arrivals = {}
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
        if path == "/_quiet":
            body = b"%d" % (time.monotonic_ns() - State.last)
            return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body
        if path.startswith("/_fail/"):
            State.failing.add(path.removeprefix("/_fail"))
            return OK
        State.last = self.arrived
        State.arrivals.setdefault(path, []).append(self.arrived)
        if path in State.failing:
            State.failing.remove(path)
            return FAIL
        return OK


class Close(asyncio.Protocol):
    def connection_made(self, transport):
        transport.close()


async def main():
    http_port, tcp_port, hang_port = map(int, sys.argv[1:4])
    loop = asyncio.get_running_loop()
    for protocol, port in ((Http, http_port), (Close, tcp_port), (asyncio.Protocol, hang_port)):
        await loop.create_server(protocol, "127.0.0.1", port, backlog=4096)
    print("ready", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
asyncio.run(main())
