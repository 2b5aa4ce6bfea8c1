"""The exporter goes on, or comes back right, whatever happens around it."""

import ctypes
import os
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.exporters import Exporter
from tests.cluster.lab.machine import write_sysctl
from tests.cluster.lab.waiting import wait_for
from tests.cluster.project import PROJECT
from tests.cluster.samples import Samples

pytestmark = pytest.mark.cluster
SECTION = "Resilience"


def kill_container(exporter: Exporter) -> None:
    """Kill the exporter and wait until its container runs again, however long the kubelet backs off."""
    restarts = exporter.restarts()
    os.kill(exporter.process(), signal.SIGKILL)
    wait_for("the container's restart", lambda: exporter.restarts() > restarts, seconds=90)
    wait_for(
        "the exporter", lambda: exporter.scrape().value("kubepki_watched_directories") is not None, seconds=90
    )


def same(before: Samples, after: Samples) -> bool:
    """Whether the same certificates are shown."""
    return before.fingerprints() == after.fingerprints() and not after.findings()


def test_killed_exporter_comes_back(lab: Lab) -> None:
    """After SIGKILL the same certificates are shown by a restarted container."""
    exporter = lab.exporters["w1"]
    before = exporter.scrape()
    begun = time.monotonic()
    kill_container(exporter)
    assert same(before, exporter.scrape())
    lab.evidence.show(
        SECTION, f"exporter killed: same certificates again after {time.monotonic() - begun:.1f} s"
    )


def test_restarted_containerd_disturbs_nothing(lab: Lab) -> None:
    """The pods live on while the node's containerd restarts."""
    exporter, node = lab.exporters["w1"], lab.cluster.nodes["w1"]
    before, restarts = exporter.scrape(), exporter.restarts()
    node.stop("containerd")
    during = exporter.scrape()
    lab.cluster.start_containerd(node)
    lab.cluster.await_ready()
    assert same(before, during)
    assert same(before, exporter.scrape())
    assert exporter.restarts() == restarts
    lab.evidence.show(
        SECTION, "containerd stopped and started: metrics throughout, no restart of the exporter"
    )


@contextmanager
def no_inotify_instances() -> Iterator[int]:
    """Take every inotify instance that the user has left; say how many that were."""
    libc = ctypes.CDLL(None, use_errno=True)
    taken: list[int] = []
    relieved = threading.Event()

    def take() -> None:
        while (made := libc.inotify_init1(os.O_CLOEXEC)) >= 0:
            taken.append(made)

    def keep_taking() -> None:  # a killed exporter frees the one that it had
        while not relieved.wait(0.002):
            take()

    take()
    taker = threading.Thread(target=keep_taking)
    taker.start()
    try:
        yield len(taken)
    finally:
        relieved.set()
        taker.join()
        for made in taken:
            os.close(made)


@contextmanager
def no_inotify_watches() -> Iterator[int]:
    """Set the limit of watches to what nobody can live with, and back."""
    path = Path("/proc/sys/fs/inotify/max_user_watches")
    limit = path.read_text()
    try:
        write_sysctl("fs/inotify/max_user_watches", "0")
        yield int(path.read_text())
    finally:
        path.write_text(limit)


def test_without_inotify_two_scans_a_minute_remain(lab: Lab) -> None:
    """An exporter that cannot watch says so, shows everything all the same, and watches again when it can."""
    lacking = {"cp1": no_inotify_instances, "cp2": no_inotify_watches}
    for name, exhausted in lacking.items():
        exporter = lab.exporters[name]
        before = exporter.scrape()
        with exhausted():
            kill_container(exporter)
            during = exporter.scrape()
            assert during.value("kubepki_watch_up") == 0
            assert same(before, during)
    for name, exhausted in lacking.items():
        lab.exporters[name].until(
            "the watch again", lambda samples: samples.value("kubepki_watch_up") == 1, seconds=45
        )
        what = exhausted.__name__.replace("_", " ")
        lab.evidence.show(SECTION, f"{what}: watch_up 0, same certificates; watching again after the relief")


def test_five_hundred_files_dropped(lab: Lab) -> None:
    """A flood of files in a watched directory neither stops the exporter nor what it shows."""
    exporter, node = lab.exporters["w1"], lab.cluster.nodes["w1"]
    before = exporter.scrape()
    source = node.own("/etc/kubernetes/pki/ca.crt")
    folder = node.own("/var/lib/kubelet/pki")
    flood = [folder / f"dropped-{number}.pem" for number in range(500)]
    began = time.monotonic()
    for path in flood:
        shutil.copy(source, path)
    deadline = time.monotonic() + 3
    slowest = 0.0
    while time.monotonic() < deadline:
        asked = time.monotonic()
        samples = exporter.scrape()
        slowest = max(slowest, time.monotonic() - asked)
        assert before.fingerprints(state="in_use").items() <= samples.fingerprints(state="in_use").items()
        assert samples.findings() == set()
    for path in flood:
        path.unlink()
    exporter.until("the old state", lambda samples: same(before, samples), seconds=30)
    lab.evidence.show(
        SECTION,
        f"500 files dropped for {time.monotonic() - began:.1f} s: no finding, slowest look {slowest:.2f} s",
    )


def test_api_server_down(lab: Lab) -> None:
    """With the API server away the exporter serves, and `check` on the node answers without it."""
    exporter, node = lab.exporters["cp1"], lab.cluster.first
    address = exporter.address()
    before = exporter.scrape(address)

    def is_down() -> bool:
        try:
            node.connect(node.address, 6443).close()
        except ConnectionRefusedError:
            return True
        return False

    with lab.cluster.without_static_pods(node, "kube-apiserver"):
        wait_for("the end of the API server", is_down, seconds=30)
        assert same(before, exporter.scrape(address))
        done = node.attempt(str(PROJECT / ".venv/bin/kube-pki-exporter"), "check")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "front-proxy-client" in done.stdout
    lab.cluster.await_api_server()
    exporter.until("the old state", lambda samples: same(before, samples), seconds=90, address=address)
    lab.monitoring.await_quiet(seconds=90)
    lab.evidence.show(
        SECTION,
        f"API server down: metrics served, `check` on the node exits {done.returncode}; all as before after",
    )


def test_memory_limit_of_the_manifest_was_enough(lab: Lab) -> None:
    """No exporter came near the shipped limit, which the kernel enforced all along."""
    for name, exporter in lab.exporters.items():
        peak, limit = exporter.memory()
        (status,) = exporter.pod()["status"]["containerStatuses"]
        assert limit == 64 << 20
        assert peak < limit
        assert status.get("lastState", {}).get("terminated", {}).get("reason") != "OOMKilled"
        lab.evidence.show(
            SECTION,
            f"{name}: at most {peak / 2**20:.0f} of {limit >> 20} MiB, {status['restartCount']} restarts",
        )
