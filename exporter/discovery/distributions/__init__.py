"""The table of distributions: how each is told, and what it does its own way.

A new distribution is a row here, made of the fields of ``Layout``, and a tree in ``tests/nodes``.
"""

from collections.abc import Callable
from typing import Final

from exporter.discovery.distributions.kubeadm import KIND, KUBEADM, MINIKUBE
from exporter.discovery.distributions.layout import Convention, DefaultCommand, Layout, moved
from exporter.discovery.distributions.managed import AKS, BOTTLEROCKET, EKS, GKE, UNKNOWN
from exporter.discovery.distributions.operated import KOPS, OPENSHIFT, TALOS
from exporter.discovery.distributions.packaged import K0S, MICROK8S
from exporter.discovery.distributions.rancher import K3S, RKE2

__all__ = ["KNOWN_DIRECTORIES", "LAYOUTS", "Convention", "DefaultCommand", "Layout", "detect", "moved"]

LAYOUTS: Final = (
    RKE2,
    K3S,
    K0S,
    MICROK8S,
    MINIKUBE,
    KIND,
    TALOS,
    OPENSHIFT,
    KOPS,
    BOTTLEROCKET,
    EKS,
    AKS,
    GKE,
    KUBEADM,
)
"""In the order in which they are asked: what is built on kubeadm before kubeadm."""

KNOWN_DIRECTORIES: Final = tuple(
    sorted({directory for layout in (*LAYOUTS, UNKNOWN) for directory in layout.directories})
)
"""The PKI directories of all distributions."""


def detect(exists: Callable[[str], bool], programs: frozenset[str]) -> Layout:
    """Tell the distribution by what runs, else by the files it leaves.

    Where a kubelet runs without it, a distribution with a program of its own is only left over.
    """
    for layout in LAYOUTS:
        if layout.programs & programs:
            return layout
    possible = [layout for layout in LAYOUTS if not (layout.programs and "kubelet" in programs)]
    for layout in possible:
        if any(exists(mark) for mark in layout.marks):
            return layout
    return next((layout for layout in possible if any(map(exists, layout.hints))), UNKNOWN)
