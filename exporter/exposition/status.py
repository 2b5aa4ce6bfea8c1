"""What the program itself is doing: values that loop and server fill in for each scrape."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from exporter.model import Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The live values; None where there is no such thing, and then no sample either."""

    command: str
    """``node``, ``cluster`` or ``check``."""
    readings: tuple[Reading, ...] = ()
    """What each source did in the last scan."""
    scans: Mapping[str, int] = field(default_factory=dict)
    """Trigger to number of scans since the start; empty where scans do not repeat."""
    scan_seconds: float | None = None
    last_scan: float | None = None
    """Unix time at which the last scan ended."""
    interval: float | None = None
    """Seconds; the setting."""
    watch_up: bool | None = None
    watched_directories: int | None = None
    watch_events: int | None = None
    web_config_reloaded: bool | None = None
    """Whether the last reload of the web configuration succeeded; None without one."""
    web_config_last_success: float | None = None
    """Unix time."""
    process: Mapping[str, float] = field(default_factory=dict)
    """What this process costs: name without ``process_`` to value."""
