"""When to scan: at the start, when rung, and every interval."""

import dataclasses
import logging
import math
import random
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from queue import Empty, SimpleQueue
from types import MappingProxyType
from typing import Final, Generic, Protocol, TypeVar

_logger = logging.getLogger(__name__)

QUIET_SECONDS: Final = 0.1
"""A change is scanned when nothing has rung for so long: the kubelet and kubeadm write in several steps."""
AT_MOST_SECONDS: Final = 0.5
"""A change waits no longer than this for quiet."""
JITTER: Final = 0.1
"""The part of the interval by which it varies, so that the nodes of a cluster spread."""
DEAF_SECONDS: Final = 30.0
"""The longest interval while changes do not ring: it keeps the data fresh, and tries to watch again."""
RETRY_SECONDS: Final = 5.0
"""After a failed scan; doubled by each further failure, up to the interval."""
FAILURES_TOLERATED: Final = 2
"""In a row; one more is unhealthy."""
INTERVALS_TOLERATED: Final = 3
"""Without a finished scan; longer is unhealthy."""
_HANG_SECONDS: Final = 30.0
_MOST_RINGS: Final = 1000

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Trigger(StrEnum):
    """Why a scan was made; a label value, so a closed set."""

    START = "start"
    CHANGE = "change"
    """Something rang, or a second look at bad news was due."""
    INTERVAL = "interval"
    SIGNAL = "signal"


class Outcome(Protocol[_T_co]):
    """What one scan hands to the loop."""

    @property
    def picture(self) -> _T_co:
        """The value to publish."""

    @property
    def directories(self) -> Collection[str]:
        """The directories whose changes must ring, as this process reaches them."""

    @property
    def second_look_in(self) -> float | None:
        """Seconds until news that may be passing has to be confirmed; None where there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What the loop did so far."""

    scans: Mapping[Trigger, int] = field(default_factory=lambda: MappingProxyType(dict.fromkeys(Trigger, 0)))
    """Finished scans, failed ones too; every trigger is present."""
    failures: int = 0
    failures_in_a_row: int = 0
    last_duration: float | None = None
    """Seconds that the last good scan and its publication took."""
    last_scan: float | None = None
    """Unix time at which the last good scan was published."""


class Bell:
    """Wakes one waiting loop; may be rung from any thread and from a signal handler.

    A SimpleQueue's ``put`` is reentrant, whereas an Event set by a signal handler can deadlock.
    """

    def __init__(self) -> None:
        self._rings: SimpleQueue[Trigger] = SimpleQueue()

    def ring(self, trigger: Trigger = Trigger.CHANGE) -> None:
        """Wake the loop now, or at its next wait."""
        if self._rings.qsize() < _MOST_RINGS:
            self._rings.put(trigger)

    def wait(self, seconds: float) -> Trigger | None:
        """Return the strongest trigger rung so far, None after so many seconds without one."""
        try:
            rung = {self._rings.get(timeout=max(seconds, 0))}
        except Empty:
            return None
        while not self._rings.empty():
            rung.add(self._rings.get())
        return Trigger.SIGNAL if Trigger.SIGNAL in rung else Trigger.CHANGE


@dataclass(kw_only=True, eq=False)
class Loop(Generic[_T]):
    """Scans again and again, one scan at a time.

    A scan that raises is a bug: it is logged, what was published stays, and three in a row are unhealthy.
    """

    scan: Callable[[Trigger], Outcome[_T]]
    publish: Callable[[_T], None]
    """Called after each scan with the whole picture; one assignment."""
    follow: Callable[[Collection[str]], bool]
    """Called after each scan with the directories that must ring from now on; returns whether they will."""
    bell: Bell
    interval_seconds: float
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    jitter: Callable[[], float] = random.random
    """A number from 0 to 1."""

    tally: Tally = field(init=False, default_factory=Tally)
    """Replaced as a whole by each scan."""
    _is_stopping: bool = field(init=False, default=False)
    _has_ended: bool = field(init=False, default=False)
    _interval_due: float = field(init=False, default=math.inf)
    _look_due: float = field(init=False, default=math.inf)
    _finished: float = field(init=False)
    _error: str = field(init=False, default="")

    def __post_init__(self) -> None:
        self._finished = self.clock()

    def run(self) -> None:
        """Scan at once, then whenever it is time; returns after ``stop``."""
        try:
            trigger = Trigger.START
            while not self._is_stopping:
                self._turn(trigger)
                trigger = self._next()
        finally:
            self._has_ended = True

    def stop(self) -> None:
        """Let ``run`` return, at once where it waits; safe wherever ringing is."""
        self._is_stopping = True
        self.bell.ring(Trigger.SIGNAL)

    def is_healthy(self, now: float | None = None) -> bool:
        """Tell whether scans still come to an end and not every one fails; *now* is a time of ``clock``."""
        now = self.clock() if now is None else now
        patience = max(INTERVALS_TOLERATED * self.interval_seconds, _HANG_SECONDS)
        return (
            not self._has_ended
            and self.tally.failures_in_a_row <= FAILURES_TOLERATED
            and now - self._finished <= patience
        )

    def _next(self) -> Trigger:
        """Wait until a scan is due and return its trigger."""
        due = min(self._interval_due, self._look_due)
        rung = self.bell.wait(due - self.clock())
        if rung is Trigger.CHANGE:
            return self._settled()
        if rung is not None:
            return rung
        return Trigger.INTERVAL if self._interval_due <= self._look_due else Trigger.CHANGE

    def _settled(self) -> Trigger:
        """Wait for quiet after a change; a signal does not wait."""
        latest = self.clock() + AT_MOST_SECONDS
        while (left := latest - self.clock()) > 0:
            rung = self.bell.wait(min(QUIET_SECONDS, left))
            if rung is None:
                break
            if rung is Trigger.SIGNAL:
                return rung
        return Trigger.CHANGE

    def _turn(self, trigger: Trigger) -> None:
        """Scan, publish and follow once."""
        started = self.clock()
        scans = MappingProxyType({**self.tally.scans, trigger: self.tally.scans[trigger] + 1})
        self._look_due = math.inf
        try:
            outcome = self.scan(trigger)
            self.publish(outcome.picture)
            published = self.clock()
            is_heard = self.follow(outcome.directories)
        except Exception as error:  # noqa: BLE001 - the one place where a bug must not end the program
            self._failed(error, scans)
            return
        self._error = ""
        self._finished = now = self.clock()
        if outcome.second_look_in is not None:
            self._look_due = now + outcome.second_look_in
        interval = self.interval_seconds if is_heard else min(self.interval_seconds, DEAF_SECONDS)
        self._interval_due = now + interval * (1 - JITTER + 2 * JITTER * self.jitter())
        self.tally = dataclasses.replace(
            self.tally,
            scans=scans,
            failures_in_a_row=0,
            last_duration=published - started,
            last_scan=self.wall_clock(),
        )

    def _failed(self, error: Exception, scans: Mapping[Trigger, int]) -> None:
        """Keep what was published and try again soon; log a traceback once per error."""
        row = self.tally.failures_in_a_row + 1
        self.tally = dataclasses.replace(
            self.tally, scans=scans, failures=self.tally.failures + 1, failures_in_a_row=row
        )
        if repr(error) != self._error:
            _logger.error("scan failed", exc_info=error)
        self._error = repr(error)
        self._finished = self.clock()
        self._interval_due = self._finished + min(
            self.interval_seconds, RETRY_SECONDS * 2.0 ** min(row - 1, 10)
        )
