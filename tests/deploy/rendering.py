"""What kustomize and Helm make of the shipped files."""

import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.tools import require_helm, require_tool

PROJECT = Path(__file__).parents[2]
OVERLAYS = PROJECT / "deploy/kustomize/overlays"
CHART = PROJECT / "deploy/helm/kube-pki-exporter"
SHAPES: Mapping[str, Mapping[str, Any]] = yaml.safe_load(
    (PROJECT / "deploy/node-shapes.yaml").read_text(encoding="utf-8")
)

Object = dict[str, Any]


def overlays() -> list[str]:
    """List every overlay, as its path below ``overlays/``."""
    found = (path.parent.relative_to(OVERLAYS) for path in OVERLAYS.rglob("kustomization.yaml"))
    return sorted(map(str, found))


def run(*command: str) -> str:
    """Run a renderer and hand back what it wrote; its complaint becomes the failure."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def objects(text: str) -> list[Object]:
    """Read the objects of a rendered stream."""
    return [found for found in yaml.safe_load_all(text) if found]


@cache
def kustomized(overlay: str) -> list[Object]:
    """Render an overlay; the result is shared, so do not change it."""
    kubectl = require_tool("kubectl", "kubernetes-client")
    return objects(run(kubectl, "kustomize", str(OVERLAYS / overlay)))


def templated(*settings: str) -> list[Object]:
    """Render the chart with ``--set`` arguments."""
    return list(_templated(settings))


@cache
def _templated(settings: Sequence[str]) -> list[Object]:
    values = [argument for setting in settings for argument in ("--set", setting)]
    command = (
        require_helm(),
        "template",
        "kube-pki-exporter",
        str(CHART),
        "--namespace",
        "kube-pki-exporter",
    )
    return objects(run(*command, *values))


def rendered(variant: str) -> list[Object]:
    """Render a variant: ``kustomize:OVERLAY`` or ``helm:SETTING,SETTING``."""
    tool, _, arguments = variant.partition(":")
    return kustomized(arguments) if tool == "kustomize" else templated(*arguments.split(","))


VARIANTS = (
    *(f"kustomize:{overlay}" for overlay in overlays()),
    *(f"helm:distribution={distribution}" for distribution in SHAPES),
    "helm:extraPaths[0].path=/etc/ssl/etcd/ssl,extraPaths[0].watch=/etc/ssl/etcd/ssl/*.pem",
    "helm:webConfig.secretName=web,webConfig.scheme=https,monitoring=serviceMonitor",
)


def of_kind(found: Sequence[Object], kind: str) -> list[Object]:
    """Pick the objects of a kind."""
    return [each for each in found if each["kind"] == kind]


def pod_of(daemonset: Object) -> Object:
    """Return the pod's specification."""
    spec: Object = daemonset["spec"]["template"]["spec"]
    return spec


def container_of(daemonset: Object) -> Object:
    """Return the only container."""
    (container,) = pod_of(daemonset)["containers"]
    found: Object = container
    return found
