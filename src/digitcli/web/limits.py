"""Limits on what clients may request, and the response to what exceeds them."""

import json
import time
from dataclasses import dataclass
from http import HTTPStatus

from digitcli.preprocessing import image_files


@dataclass(frozen=True)
class Limits:
    """What one server process takes, how much at a time, and how long it waits.

    Attributes:
        body_bytes: of a request; a photograph of a telephone fits, many of them do not fill the memory.
        body_seconds: until a request must be here as a whole; a slow client would hold its memory.
        image_pixels: of an image; a small file can unpack to gigabytes.
        request_images: of a request, also the most drawings; others have their turn in between.
        file_name_characters: of a file's name that an answer repeats.
        waiting_images: that wait to be read; who comes then is asked to come later, before the wait is long.
        batch_images: that go through the network together; more would keep the first one waiting.
        small_file_bytes: of a file that is read in the queue of small images. Photographs have a queue of
            their own, as they take so long.
        live_clients: pages that are open; each keeps a drawing with its history.
        batch_clients: pages whose drawings are read together; more would keep the first one waiting.
        message_bytes: of what a page sends at once; some 2,000 events.
        message_events: of a message.
        events_per_second: of a page, over a while; a pen gives some 250.
        event_burst: events that may come at once; a whole drawing, after the connection was lost.
        idle_seconds: after which a page that does nothing is closed.
        stop_seconds: that requests in flight have after the signal to stop.
        backlog: connections that wait to be taken.
    """

    body_bytes: int = 16 << 20
    body_seconds: float = 15.0
    image_pixels: int = image_files.IMAGE_LIMITS.pixels
    request_images: int = 64
    file_name_characters: int = 200
    waiting_images: int = 512
    batch_images: int = 64
    small_file_bytes: int = 200_000
    live_clients: int = 400
    batch_clients: int = 16
    message_bytes: int = 256 << 10
    message_events: int = 2_000
    events_per_second: int = 1_000
    event_burst: int = 20_000
    idle_seconds: float = 3600.0
    stop_seconds: int = 10
    backlog: int = 1024


LIMITS = Limits()


class RequestRefused(Exception):
    """A request that is not answered as it wishes.

    Attributes:
        status: of HTTP.
        reason: why, in one line.
    """

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def error_body(message: str) -> bytes:
    """Return the body, JSON, of every answer that tells of a problem."""
    return json.dumps({"error": message}).encode()


class TokenBucket:
    """How much may still come: it grows with time and shrinks with use (a token bucket)."""

    def __init__(self, rate: float, most: float) -> None:
        """Begin with `most`; `rate` a second comes back."""
        self._rate, self._most = rate, most
        self._left = most
        self._at = time.monotonic()

    def take(self, count: int) -> bool:
        """Use `count`; return whether there was enough."""
        now = time.monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate) - count
        self._at = now
        return self._left >= 0
