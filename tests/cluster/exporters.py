"""The exporter's pods: where they are, what they say and what they cost."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cluster.lab.cluster import Cluster
from tests.cluster.lab.node import Node
from tests.cluster.lab.waiting import wait_for
from tests.cluster.samples import Samples

NAMESPACE = "kube-pki-exporter"
PORT = 9795


class Exporter:
    """The pod of one node."""

    def __init__(self, cluster: Cluster, node: Node) -> None:
        self.cluster = cluster
        self.node = node

    def pod(self) -> dict[str, Any]:
        """Its object; LookupError while there is none that runs."""
        selector = (
            "-l",
            "app.kubernetes.io/name=kube-pki-exporter",
            f"--field-selector=spec.nodeName={self.node.name}",
        )
        for pod in self.cluster.objects("pods", "-n", NAMESPACE, *selector):
            if "deletionTimestamp" not in pod["metadata"] and pod["status"].get("podIP"):
                return pod
        message = f"no exporter on {self.node.name}"
        raise LookupError(message)

    def address(self) -> str:
        """The pod's address."""
        found: str = self.pod()["status"]["podIP"]
        return found

    def scrape(self, address: str = "") -> Samples:
        """What it says now."""
        connection = self.node.http(address or self.address(), PORT)
        status, text = connection.fetch("/metrics")
        connection.close()
        if status != 200:
            message = f"/metrics answered {status}"
            raise ValueError(message)
        return Samples.read(text)

    def until(
        self, what: str, true: Callable[[Samples], object], *, seconds: float = 20, address: str = ""
    ) -> tuple[Samples, float]:
        """Poll the metrics until something holds; return them and how long that took."""
        address = address or self.address()
        begun = time.monotonic()
        found: list[Samples] = []

        def holds() -> bool:
            found[:] = [self.scrape(address)]
            return bool(true(found[0]))

        wait_for(f"{self.node.name} to show {what}", holds, seconds=seconds, every=0.03)
        return found[0], time.monotonic() - begun

    def run(self, *command: str, given: str | None = None) -> str:
        """Run a command in its container.

        Tried again for a while: the API server may still hold a connection to a kubelet that was restarted.
        """
        pod = self.pod()["metadata"]["name"]
        words = ("exec", *(("-i",) if given else ()), "-n", NAMESPACE, pod, "--", *command)
        return wait_for(
            f"{command[0]} in {pod}", lambda: self.cluster.kubectl(*words, given=given), seconds=30
        )

    def rescan(self) -> None:
        """Have it look again at once, where no change on disk would make it."""
        os.kill(self.process(), signal.SIGHUP)

    def restarts(self) -> int:
        """How often its container was started again."""
        return sum(status["restartCount"] for status in self.pod()["status"]["containerStatuses"])

    def memory(self) -> tuple[int, int]:
        """The most memory its pod ever had, whatever was restarted in it, and its limit, in bytes."""
        pod = self.pod()
        container = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
        root = Path("/sys/fs/cgroup/memory", self.cluster.settings.prefix, self.node.name)
        (folder,) = root.glob(f"kubepods/**/pod{pod['metadata']['uid']}/{container}")
        peak = int((folder.parent / "memory.max_usage_in_bytes").read_text())
        return peak, int((folder / "memory.limit_in_bytes").read_text())

    def process(self) -> int:
        """Its process, as the machine numbers it."""
        container = self.pod()["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
        root = Path("/sys/fs/cgroup/pids", self.cluster.settings.prefix, self.node.name)
        (folder,) = root.glob(f"kubepods/**/{container}")
        return int((folder / "cgroup.procs").read_text().split()[0])
