"""What every test may ask for: a clock that stands still and the recorded nodes."""

import tarfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)  # a busy machine is no counterexample
settings.load_profile("patient")

NODES = Path(__file__).parent / "nodes"
RECORDED = (
    "kubeadm-1.36-control-plane",
    "kubeadm-1.36-worker",
    "k3s-1.36.3",
    "k0s-1.36.3",
    "microk8s-1.36",
    "minikube-1.38.1",
)


@pytest.fixture
def now() -> datetime:
    """The moment at which the recorded nodes were made."""
    return datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def unpacked(tmp_path: Path) -> Callable[[str], Path]:
    """Unpack a recorded node, with its modes, owners and links, to change at will."""

    def unpack(recorded: str) -> Path:
        root = tmp_path / recorded
        root.mkdir()
        with tarfile.open(NODES / f"{recorded}.tar.gz") as archive:
            archive.extractall(root, numeric_owner=True, filter="fully_trusted")
        return root

    return unpack
