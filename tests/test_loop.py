"""When the loop scans, and what it tells of itself."""

import itertools
import signal
import threading
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

import pytest

from exporter.loop import Bell, Loop, Trigger
from tests.waiting import eventually

INTERVAL = 300.0


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


class Played(Bell):
    """A bell that is rung at given times, and ends the loop when nothing more would happen."""

    def __init__(self, clock: Clock, rings: Collection[tuple[float, Trigger]], end: float) -> None:
        super().__init__()
        self._clock = clock
        self._due = sorted((clock.now + at, trigger) for at, trigger in rings)
        self._end = clock.now + end
        self.at_end: Callable[[], None] = lambda: None

    def wait(self, seconds: float) -> Trigger | None:
        """Let time pass until the next ring or so many seconds."""
        until = self._clock.now + max(seconds, 0)
        if self._due and self._due[0][0] <= until:
            at, trigger = self._due.pop(0)
            self._clock.now = max(self._clock.now, at)
            super().ring(trigger)
        elif until > self._end:
            self.at_end()
        else:
            self._clock.now = until
        return super().wait(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A scan's outcome."""

    picture: str = "picture"
    directories: Collection[str] = ()
    second_look_in: float | None = None


@dataclass
class Play:
    """A loop on played time, and all that it did."""

    rings: Collection[tuple[float, Trigger]] = ()
    end: float = 10.0
    scan: Callable[[int], Result] = lambda _: Result()
    """Called with the number of the scan, from 0."""
    seconds: float = 0.0
    """How long each scan takes."""
    jitter: float = 0.5
    is_heard: bool = True
    """Whether changes of the followed directories ring."""
    scans: list[tuple[float, Trigger]] = field(default_factory=list)
    published: list[str] = field(default_factory=list)
    followed: list[Collection[str]] = field(default_factory=list)
    health: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.clock = Clock()
        start = self.clock.now
        bell = Played(self.clock, self.rings, self.end)

        def scan(trigger: Trigger) -> Result:
            self.scans.append((round(self.clock.now - start, 6), trigger))
            self.health.append(self.loop.is_healthy())
            self.clock.now += self.seconds
            return self.scan(len(self.scans) - 1)

        def follow(directories: Collection[str]) -> bool:
            self.followed.append(directories)
            return self.is_heard

        self.loop = Loop(
            scan=scan,
            publish=self.published.append,
            follow=follow,
            bell=bell,
            interval_seconds=INTERVAL,
            clock=self.clock,
            wall_clock=lambda: self.clock.now + 1e9,
            jitter=lambda: self.jitter,
        )
        bell.at_end = self.loop.stop
        self.loop.run()


CHANGE, INTERVAL_, SIGNAL, START = Trigger.CHANGE, Trigger.INTERVAL, Trigger.SIGNAL, Trigger.START


def changes(*times: float) -> list[tuple[float, Trigger]]:
    """Rings of the watcher."""
    return [(at, CHANGE) for at in times]


@pytest.mark.parametrize(
    ("rings", "scans"),
    [
        ([], []),
        (changes(1), [(1.1, CHANGE)]),
        (changes(1, 1.09), [(1.19, CHANGE)]),
        (changes(1, 1.11), [(1.1, CHANGE), (1.21, CHANGE)]),
        (changes(*(1 + 0.05 * n for n in range(9))), [(1.5, CHANGE)]),
        (changes(*(1 + 0.05 * n for n in range(19))), [(1.5, CHANGE), (2.0, CHANGE)]),
        (changes(*(1 + 0.08 * n for n in range(7))), [(1.5, CHANGE)]),
        ([(1, SIGNAL)], [(1, SIGNAL)]),
        ([*changes(1), (1.05, SIGNAL)], [(1.05, SIGNAL)]),
        ([(1, SIGNAL), *changes(1.01)], [(1, SIGNAL), (1.11, CHANGE)]),
    ],
)
def test_a_change_waits_for_quiet(
    rings: list[tuple[float, Trigger]], scans: list[tuple[float, Trigger]]
) -> None:
    """A change is scanned 0.1 s after the last ring, 0.5 s after the first at most; a signal at once."""
    assert Play(rings).scans == [(0, START), *scans]


@pytest.mark.parametrize(("jitter", "seconds"), [(0, 270), (0.5, 300), (1, 330)])
def test_the_interval_varies_by_a_tenth(jitter: float, seconds: float) -> None:
    """The nodes of a cluster do not scan in step."""
    assert Play(jitter=jitter, end=seconds).scans == [(0, START), (seconds, INTERVAL_)]


def test_what_does_not_ring_is_looked_at_twice_a_minute() -> None:
    """Changes are seen late, but not five minutes late, and each look tries to watch again."""
    assert Play(is_heard=False, end=60).scans == [(0, START), (30, INTERVAL_), (60, INTERVAL_)]


def test_the_interval_begins_anew_after_each_scan() -> None:
    """What was just looked at needs no look."""
    assert Play(changes(100), end=400.1).scans == [(0, START), (100.1, CHANGE), (400.1, INTERVAL_)]


def test_a_second_look_comes_without_a_ring() -> None:
    """Bad news is confirmed a second later, though nothing changes any more."""
    play = Play(changes(5), scan=lambda n: Result(second_look_in=1.0 if n == 1 else None))

    assert play.scans == [(0, START), (5.1, CHANGE), (6.1, CHANGE)]


def test_a_scan_in_between_decides_anew_about_the_second_look() -> None:
    """Each scan says for itself whether one is needed."""
    play = Play(changes(5, 5.5), scan=lambda n: Result(second_look_in=1.0 if n == 1 else None))

    assert play.scans == [(0, START), (5.1, CHANGE), (5.6, CHANGE)]


def test_each_picture_is_published_and_its_directories_followed() -> None:
    """What a scan returns goes out whole, once."""
    play = Play(changes(1), scan=lambda n: Result(picture=f"picture {n}", directories={f"/{n}"}))

    assert play.published == ["picture 0", "picture 1"]
    assert play.followed == [{"/0"}, {"/1"}]


def test_the_tally_tells_what_was_done() -> None:
    """Every trigger has its count from the start."""
    play = Play([*changes(1), (2, SIGNAL)], seconds=0.25)

    assert play.loop.tally.scans == {START: 1, CHANGE: 1, INTERVAL_: 0, SIGNAL: 1}
    assert play.loop.tally.last_duration == 0.25
    assert play.loop.tally.last_scan == 1e9 + 1002.25
    assert (play.loop.tally.failures, play.loop.tally.failures_in_a_row) == (0, 0)


def test_three_failures_in_a_row_are_unhealthy_and_one_success_heals(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A bug shows in the health, is logged once, and leaves what was published."""

    def scan(number: int) -> Result:
        if 1 <= number <= 4:
            message = "bug"
            raise RuntimeError(message)
        return Result(picture=f"picture {number}")

    play = Play(changes(1), scan=scan, end=100)

    assert play.scans == [
        (0, START),
        (1.1, CHANGE),
        (6.1, INTERVAL_),
        (16.1, INTERVAL_),
        (36.1, INTERVAL_),
        (76.1, INTERVAL_),
    ]
    assert play.health == [True, True, True, True, False, False]
    assert play.published == ["picture 0", "picture 5"]
    assert (play.loop.tally.failures, play.loop.tally.failures_in_a_row) == (4, 0)
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_retry_never_waits_longer_than_the_interval() -> None:
    """However often it failed."""

    def scan(_: int) -> Result:
        raise OSError

    times = [at for at, _ in Play(scan=scan, end=86400).scans]

    assert max(later - earlier for earlier, later in itertools.pairwise(times)) == INTERVAL


def test_failing_to_publish_is_a_failed_scan() -> None:
    """Nothing newer is out, so nothing newer is claimed."""
    bell = Bell()

    def publish(_: str) -> None:
        loop.stop()
        raise ValueError

    loop: Loop[str] = Loop(
        scan=lambda _: Result(),
        publish=publish,
        follow=lambda _: True,
        bell=bell,
        interval_seconds=INTERVAL,
    )
    loop.run()

    assert loop.tally.failures == 1
    assert loop.tally.last_scan is None


def test_a_scan_that_hangs_is_unhealthy() -> None:
    """Three intervals without a finished scan, such as on a dead network file system."""
    clock = Clock()
    loop = Loop(
        scan=lambda _: Result(),
        publish=lambda _: None,
        follow=lambda _: True,
        bell=Bell(),
        interval_seconds=INTERVAL,
        clock=clock,
    )

    assert loop.is_healthy()
    assert loop.is_healthy(clock.now + 3 * INTERVAL)
    assert not loop.is_healthy(clock.now + 3 * INTERVAL + 1)


def test_a_loop_that_ended_is_unhealthy() -> None:
    """Nobody scans any more, whatever ended it."""

    class Ended(BaseException):
        """Not an error of the scan."""

    def scan(_: int) -> Result:
        raise Ended

    with pytest.raises(Ended):
        Play(scan=scan)

    assert not Play().loop.is_healthy()


@dataclass
class Live:
    """A loop in a thread of its own, on real time."""

    scan: Callable[[int], Result]
    scans: int = 0

    def __post_init__(self) -> None:
        self.bell = Bell()
        self.loop = Loop(
            scan=self._scan,
            publish=lambda _: None,
            follow=lambda _: True,
            bell=self.bell,
            interval_seconds=3600,
        )
        self.thread = threading.Thread(target=self.loop.run)
        self.thread.start()

    def _scan(self, _: Trigger) -> Result:
        self.scans += 1
        return self.scan(self.scans)

    def stop(self) -> float:
        """Stop and return how many seconds that took."""
        start = time.monotonic()
        self.loop.stop()
        self.thread.join(timeout=10)
        assert not self.thread.is_alive()
        return time.monotonic() - start


def test_a_ring_during_a_scan_is_not_lost() -> None:
    """The scan may already have read what changed."""
    reading, may_end = threading.Event(), threading.Event()

    def scan(_: int) -> Result:
        reading.set()
        may_end.wait(10)
        return Result()

    live = Live(scan)
    reading.wait(10)
    live.bell.ring()
    may_end.set()

    assert eventually(lambda: live.scans == 2)
    live.stop()


def test_stopping_does_not_wait_for_the_interval() -> None:
    """The process has to end within a second."""
    live = Live(lambda _: Result())
    assert eventually(lambda: live.loop.tally.last_scan is not None)

    assert live.stop() < 1


def test_stopping_does_not_wait_for_quiet() -> None:
    """Not even in a storm."""
    live = Live(lambda _: Result())
    assert eventually(lambda: live.loop.tally.last_scan is not None)
    live.bell.ring()

    assert live.stop() < 1
    assert live.scans == 1


def test_stopped_before_it_ran_it_does_nothing() -> None:
    """SIGTERM may come at any time."""
    published: list[str] = []
    loop = Loop(
        scan=lambda _: Result(),
        publish=published.append,
        follow=lambda _: True,
        bell=Bell(),
        interval_seconds=INTERVAL,
    )
    loop.stop()

    loop.run()

    assert published == []


def test_the_strongest_ring_counts() -> None:
    """Who asked for a scan by hand finds it counted as such."""
    bell = Bell()
    for trigger in (CHANGE, SIGNAL, CHANGE):
        bell.ring(trigger)

    assert bell.wait(0) is SIGNAL
    assert bell.wait(0) is None


def test_a_million_rings_are_as_good_as_one() -> None:
    """While a scan hangs, a storm takes no memory."""
    bell = Bell()
    for _ in range(1_000_000):
        bell.ring()

    assert bell._rings.qsize() <= 1000  # noqa: SLF001 - what the rule is about
    assert bell.wait(0) is CHANGE
    assert bell.wait(0) is None


def test_a_signal_handler_may_ring_at_any_moment() -> None:
    """Python runs the handler between any two steps of the waiting thread, so ringing takes no lock."""
    bell, rung = Bell(), 0
    before = signal.signal(signal.SIGALRM, lambda *_: bell.ring(SIGNAL))
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        end = time.monotonic() + 0.5
        while time.monotonic() < end:
            bell.ring()
            rung += bell.wait(5) is not None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)

    assert rung > 100
