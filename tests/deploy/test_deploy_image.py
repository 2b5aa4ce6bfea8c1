"""The image, built without a registry, is small, holds nothing to attack with, and works."""

import json
import os
import platform
import shutil
import stat
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest

from tests.deploy.rendering import PROJECT
from tests.tools import require_tool
from tests.waiting import free_port

pytestmark = [pytest.mark.image, pytest.mark.xdist_group("image"), pytest.mark.timeout(900)]

TAG = "localhost/kube-pki-exporter:image-test"
LIMIT = 120 * 1000 * 1000
"""Bytes, unpacked."""
PROGRAM = "/opt/kube-pki-exporter/bin/kube-pki-exporter"


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Build the image on a Debian base from debootstrap, unpack its root, and forget the image."""
    buildah = require_tool("buildah", "buildah")
    require_tool("debootstrap", "debootstrap")
    if os.geteuid() != 0:
        pytest.skip("building a root file system takes root")
    subprocess.run([str(PROJECT / "deploy/image/build"), TAG, "debootstrap"], check=True)
    folder = tmp_path_factory.mktemp("image")
    archive = folder / "image.tar"
    command = [buildah, "--storage-driver", os.environ.get("STORAGE_DRIVER", "overlay")]
    subprocess.run([*command, "push", "-q", TAG, f"oci-archive:{archive}"], check=True)
    inspected = subprocess.run(
        [*command, "inspect", "--type", "image", TAG], check=True, capture_output=True, text=True
    ).stdout
    (folder / "configuration.json").write_text(inspected)
    root = folder / "root"
    unpack(archive, root)
    yield root
    subprocess.run([*command, "rmi", TAG], check=True, capture_output=True)


def unpack(archive: Path, root: Path) -> None:
    """Unpack the layers of an OCI archive, of which this image has one with files."""
    layout = root.with_name("layout")
    for folder in (layout, root):
        folder.mkdir()
    subprocess.run(["tar", "-xf", archive, "-C", layout], check=True)

    def blob(digest: str) -> Path:
        return layout / "blobs" / digest.replace(":", "/")

    manifest = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    for layer in json.loads(blob(manifest).read_text())["layers"]:
        subprocess.run(["tar", "-xpzf", blob(layer["digest"]), "-C", root], check=True)


def inside(image: Path, *command: str) -> list[str]:
    """Run a command with the image as its root."""
    return [require_tool("chroot", "coreutils"), str(image), *command]


@pytest.fixture
def served(image: Path, unpacked: Callable[[str], Path]) -> Iterator[str]:
    """Serve a recorded node from the image; yield the address."""
    node = unpacked("kubeadm-1.36-control-plane")
    host = image / "host"
    shutil.copytree(node, host, symlinks=True)
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        inside(image, PROGRAM, "node", "--host-root=/host", f"--listen={address}"),
        env={"NODE_NAME": "cp1", "PATH": os.environ["PATH"]},
    )
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        ended = process.wait(timeout=20)
        shutil.rmtree(host)
    assert ended == 0


def fetch(url: str) -> str:
    """Fetch a page as soon as there is one, for at most 20 s."""
    deadline = monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                text: str = answer.read().decode()
                return text
        except (urllib.error.URLError, ConnectionError):
            if monotonic() > deadline:
                raise
            sleep(0.05)


def test_it_is_small(image: Path) -> None:
    """Less than 120 MB, unpacked."""
    assert sum(path.lstat().st_size for path in image.rglob("*") if path.is_file()) < LIMIT


def test_it_holds_no_tools(image: Path) -> None:
    """No shell, no package manager, no compiler, no pip, no tests: the program and what it loads."""
    names = {path.name for path in image.rglob("*")}
    forbidden = {
        "sh",
        "bash",
        "dash",
        "busybox",
        "apt",
        "dpkg",
        "gcc",
        "cc",
        "pip",
        "setuptools",
        "ensurepip",
    }
    assert not names & forbidden
    assert not [path for path in image.rglob("tests") if path.is_dir()]


def test_nothing_in_it_is_writable(image: Path) -> None:
    """Not even root, which the pod is without capabilities, may write to it; /tmp is the one exception."""
    writable = [
        path
        for path in image.rglob("*")
        if not path.is_symlink() and path.lstat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    ]
    assert [path.relative_to(image).as_posix() for path in writable] == ["tmp"]
    assert not [path for path in image.rglob("*") if path.lstat().st_mode & (stat.S_ISUID | stat.S_ISGID)]


def test_everything_is_compiled(image: Path) -> None:
    """On a read-only root nothing can be compiled later, so every start would compile it all anew."""
    sources = list(image.rglob("site-packages/exporter/**/*.py"))
    assert sources
    for source in sources:
        assert list(source.parent.glob(f"__pycache__/{source.stem}.*.pyc")), source


def test_it_says_what_it_is(image: Path) -> None:
    """OCI labels name version and source; it starts the program, as uid 0, which the DaemonSet needs."""
    inspected = json.loads((image.parent / "configuration.json").read_text())["OCIv1"]["config"]
    labels = inspected["Labels"]
    assert labels["org.opencontainers.image.title"] == "kube-pki-exporter"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert labels["org.opencontainers.image.version"]
    assert inspected["User"] == "0:0"
    assert inspected["Entrypoint"] == [PROGRAM]


def test_it_serves_a_node(served: str) -> None:
    """Started, it becomes ready and shows the certificates of the node that is mounted."""
    assert fetch(f"{served}/healthz").strip() == "ok"
    metrics = fetch(f"{served}/metrics")
    assert 'path="/etc/kubernetes/pki/apiserver.crt"' in metrics
    assert 'distribution="kubeadm"' in metrics


def test_it_checks_from_the_command_line(image: Path, unpacked: Callable[[str], Path]) -> None:
    """What a runbook runs by kubectl exec works: no shell is needed."""
    shutil.copytree(unpacked("kubeadm-1.36-worker"), image / "host", symlinks=True)
    try:
        done = subprocess.run(
            inside(image, PROGRAM, "check", "--host-root=/host", "-o", "json"),
            capture_output=True,
            text=True,
            check=False,
            env={"NODE_NAME": "w1", "PATH": os.environ["PATH"]},
        )
    finally:
        shutil.rmtree(image / "host")
    assert done.returncode in {0, 1, 2}, done.stderr
    assert json.loads(done.stdout)


PROBE = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.open_by_handle_at(3, ctypes.create_string_buffer(136), 0)
print(errno.errorcode[ctypes.get_errno()])
"""


def test_the_seccomp_profile_allows_the_program_alone(
    image: Path, unpacked: Callable[[str], Path], tmp_path: Path
) -> None:
    """With the capability under the shipped profile k0s' files are read, open_by_handle_at is refused."""
    runc = require_tool("runc", "runc")
    profile = json.loads((PROJECT / "deploy/seccomp/kube-pki-exporter.json").read_text())
    machine = f"SCMP_ARCH_{platform.machine().upper()}"
    (native,) = (entry for entry in profile.pop("archMap") if entry["architecture"] == machine)
    profile["architectures"] = [machine, *native["subArchitectures"]]
    for name in ("host", "proc", "dev"):
        (image / name).mkdir()
    host = unpacked("k0s-1.36.3")

    def confined(*command: str) -> subprocess.CompletedProcess[str]:
        capability = ["CAP_DAC_READ_SEARCH"]
        capabilities = {"bounding": capability, "effective": capability, "permitted": capability}
        process = {
            "user": {"uid": 0, "gid": 0},
            "args": command,
            "env": ["NODE_NAME=node"],
            "cwd": "/",
            "capabilities": capabilities,
            "noNewPrivileges": True,
        }
        mount = {"destination": "/host", "type": "bind", "source": str(host), "options": ["rbind", "ro"]}
        configuration = {
            "ociVersion": "1.0.2",
            "process": process,
            "root": {"path": str(image), "readonly": True},
            "mounts": [mount, {"destination": "/proc", "type": "proc", "source": "proc"}],
            "linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}], "seccomp": profile},
        }
        (tmp_path / "config.json").write_text(json.dumps(configuration))
        return subprocess.run(
            [runc, "run", "--bundle", str(tmp_path), f"image-test-{os.getpid()}"],
            capture_output=True,
            text=True,
            check=False,
        )

    try:
        checked = confined(PROGRAM, "check", "--host-root=/host", "-o", "json")
        refused = confined("/opt/kube-pki-exporter/bin/python", "-c", PROBE)
    finally:
        for name in ("host", "proc", "dev"):
            shutil.rmtree(image / name)
    assert checked.stdout, checked.stderr
    paths = {each["path"] for each in json.loads(checked.stdout)["certificates"]}
    assert "/var/lib/k0s/pki/etcd/server.crt" in paths
    assert refused.stdout == "EPERM\n", refused.stderr
