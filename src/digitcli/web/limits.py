"""How much a client may ask for, and the answer to one that asks for more."""

import json
import time
from http import HTTPStatus

from digitcli.preprocessing import image_files

MAX_BODY = 16 << 20  # bytes of a request
MAX_PIXELS = image_files.MAX_PIXELS  # of an image
MAX_IMAGES = 64  # of a request; also the most drawings
BODY_TIME = 15.0  # seconds until a request must be here as a whole
MAX_WAITING = 512  # images that wait to be read; who comes then is asked to come later

MAX_SOCKETS = 400  # pages that are open
MAX_MESSAGE = 256 << 10  # bytes of what a page sends at once
MAX_EVENTS = 2_000  # of a message
EVENT_RATE = 1_000  # events a second of a page, over a while; a pen gives some 250
EVENT_BURST = 20_000  # events that may come at once; a whole drawing, after the connection was lost
SOCKET_TIME = 3600.0  # seconds after which a page that does nothing is left alone


class Refused(Exception):
    """A request that is not answered as it wishes.

    Attributes:
        status: of HTTP.
        words: why, in one line.
    """

    def __init__(self, status: HTTPStatus, words: str) -> None:
        super().__init__(words)
        self.status = status
        self.words = words


def as_error(words: str) -> bytes:
    """Return what every refusal says."""
    return json.dumps({"error": words}).encode()


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
