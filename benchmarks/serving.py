"""How much one process of `digitcli serve` answers on this machine: images over HTTP, pages over WebSockets.

    python benchmarks/serving.py [--seconds 10] [--requests 100000]

Server and load share the machine's cores. Prints Markdown: requests a second with as many connections as
it takes, latencies at half of that, 200 pages that draw at 30 events a second, and the server's memory
before and after many requests. Only 127.0.0.1 is asked.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import uvloop
from measure import in_words, machine, print_table
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from pens import strokes
from serving import Server

from digitcli.datasets import load
from digitcli.datasets.strokes import picture
from digitcli.preprocessing.image_files import png

CONNECTIONS = 64
PAGES, FREQUENCY = 200, 30  # events a second
ROUND = 20_000  # requests between two looks at the memory


class Client(asyncio.Protocol):
    """One connection that is kept; asks again as soon as it is told to."""

    def __init__(self) -> None:
        self.done: asyncio.Future[None] | None = None
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self.done and not self.done.done():
            self.done.set_exception(error or ConnectionError("closed"))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(body) >= length:
            assert head.startswith(b"HTTP/1.1 200"), head
            self.buffer = b""
            if self.done:
                self.done.set_result(None)

    async def ask(self, request: bytes) -> float:
        start = time.perf_counter()
        self.done = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        await self.done
        return time.perf_counter() - start


async def clients(port: int, count: int) -> list[Client]:
    loop = asyncio.get_running_loop()
    return [(await loop.create_connection(Client, "127.0.0.1", port))[1] for _ in range(count)]


async def as_fast_as_possible(port: int, requests: list[bytes], count: int) -> tuple[float, list[float]]:
    """Return the seconds for `count` requests, and each one's latency."""
    latencies: list[float] = []
    left = iter(range(count))

    async def work(client: Client) -> None:
        for number in left:
            latencies.append(await client.ask(requests[number % len(requests)]))

    workers = await clients(port, CONNECTIONS)
    start = time.perf_counter()
    await asyncio.gather(*(work(client) for client in workers))
    spent = time.perf_counter() - start
    for client in workers:
        client.transport.close()
    return spent, latencies


async def at_a_rate(port: int, requests: list[bytes], rate: float, seconds: float) -> list[float]:
    """Send requests at random times, whatever the server does; latency counts from when each was due."""
    free: asyncio.Queue[Client] = asyncio.Queue()
    for client in await clients(port, 4 * CONNECTIONS):
        free.put_nowait(client)
    random = np.random.default_rng(0)
    due = np.cumsum(random.exponential(1 / rate, int(rate * seconds)))
    latencies: list[float] = []
    start = time.perf_counter()

    async def one(number: int) -> None:
        client = await free.get()
        await client.ask(requests[number % len(requests)])
        latencies.append(time.perf_counter() - start - due[number])
        free.put_nowait(client)

    tasks = []
    for number, offset in enumerate(due):
        await asyncio.sleep(max(0.0, start + offset - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    return latencies


def request(content: bytes, query: str) -> bytes:
    head = f"POST /api/read{query} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


async def draw(port: int, number: int, seconds: float, results: dict[str, list[float]]) -> None:
    """Draw digits one after the other for a while, an event a message; see what comes back."""
    sent: list[float] = []
    seen = 0
    text = ""
    pending = True
    digit = number % 10
    async with connect(f"ws://127.0.0.1:{port}/api/live", max_queue=None) as socket:

        async def listen() -> None:
            nonlocal seen, text, pending
            async for message in socket:
                state = json.loads(message)
                now = time.perf_counter()
                if state["events"] < seen:
                    results["reordered"].append(1)
                if not state["pending"] and state["events"] > seen:
                    results["latency"].append(now - sent[state["events"] - 1])
                seen, text, pending = state["events"], state["text"], state["pending"]

        listener = asyncio.create_task(listen())

        async def tell(**event: object) -> None:
            sent.append(time.perf_counter())
            await socket.send(json.dumps([event]))

        start = time.perf_counter() + number / PAGES / FREQUENCY
        while time.perf_counter() - start < seconds:
            await tell(t=0, do="clear")
            for stroke in strokes(digit, left=150, top=100, height=300, step=10):
                for place, (x, y) in enumerate(stroke):
                    await asyncio.sleep(max(0.0, start + len(sent) / FREQUENCY - time.perf_counter()))
                    await tell(t=0, do="move" if place else "pen", x=x, y=y)
                await tell(t=0, do="up")
        last = time.perf_counter()
        while (seen < len(sent) or pending) and time.perf_counter() - last < 20:
            await asyncio.sleep(0.01)
        results["events"].append(len(sent))
        results["wrong"].append(float(seen != len(sent) or text != str(digit)))
        listener.cancel()


async def pages(port: int, seconds: float) -> dict[str, list[float]]:
    results: dict[str, list[float]] = {key: [] for key in ("latency", "events", "reordered", "wrong")}
    await asyncio.gather(*(draw(port, number, seconds, results) for number in range(PAGES)))
    return results


def percentiles(latencies: list[float]) -> list[str]:
    return [f"{1000 * value:.1f} ms" for value in np.percentile(latencies, (50, 95, 99))]


def memory(server: Server) -> float:
    return psutil.Process(server.process.pid).memory_info().rss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--requests", type=int, default=100_000)
    options = parser.parse_args()
    test = load("mnist").test
    small = [request(png(image), "?single=true") for image in test.images[:500]]
    canvases = [
        request(png(np.asarray(255 - picture(strokes(digit)), np.uint8)), "?single=true")
        for digit in range(10)
    ]
    run = uvloop.run
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder)) as server:
        rows = []
        for name, requests in (("28x28, one digit", small), ("256x256, one digit", canvases)):
            run(as_fast_as_possible(server.port, requests, 1_000))
            count = int(options.seconds * 1000)
            spent, latencies = run(as_fast_as_possible(server.port, requests, count))
            rate = count / spent
            rows.append([name, "all it can", f"{rate:,.0f}", *percentiles(latencies)])
            latencies = run(at_a_rate(server.port, requests, rate / 2, options.seconds))
            rows.append([name, "half of that", f"{rate / 2:,.0f}", *percentiles(latencies)])
        print_table(["PNG image", "load", "requests a second", "median", "95%", "99%"], rows)
        found = run(pages(server.port, options.seconds))
        events = sum(found["events"])
        print(f"\n{PAGES} pages, {FREQUENCY} events a second each, {events:,.0f} events in all:\n")
        print_table(
            ["readings", "events to a reading", "out of order", "last one wrong", "median", "95%", "99%"],
            [[f"{len(found['latency']):,}", f"{events / len(found['latency']):.1f}",
              str(len(found["reordered"])), f"{sum(found['wrong']):.0f} pages",
              *percentiles(found["latency"])]],
        )  # fmt: skip
        rounds = []
        for number in range(0, options.requests, ROUND):
            rounds.append([f"{number:,}", f"{memory(server):.0f} MiB"])
            run(as_fast_as_possible(server.port, small, min(ROUND, options.requests - number)))
        rounds.append([f"{options.requests:,}", f"{memory(server):.0f} MiB"])
        print("\n")
        print_table(["requests", "memory of the server"], rounds)
    print(f"\n{in_words(machine())}")


if __name__ == "__main__":
    main()
