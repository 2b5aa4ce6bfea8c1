"""What a cluster is made of: versions, sizes and places."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.tools import CACHE

NEWEST = "1.37.2"
OLDER = "1.34.4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One cluster; two run side by side where prefix, network and home differ."""

    version: str = NEWEST
    cache: Path
    """Sources, binaries and images by version; survives the cluster."""
    home: Path
    """State of the running nodes; removed with them."""
    prefix: str = "kpe"
    """Begins the names of network namespaces, interfaces and cgroups."""
    network: str = "10.80.0"
    """First three numbers of the nodes' addresses; outside the service range."""
    control_planes: int = 2
    workers: int = 1

    @property
    def build(self) -> Path:
        """Where this version's binaries and images are."""
        return self.cache / f"kubernetes-{self.version}"

    @property
    def binaries(self) -> Path:
        """Kubernetes' programs, kubectl and etcd."""
        return self.build / "bin"

    @property
    def images(self) -> Path:
        """One archive for each image that kubeadm wants."""
        return self.build / "images"

    @property
    def minor(self) -> int:
        """The 36 in 1.36.3."""
        return int(self.version.split(".")[1])

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes: cp1, cp2, ..., w1, w2, ..."""
        planes = (f"cp{number}" for number in range(1, self.control_planes + 1))
        return (*planes, *(f"w{number}" for number in range(1, self.workers + 1)))

    def address(self, name: str) -> str:
        """The node's address: .11 for cp1, .21 for w1."""
        return f"{self.network}.{(10 if name.startswith('cp') else 20) + int(name.lstrip('cpw'))}"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read CLUSTER_TEST_KUBERNETES (a version, newest or older), CLUSTER_TEST_CACHE and CLUSTER_TEST_HOME."""
    version = environment.get("CLUSTER_TEST_KUBERNETES") or "newest"
    cache = Path(environment.get("CLUSTER_TEST_CACHE") or CACHE / "cluster").absolute()
    return Settings(
        version={"newest": NEWEST, "older": OLDER}.get(version, version),
        cache=cache,
        home=Path(environment.get("CLUSTER_TEST_HOME") or cache / "running").absolute(),
    )
