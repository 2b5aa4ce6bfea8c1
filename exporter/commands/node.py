"""``node``: watch this node, serve what is known of it, and go on until told to stop."""

import gc
import json
import logging
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from exporter import __version__
from exporter.checks import CHECKS
from exporter.exposition import Body, Exposition, Report, Status
from exporter.host import Host
from exporter.logs import configure
from exporter.loop import Bell, Loop, Trigger
from exporter.model import Finding, Reason
from exporter.process import give_memory_back, share_one_heap, usage
from exporter.report.document import Assessment, assess, document
from exporter.report.page import render_page
from exporter.scan import Picture, Scanner
from exporter.server import ConfigurationError, Page, Routes, Server, WebConfig
from exporter.settings import Settings, SettingsError
from exporter.sources.processes import Turnover
from exporter.watch import Watcher

logger = logging.getLogger(__name__)

REMOUNT = 1
"""The exit code of a pod whose mounts show a directory that the host has replaced."""

TURNOVER_SECONDS = 5.0
"""Between looks at which components run: one that restarted may use other files, which no watch tells."""
STOP_SECONDS = 0.4
"""How long a scan may go on after SIGTERM; one that hangs is left behind."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(slots=True, eq=False)
class Board:
    """The last picture in the forms that are handed out; replaced as a whole by each scan."""

    exposition: Exposition | None = None
    picture: Picture | None = None
    _logged: frozenset[Finding] = field(default_factory=frozenset)

    def show(self, picture: Picture) -> None:
        """Render what changed, log what is new, and hang it up."""
        report = Report(inventory=picture.inventory, findings=picture.findings, checks=CHECKS)
        is_first = self.exposition is None
        self.exposition = self.exposition.updated(report) if self.exposition else Exposition(report)
        self.picture = picture
        if is_first:
            gc.collect()
            gc.freeze()  # most of it lives on: looking it through was a fifth of a later scan
        give_memory_back()  # what the scan needed for a moment
        found = frozenset(picture.findings)
        for finding in found - self._logged:
            logger.warning(
                "finding",
                extra={
                    "check": finding.check,
                    "path": finding.place.path,
                    "entry": finding.place.entry,
                    "detail": finding.detail,
                },
            )
        self._logged = found

    @property
    def needs_remount(self) -> bool:
        """A mount of this container shows what the host has replaced: only a new container sees the new."""
        return self.picture is not None and any(
            failure.reason is Reason.MOUNT_STALE for failure in self.picture.inventory.failures
        )

    def body(self, accept: str, accept_encoding: str, status: Status) -> Body:
        """Answer a scrape; raises LookupError before the first scan has ended.

        A picture hangs here a moment before the loop counts its scan: a scrape between the two would lack
        the families that tell of it.
        """
        if self.exposition is None or status.last_scan is None:
            message = "no scan yet"
            raise LookupError(message)
        return self.exposition.body(accept, accept_encoding, status)

    def assessment(self) -> Assessment:
        """Judge the last picture against the clock; raises LookupError before the first scan."""
        if self.picture is None:
            message = "no scan yet"
            raise LookupError(message)
        now = datetime.fromtimestamp(time.time(), UTC)
        return assess(self.picture.inventory, self.picture.findings, now=now)


def check_node(settings: Settings) -> int:
    """Refuse what ``serve_node`` would refuse, else say that all is well.

    Raises:
        SettingsError: something cannot be used.

    """
    _web_config(settings)
    print("the configuration is good")
    return 0


def serve_node(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP scans at once.

    Raises:
        SettingsError: something cannot be used.

    """
    configure(settings.log_level, settings.log_format)
    share_one_heap()
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # threads inherit it, so that sigwait alone hears them
    web_config = _web_config(settings)
    bell = Bell()
    watcher = Watcher(bell.ring)
    scanner = Scanner(settings=settings, host=Host(settings.host_root, max_size=settings.max_file_size))
    board = Board()

    def publish(picture: Picture) -> None:
        board.show(picture)
        if board.needs_remount and settings.host_root != "/":
            logger.error("a mount is stale: ending, so that the container is made anew")
            os.kill(os.getpid(), signal.SIGTERM)

    loop = Loop(
        scan=lambda _trigger: scanner.scan(),
        publish=publish,
        follow=watcher.follow,
        bell=bell,
        interval_seconds=settings.interval,
    )
    application = _application(settings, loop, watcher, board, web_config)
    server = Server(settings.listen, application, web_config)
    try:
        server.start()
    except ConfigurationError as error:
        raise SettingsError(str(error)) from None
    logger.info(
        "listening", extra={"address": str(settings.listen), "port": server.port, "version": __version__}
    )
    watcher.start()
    scanning = threading.Thread(target=loop.run, name="scan", daemon=True)
    scanning.start()
    _ring_until_stopped(bell, Turnover(settings.host_root))
    loop.stop()
    scanning.join(STOP_SECONDS)
    watcher.stop()
    server.stop()
    return REMOUNT if board.needs_remount else 0


def _ring_until_stopped(bell: Bell, turnover: Turnover) -> None:
    """Ring for SIGHUP and for each component that was started or ended; returns at SIGTERM or SIGINT."""
    while True:
        heard = signal.sigtimedwait(_SIGNALS, TURNOVER_SECONDS)
        if heard is None:
            if turnover.has_changed():
                bell.ring()
        elif heard.si_signo == signal.SIGHUP:
            bell.ring(Trigger.SIGNAL)
        else:
            return


def _web_config(settings: Settings) -> WebConfig:
    try:
        return WebConfig(settings.web_config_file)
    except ConfigurationError as error:
        raise SettingsError(str(error)) from None


def _application(
    settings: Settings, loop: Loop[Picture], watcher: Watcher, board: Board, web_config: WebConfig
) -> Routes:
    def status() -> Status:
        tally = loop.tally
        return Status(
            command="node",
            readings=board.picture.inventory.readings if board.picture else (),
            scans={str(trigger): count for trigger, count in tally.scans.items()},
            scan_seconds=tally.last_duration,
            last_scan=tally.last_scan,
            interval=settings.interval,
            watch_up=watcher.is_up,
            watched_directories=watcher.directories,
            watch_events=watcher.events_total,
            web_config_reloaded=web_config.reload_successful if web_config.path else None,
            web_config_last_success=web_config.last_reload_success if web_config.path else None,
            process=usage(),
        )

    def metrics(accept: str, accept_encoding: str) -> Body:
        return board.body(accept, accept_encoding, status())

    return Routes(
        metrics=metrics,
        page=lambda: Page(*render_page(board.assessment())),
        inventory=lambda: json.dumps(document(board.assessment())).encode(),
        ailment=lambda: "" if loop.is_healthy() else "scans fail or hang; the log says why",
        unready=lambda: "the first scan is not done" if loop.tally.last_scan is None else "",
        opens_details=settings.web_open_details,
    )
