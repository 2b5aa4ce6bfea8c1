"""A pod that pretends to be etcd."""

import json
from pathlib import Path
from typing import Any

from tests.cluster.lab.cluster import Cluster
from tests.cluster.lab.images import write_image
from tests.cluster.lab.waiting import wait_for

IMAGE = "localhost/forger:1"
FLAGS = (
    "--cert-file=/etc/kubernetes/pki/forged.crt",
    "--key-file=/etc/kubernetes/pki/forged.key",
    "--trusted-ca-file=/etc/kubernetes/pki/forged-ca.crt",
    "--peer-cert-file=/etc/shadow",
    "--listen-client-urls=http://0.0.0.0:2379",
    "--client-cert-auth=false",
)


def _pod(name: str, node: str, user: int) -> dict[str, Any]:
    container = {
        "name": "etcd",
        "image": IMAGE,
        "imagePullPolicy": "Never",
        "command": ["/usr/local/bin/etcd", *FLAGS],
        "securityContext": {"runAsUser": user},
    }
    spec = {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def start_forgers(cluster: Cluster) -> list[str]:
    """Run one as root and one as somebody on a control plane and on the worker; return the pods' names."""
    archive = cluster.settings.home / "forger.tar"
    write_image(archive, IMAGE, {"/usr/local/bin/etcd": Path(cluster.settings.build / "pause")})
    pods = [_pod(f"forger-{node}-{user}", node, user) for node in ("cp1", "w1") for user in (0, 12345)]
    for node in ("cp1", "w1"):
        cluster.load(cluster.nodes[node], archive)
    cluster.kubectl("apply", "-f", "-", given=json.dumps({"apiVersion": "v1", "kind": "List", "items": pods}))
    names = [pod["metadata"]["name"] for pod in pods]

    def running() -> bool:
        phases = {pod["metadata"]["name"]: pod["status"]["phase"] for pod in cluster.objects("pods")}
        return all(phases.get(name) == "Running" for name in names)

    wait_for("the forgers to run", running, seconds=60)
    return names
