"""Components that come and go are noticed without reading every process again."""

from pathlib import Path

from exporter.sources.processes import Turnover


def run(proc: Path, pid: int, program: str) -> None:
    """Let a process be seen under this program's name."""
    (proc / str(pid)).mkdir(parents=True, exist_ok=True)
    (proc / str(pid) / "cmdline").write_text(f"{program}\0--flag\0")


def end(proc: Path, pid: int) -> None:
    """Let a process be gone."""
    (proc / str(pid) / "cmdline").unlink()
    (proc / str(pid)).rmdir()


def test_component_that_comes_or_goes_is_a_change(tmp_path: Path) -> None:
    """Only components count, each once; one that restarts has another number."""
    proc = tmp_path / "proc"
    run(proc, 1, "/sbin/init")
    run(proc, 10, "/usr/bin/kubelet")
    turnover = Turnover(str(tmp_path))
    assert not turnover.has_changed()
    run(proc, 11, "/bin/sh")
    assert not turnover.has_changed()
    end(proc, 10)
    assert turnover.has_changed()
    run(proc, 12, "/usr/bin/kubelet")
    assert turnover.has_changed()
    assert not turnover.has_changed()


def test_component_under_another_name_at_first_is_a_change(tmp_path: Path) -> None:
    """A container's process is its runtime's for a moment, and takes its own name at the next look."""
    proc = tmp_path / "proc"
    proc.mkdir()
    turnover = Turnover(str(tmp_path))
    run(proc, 20, "runc:[2:INIT]")
    assert not turnover.has_changed()
    run(proc, 20, "/usr/local/bin/etcd")
    assert turnover.has_changed()


def test_root_without_processes_never_changes(tmp_path: Path) -> None:
    """Where there is no /proc nothing is to be noticed."""
    assert not Turnover(str(tmp_path)).has_changed()
