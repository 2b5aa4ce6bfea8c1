"""What is shipped: a wheel with all that the program reads, and a command that starts."""

import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(find_spec("hatchling") is None, reason="needs the build backend, hatchling")
def test_the_wheel_has_the_page_and_its_command_starts(tmp_path: Path) -> None:
    """Style and script of the page are packaged, and the program runs from the wheel alone."""
    options = ("--no-deps", "--no-build-isolation", "--no-index", "--quiet")
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, "-w", tmp_path, ROOT], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (entry_points,) = (name for name in names if name.endswith("entry_points.txt"))
        assert "kube-pki-exporter = exporter.__main__:main" in archive.read(entry_points).decode()
        archive.extractall(tmp_path / "unpacked")
    assert {"exporter/report/page.css", "exporter/report/page.js"} <= names
    assert not [name for name in names if name.startswith("tests")]
    start = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'unpacked')!r}); import exporter.report.page;"
        "from exporter.__main__ import main; sys.argv = ['kube-pki-exporter', '--version']; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", start], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("kube-pki-exporter ")
