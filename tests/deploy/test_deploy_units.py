"""Units and pods start the program with arguments that it takes, and confined."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.rendering import PROJECT, VARIANTS, container_of, of_kind, rendered
from tests.tools import require_tool

UNITS = PROJECT / "deploy/systemd"
SERVICES = sorted(path.name for path in UNITS.glob("*.service"))
EXPOSURE = 20
"""The most that ``systemd-analyze security`` may say, in tenths."""


def accepted(arguments: list[str]) -> None:
    """Let the program check its command line."""
    command = [sys.executable, "-m", "exporter", *arguments, "--check-config"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_starts_the_program_with_good_arguments(name: str) -> None:
    """The command line of a unit is one that the program takes."""
    (line,) = [line for line in (UNITS / name).read_text().splitlines() if line.startswith("ExecStart=")]
    program, *arguments = shlex.split(line.removeprefix("ExecStart="))
    assert program == "/opt/kube-pki-exporter/bin/kube-pki-exporter"
    assert arguments.pop() == "$OPTIONS"
    accepted(arguments)


@pytest.mark.parametrize("name", SERVICES)
def test_a_unit_is_confined(name: str) -> None:
    """The exposure that systemd finds stays as low as the documentation says."""
    tool = require_tool("systemd-analyze", "systemd")
    done = subprocess.run(
        [tool, "security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager", str(UNITS / name)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_units_are_well_formed(tmp_path: Path) -> None:
    """systemd knows every setting; only the program itself is not installed here."""
    tool = require_tool("systemd-analyze", "systemd")
    units = []
    for path in UNITS.iterdir():
        unit = tmp_path / path.name
        unit.write_text(path.read_text().replace("/opt/kube-pki-exporter/bin/kube-pki-exporter", "/bin/true"))
        units.append(str(unit))
    done = subprocess.run([tool, "verify", *units], capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if "kube-pki-exporter" in line]
    assert about_ours == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_pod_starts_the_program_with_good_arguments(variant: str) -> None:
    """The arguments of a container are ones that the program takes; files of the pod are not here."""
    for daemonset in of_kind(rendered(variant), "DaemonSet"):
        arguments = container_of(daemonset)["args"]
        accepted([each for each in arguments if not each.startswith(("--web.config.file", "--host-root"))])
