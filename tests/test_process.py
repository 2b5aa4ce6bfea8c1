"""What the process costs is what the kernel says of it."""

import os
import time
from pathlib import Path

from exporter.process import usage


def test_the_figures_are_the_kernels() -> None:
    """Compared with other sources of the same figures."""
    found = usage()

    status = Path("/proc/self/status").read_text()
    resident = int(status.split("VmRSS:")[1].split()[0]) * 1024
    assert abs(found["resident_memory_bytes"] - resident) < 8 << 20
    assert found["virtual_memory_bytes"] > found["resident_memory_bytes"]
    assert abs(found["cpu_seconds_total"] - time.process_time()) < 1
    assert 3 <= found["open_fds"] <= found["max_fds"]
    started = time.time() - (time.monotonic() - _age())
    assert abs(found["start_time_seconds"] - started) < 5


def _age() -> float:
    """When this process started, on the monotonic clock."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    booted = time.clock_gettime(time.CLOCK_BOOTTIME) - time.monotonic()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK") - booted


def test_a_file_that_is_opened_counts(tmp_path: Path) -> None:
    """The listing's own descriptor does not."""
    before = usage()["open_fds"]

    with (tmp_path / "x").open("w"):
        assert usage()["open_fds"] == before + 1
