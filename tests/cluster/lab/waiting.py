"""Waiting that always ends."""

import http.client
import subprocess
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class CommandError(Exception):
    """A command failed."""


PASSING = (
    OSError,
    CommandError,
    subprocess.SubprocessError,
    http.client.HTTPException,
    ValueError,
    LookupError,
)
"""What a probe may raise while something is still on its way."""


class GaveUpError(Exception):
    """Something did not come in the time that it had."""


def wait_for(what: str, probe: Callable[[], T | None], *, seconds: float, every: float = 0.2) -> T:
    """Poll until the probe returns something true, and return that; else GaveUpError says what was last."""
    ends = time.monotonic() + seconds
    while True:
        try:
            found = probe()
            obstacle = repr(found)
        except PASSING as error:
            found = None
            obstacle = f"{error!r} {getattr(error, 'stderr', '') or ''}"
        if found:
            return found
        if time.monotonic() >= ends:
            message = f"gave up after {seconds:g} s waiting for {what}; last: {obstacle[:2000]}"
            raise GaveUpError(message)
        time.sleep(every)


def seconds_until(what: str, probe: Callable[[], object], *, seconds: float, every: float = 0.05) -> float:
    """Poll until the probe returns something true, and return how many seconds that took."""
    begun = time.monotonic()
    wait_for(what, probe, seconds=seconds, every=every)
    return time.monotonic() - begun
