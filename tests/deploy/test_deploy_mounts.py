"""What a pod mounts is all that its node's PKI needs, tried on the recorded nodes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.rendering import SHAPES

UNSEEN = {
    "minikube-1.38.1": {"/var/lib/kubelet/pki"},
    "microk8s-1.36": set[str](),
    "k3s-1.36.3": {"/var/lib/rancher/k3s/agent/containerd"},
    "k0s-1.36.3": {"/var/lib/k0s/kubelet/pki", "/run/k0s/kubelet", "/var/lib/k0s/kubelet.conf"},
}
"""Paths that a running node has and the recording has not: no kubelet ran when it was made."""

NODES = pytest.mark.parametrize(
    ("recorded", "distribution", "shape"),
    [
        ("kubeadm-1.36-control-plane", "kubeadm", "node"),
        ("kubeadm-1.36-worker", "kubeadm", "node"),
        ("k3s-1.36.3", "k3s", "server-etcd"),
        ("k0s-1.36.3", "k0s-controllers", "controller"),
        ("microk8s-1.36", "microk8s", "control-plane"),
        ("minikube-1.38.1", "minikube", "control-plane"),
    ],
)


def mounted(distribution: str, shape: str) -> list[str]:
    """List what a shape mounts."""
    found = SHAPES[distribution][shape]
    return [*found.get("directories", []), *found.get("files", [])]


def as_mounted(node: Path, paths: list[str], root: Path) -> None:
    """Copy the paths of a node to where the pod sees them; a mount follows the links on its way."""
    for path in paths:
        source = node / path.removeprefix("/")
        target = root / path.removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        elif source.is_file():
            shutil.copy2(source, target)


def seen(root: Path, name: str) -> dict[str, Any]:
    """Scan a tree; tell what kind of node it is, its certificates in use, and what is wrong."""
    command = [sys.executable, "-m", "exporter", "check", "--host-root", str(root), "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"NODE_NAME": name})
    assert done.returncode in {0, 1, 2}, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return {
        "node": document["node"],
        "certificates": {
            (each["path"], each["entry"], each["index"], each["role"])
            for each in document["certificates"]
            if each["state"] == "in_use"
        },
        "findings": sorted((each["check"], each["path"]) for each in document["findings"]),
    }


@NODES
def test_the_mounted_paths_exist(
    recorded: str, distribution: str, shape: str, unpacked: Callable[[str], Path]
) -> None:
    """Each path of a shape is on the recorded node: a missing one would block the pod."""
    node = unpacked(recorded)
    missing = {path for path in mounted(distribution, shape) if not (node / path.removeprefix("/")).exists()}
    assert missing <= UNSEEN.get(recorded, set())


@NODES
def test_the_mounts_show_the_whole_pki(
    recorded: str, distribution: str, shape: str, unpacked: Callable[[str], Path], tmp_path: Path
) -> None:
    """Through its mounts the program finds the certificates in use and the faults of the whole node."""
    node = unpacked(recorded)
    as_mounted(node, mounted(distribution, shape), tmp_path / "host")
    name = "minikube" if distribution == "minikube" else "node"
    whole = seen(node, name)
    assert whole["certificates"]
    assert seen(tmp_path / "host", name) == whole
