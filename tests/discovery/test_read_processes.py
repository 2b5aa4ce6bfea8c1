"""Reading /proc below a host root, here one made of plain files."""

import os
from pathlib import Path
from subprocess import PIPE, Popen

import pytest

from exporter.discovery.components import COMPONENTS as KNOWN
from exporter.discovery.components import MULTIPLE
from exporter.model import Mount
from exporter.sources.processes import COMPONENTS, read_processes
from tests.discovery.looking import look, plant

BOOT = "cpu 1 2\nbtime 1700000000\nprocesses 5\n"


def process(pid: int, *arguments: str, cgroup: str = "0::/x\n", uid: str = "0") -> dict[str, str]:
    """The files of one process."""
    folder = f"/proc/{pid}"
    after = " ".join(str(number) for number in range(3, 40))
    return {
        f"{folder}/cmdline": "".join(f"{argument}\0" for argument in arguments),
        f"{folder}/status": f"Name:\tx\nUid:\t1\t{uid}\t3\t4\n",
        f"{folder}/stat": f"{pid} (na) me) {after}\n",
        f"{folder}/cgroup": cgroup,
        f"{folder}/mountinfo": (
            "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 8:1 /a\\040b /mnt\\134x rw - ext4 d rw\nbad\n"
        ),
    }


def test_components_and_the_first_process_are_read(tmp_path: Path) -> None:
    """argv[0] tells a component; of the others only the first process is read."""
    root = plant(
        tmp_path,
        {
            "/proc/stat": BOOT,
            **process(1, "/sbin/init"),
            **process(20, "/usr/bin/etcd", "--name=x", "", cgroup="1:cpu:/a\n0::/a/longer\nbad\n"),
            **process(30, "/usr/bin/nginx", "etcd"),
            **process(40, "/usr/local/bin/k3s server", "", ""),
            **process(50),
            "/proc/self-made/cmdline": "etcd\0",
        },
    )
    found = read_processes(str(root))
    assert found is not None
    assert [(process.pid, process.arguments) for process in found] == [
        (1, ("/sbin/init",)),
        (20, ("/usr/bin/etcd", "--name=x")),
        (40, ("/usr/local/bin/k3s server",)),
    ]
    etcd = found[1]
    assert etcd.cgroup == "/a/longer"
    assert etcd.uid == 0
    assert etcd.started == 1_700_000_000 + 22 / os.sysconf("SC_CLK_TCK")
    assert etcd.mounts == (
        Mount(device="8:1", root="/", point="/"),
        Mount(device="8:1", root="/a b", point="/mnt\\x"),
    )
    assert not etcd.is_own


@pytest.mark.parametrize("tree", [{}, {"/proc/stat": "cpu 1\n"}, {"/proc/stat": "btime x\n"}])
def test_without_a_proc_nothing_is_known(tmp_path: Path, tree: dict[str, str]) -> None:
    """No /proc, or one that is none, is not the same as no process."""
    assert read_processes(str(plant(tmp_path, tree))) is None


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    """A process that ended meanwhile is gone; one whose details are hidden has none."""
    gone = {"/proc/20/cmdline": "etcd\0"}
    odd = {"/proc/30/cmdline": "etcd\0", "/proc/30/status": "Uid:\tx\n"}
    bare = {
        "/proc/40/cmdline": "etcd\0",
        "/proc/40/status": "Uid:\t0\t5\t0\t0\n",
        "/proc/40/stat": "40 (etcd) S 1",
    }
    root = plant(tmp_path, {"/proc/stat": BOOT, **gone, **odd, **bare})
    (tmp_path / "proc/40/cgroup").mkdir()
    found = read_processes(str(root))
    assert found is not None
    (process,) = found
    assert (process.pid, process.uid, process.cgroup) == (40, 5, "")
    assert (process.mounts, process.started) == ((), None)


def test_a_crowd_of_components_is_cut(tmp_path: Path) -> None:
    """Of processes that look like a component, 1,024 are read."""
    crowd = {
        f"/proc/{pid}/{name}": content
        for pid in range(100, 1130)
        for name, content in (("cmdline", "etcd\0"), ("status", "Uid:\t0\t0\t0\t0\n"))
    }
    found = read_processes(str(plant(tmp_path, {"/proc/stat": BOOT, **crowd})))
    assert found is not None
    assert [found[0].pid, found[-1].pid, len(found)] == [100, 1123, 1024]


def test_mounts_of_a_pod_of_the_api_are_not_worth_reading(tmp_path: Path) -> None:
    """Such a process is no evidence whatever it has mounted."""
    cgroup = "0::/kubepods/besteffort/pod1b4e28ba-2fa1-11d2-883f-0016d3cca427/x\n"
    root = plant(tmp_path, {"/proc/stat": BOOT, **process(20, "etcd", cgroup=cgroup)})
    found = read_processes(str(root))
    assert found is not None
    assert found[0].mounts == ()


def test_this_programs_mounts_are_under_the_hosts_paths(tmp_path: Path) -> None:
    """What it sees below the host root counts, without the root's own path."""
    root = plant(tmp_path, {"/proc/stat": BOOT, **process(1, "init"), **process(60, "python")})
    mine = (
        f"1 0 0:9 / / rw - overlay o rw\n2 1 8:1 /root {root} rw - ext4 d rw\n"
        f"3 2 8:2 / {root}/etc/kubernetes rw - ext4 d rw\n4 1 8:3 / /elsewhere rw - ext4 d rw\n"
    )
    plant(root, {"/proc/60/mountinfo": mine})
    (root / "proc/self").symlink_to("60")
    found = read_processes(f"{root}/")
    assert found is not None
    own = found[-1]
    assert own.is_own
    assert own.mounts == (
        Mount(device="8:1", root="/root", point="/"),
        Mount(device="8:2", root="/", point="/etc/kubernetes"),
    )


def test_this_machine_is_readable() -> None:
    """The real /proc has this program in it."""
    found = read_processes("/")
    assert found is not None
    (own,) = [process for process in found if process.is_own]
    assert own.pid == os.getpid()
    assert any(mount.point == "/" for mount in own.mounts)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a process as another user")
def test_a_real_forger_is_ignored(tmp_path: Path) -> None:
    """A process of uid 12345 that calls itself etcd is seen in the real /proc, counted and not believed."""
    words = ["/usr/local/bin/etcd", "-c", "read word", "--cert-file=/etc/kubernetes/pki/forged.crt"]
    with Popen(words, executable="/bin/sh", user=12345, cwd="/", stdin=PIPE) as forger:
        try:
            processes = read_processes("/")
            assert processes is not None
            (seen,) = [process for process in processes if process.pid == forger.pid]
            found = look(plant(tmp_path, {"/etc/kubernetes/kubelet.conf": ""}), processes)
        finally:
            forger.kill()
    assert (seen.uid, seen.arguments) == (12345, tuple(words))
    assert found.node.processes_ignored["user"] >= 1
    assert not any("forged" in reference.path for reference in found.references)


def test_every_component_is_looked_for() -> None:
    """Each program that discovery believes is one that is read."""
    assert (KNOWN | MULTIPLE) - {"cluster-agent"} == COMPONENTS
