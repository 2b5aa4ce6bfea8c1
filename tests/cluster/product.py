"""The product as it is shipped: its image, its manifests, and what those expect to be in a cluster."""

import json
import os
import subprocess
from pathlib import Path

from tests.cluster.lab.cluster import Cluster
from tests.cluster.lab.settings import Settings
from tests.cluster.lab.waiting import wait_for
from tests.cluster.project import PROJECT
from tests.tools import require_helm

IMAGE, TAG = "localhost/kube-pki-exporter", "test"
OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
"""The module that carries the operator's own resource definitions."""
DEFINITIONS = ("podmonitors", "servicemonitors", "prometheusrules")
OVERLAY = PROJECT / "deploy/kustomize/overlays/kubeadm"
CHART = PROJECT / "deploy/helm/kube-pki-exporter"


def build_image(settings: Settings) -> Path:
    """Build the image on a Debian base made by debootstrap; return its archive."""
    archive = settings.cache / "exporter.tar"
    environment = os.environ | {"ARCHIVE": str(archive)}
    done = subprocess.run(
        (str(PROJECT / "deploy/image/build"), f"{IMAGE}:{TAG}", "debootstrap"),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=1200,
    )
    if done.returncode:
        message = f"building the image failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        raise RuntimeError(message)
    return archive


def _module_folder(settings: Settings) -> Path:
    told = subprocess.run(
        ("go", "mod", "download", "-json", OPERATOR),
        cwd=settings.cache,
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    ).stdout
    return Path(json.loads(told)["Dir"])


def define_operator_resources(cluster: Cluster) -> None:
    """Apply the Prometheus operator's real resource definitions; the operator itself is not there."""
    folder = _module_folder(cluster.settings) / "example/prometheus-operator-crd"
    files = [folder / f"monitoring.coreos.com_{name}.yaml" for name in DEFINITIONS]
    # Too large for the annotation of a client-side apply.
    cluster.kubectl("apply", "--server-side", *(part for path in files for part in ("-f", str(path))))
    for name in DEFINITIONS:
        cluster.kubectl(
            "wait", "--for=condition=Established", f"crd/{name}.monitoring.coreos.com", "--timeout=60s"
        )


def install_by_kustomize(cluster: Cluster) -> None:
    """Apply the shipped overlay, in which nothing but the image's name is changed."""
    folder = cluster.settings.home / "kustomize"
    folder.mkdir(parents=True, exist_ok=True)
    overlay = os.path.relpath(OVERLAY, folder.resolve())
    image = {"name": "kube-pki-exporter", "newName": IMAGE, "newTag": TAG}
    written = json.dumps({"resources": [overlay], "images": [image]})
    (folder / "kustomization.yaml").write_text(written)
    cluster.kubectl("apply", "-k", str(folder))
    await_pods(cluster)


def uninstall_by_kustomize(cluster: Cluster) -> None:
    """Delete what the overlay made."""
    cluster.kubectl("delete", "-k", str(cluster.settings.home / "kustomize"), "--timeout=60s")


def install_by_helm(cluster: Cluster) -> None:
    """Install the shipped chart for kubeadm with its defaults but for the image."""
    first = cluster.first
    command = (
        *(
            require_helm(),
            "install",
            "kube-pki-exporter",
            str(CHART),
            "--namespace",
            "kube-pki-exporter",
        ),
        *("--create-namespace", "--set", "distribution=kubeadm"),
        *("--set", f"image.repository={IMAGE}", "--set", f"image.tag={TAG}"),
        *("--kubeconfig", str(first.own("/etc/kubernetes/admin.conf"))),
    )
    entered = ("nsenter", f"--net=/run/netns/{first.namespace}", *command)
    done = subprocess.run(entered, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        message = f"helm install failed:\n{done.stdout}{done.stderr}"
        raise RuntimeError(message)
    await_pods(cluster)


def await_pods(cluster: Cluster) -> None:
    """Wait until every node's exporter is ready and no other is left."""

    def ready() -> bool:
        pods = cluster.objects(
            "pods", "-n", "kube-pki-exporter", "-l", "app.kubernetes.io/name=kube-pki-exporter"
        )
        states = [
            condition["status"]
            for pod in pods
            for condition in pod["status"].get("conditions", ())
            if condition["type"] == "Ready" and "deletionTimestamp" not in pod["metadata"]
        ]
        return states == ["True"] * len(cluster.nodes) and len(pods) == len(cluster.nodes)

    wait_for("the exporter on every node", ready, seconds=120, every=0.5)
