"""A source that is away keeps its last good facts and says that it is away (DESIGN 4.6)."""

from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.model import Inventory, Origin
from tests.scenarios.certificates import CP
from tests.scenarios.kubelets import CONFIG, KUBECONFIG
from tests.scenarios.tree import Seen, Tree, Watcher

KUBELET = {
    "cmdline": f"/usr/bin/kubelet\0--config={CONFIG}\0--kubeconfig={KUBECONFIG}\0",
    "status": "Name:\tkubelet\nUid:\t0\t0\t0\t0\n",
    "stat": f"20 (kubelet) S {' '.join('4' for _ in range(40))}\n",
    "cgroup": "0::/system.slice/kubelet.service\n",
    "mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
}


@pytest.fixture
def root(unpacked: Callable[[str], Path]) -> Path:
    """A control plane whose kubelet runs."""
    root = unpacked(CP)
    tree = Tree(root)
    tree.write("/proc/stat", "btime 1700000000\n")
    for name, content in KUBELET.items():
        tree.write(f"/proc/20/{name}", content)
        tree.write(f"/proc/1/{name}", content if name != "cmdline" else "/sbin/init\0")
    return root


def up(seen: Seen) -> dict[str, bool]:
    """Which sources could be consulted."""
    return {reading.source: reading.is_up for reading in seen.inventory.readings}


def last_success(seen: Seen) -> set[float | None]:
    """When each source was last consulted."""
    return {reading.last_success for reading in seen.inventory.readings}


def from_processes(inventory: Inventory) -> set[str]:
    """The settings that a process gives away."""
    return {reference.setting for reference in inventory.references if reference.origin is Origin.PROCESS}


def test_without_proc_the_processes_stay_as_they_were(root: Path) -> None:
    """However long it is away; with it back and another process there, the old one counts no more."""
    watcher = Watcher(root)
    before = watcher.look_twice()
    proc = root / "proc"

    proc.rename(root / "away")
    during = [watcher.look(), watcher.look_twice()]
    (root / "away").rename(proc)
    back = watcher.look()
    (proc / "20/cmdline").write_text("/usr/bin/kubelet\0")
    changed = watcher.look_twice()

    assert from_processes(before.inventory) == {"kubeconfig"}
    for seen in during:
        assert seen.inventory.references == before.inventory.references
        assert up(seen) == {"processes": False, "configuration": True, "files": True}
        assert last_success(seen) == last_success(before)
    assert up(back) == up(before)
    assert from_processes(changed.inventory) == set()


def test_without_the_host_root_all_stays_as_it_was(root: Path, tmp_path: Path) -> None:
    """However long it is away; what has changed when it is back is seen."""
    watcher = Watcher(root)
    before = watcher.look_twice()

    root.rename(tmp_path / "away")
    during = [watcher.look(), watcher.look_twice()]
    (tmp_path / "away").rename(root)
    back = watcher.look()
    (root / "etc/kubernetes/pki/apiserver.crt").unlink()
    changed = watcher.look_twice()

    for seen in during:
        assert up(seen) == dict.fromkeys(("processes", "configuration", "files"), False)
        assert last_success(seen) == last_success(before)
        assert seen.inventory.occurrences == before.inventory.occurrences
        assert seen.inventory.references == before.inventory.references
    assert up(back) == up(before)
    assert changed.missing == {"/etc/kubernetes/pki/apiserver.crt"}


def test_a_host_root_that_was_never_reached_is_away(tmp_path: Path) -> None:
    """There is nothing to keep, and that is not the picture of an empty node."""
    seen = Watcher(tmp_path / "missing").look()

    assert seen.inventory.occurrences == ()
    assert up(seen) == dict.fromkeys(("processes", "configuration", "files"), False)
