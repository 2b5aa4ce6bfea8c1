"""What discovery finds on each recorded node, reference by reference."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from exporter.model import Distribution, Mount, NodeType, Origin, Process, Requirement
from tests.discovery.looking import files_of, look, table

TABLES = Path(__file__).parent / "references"
RECORDED = sorted(path.stem for path in TABLES.glob("*.txt"))
Unpack = Callable[[str], Path]

MINIKUBE_NEVER_STARTED = {
    "/etc/kubernetes/bootstrap-kubelet.conf",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    "/var/lib/kubelet/pki/kubelet.crt",
    "/var/lib/kubelet/pki/kubelet.key",
}
JOINED = {"/etc/kubernetes/bootstrap-kubelet.conf"}
ABSENT = {
    "k0s-1.36.3": set[str](),
    "k3s-1.36.3": set[str](),
    "kubeadm-1.36-control-plane": JOINED,
    "kubeadm-1.36-worker": JOINED,
    "microk8s-1.36": set[str](),
    "minikube-1.38.1": MINIKUBE_NEVER_STARTED,
}
UNREFERENCED = {
    "k0s-1.36.3": {
        *(f"/var/lib/k0s/pki/{name}.{kind}" for name in ("admin", "ccm") for kind in ("crt", "key")),
        *(
            f"/var/lib/k0s/pki/{name}.{kind}"
            for name in ("konnectivity", "scheduler")
            for kind in ("crt", "key")
        ),
    },
    "k3s-1.36.3": {
        *(
            f"/var/lib/rancher/k3s/server/tls/{name}.key"
            for name in ("client-k3s-controller", "client-kube-proxy", "client-kubelet", "serving-kubelet")
        ),
        "/var/lib/rancher/k3s/server/tls/temporary-certs/apiserver-loopback-client__.crt",
        "/var/lib/rancher/k3s/server/tls/temporary-certs/apiserver-loopback-client__.key",
    },
    "kubeadm-1.36-control-plane": {
        "/var/lib/kubelet/pki/kubelet-client-2026-11-24-07-40-46.pem",
        "/var/lib/kubelet/pki/kubelet-server-2026-11-24-07-41-05.pem",
    },
    "kubeadm-1.36-worker": {
        "/var/lib/kubelet/pki/kubelet-client-2026-11-24-07-41-03.pem",
        "/var/lib/kubelet/pki/kubelet-server-2026-11-24-07-41-05.pem",
    },
    "microk8s-1.36": {
        f"/var/snap/microk8s/current/certs/{name}.{kind}"
        for name in ("client", "controller", "proxy", "scheduler")
        for kind in ("crt", "key")
    },
    "minikube-1.38.1": {
        f"/var/lib/minikube/certs/proxy-client{name}" for name in (".crt", ".key", "-ca.crt")
    },
}
"""What the searches find although nothing names it; the kubelet's links lead to the dated pairs."""


@pytest.mark.parametrize("recorded", RECORDED)
def test_every_reference_is_found_by_name(recorded: str, unpacked: Unpack) -> None:
    """Component, setting, part, role, path, origin and requirement of every reference are as written down."""
    expected = (TABLES / f"{recorded}.txt").read_text().splitlines()
    assert table(look(unpacked(recorded)).references) == expected


@pytest.mark.parametrize("recorded", RECORDED)
def test_nothing_required_is_missing(recorded: str, unpacked: Unpack) -> None:
    """On a healthy node only what may be absent is absent, and each of those files is known by name."""
    root = unpacked(recorded)
    found = look(root)
    files = files_of(root)
    absent = {
        reference.path: reference.requirement
        for reference in found.references
        if not files.file(reference.path).exists
    }
    assert absent.keys() == ABSENT[recorded]
    assert Requirement.REQUIRED not in absent.values()
    assert found.failures == ()


@pytest.mark.parametrize("recorded", RECORDED)
def test_the_searches_find_the_rest(recorded: str, unpacked: Unpack) -> None:
    """Of all files with a certificate or key, those that nothing names are the ones known to be left over."""
    root = unpacked(recorded)
    found = look(root)
    files = files_of(root)
    named = {reference.path for reference in found.references}
    seen = {path for search in found.searches for path in files.match(search)}
    holding = {
        path
        for path in seen
        if (content := files.file(path).content).certificates or content.keys or content.kubeconfig
    }
    assert holding - named == UNREFERENCED[recorded]


@pytest.mark.parametrize(
    ("recorded", "distribution", "node_type", "name"),
    [
        ("k0s-1.36.3", Distribution.K0S, NodeType.CONTROL_PLANE, "ctrl-fra-1"),
        ("k3s-1.36.3", Distribution.K3S, NodeType.CONTROL_PLANE, "srv-zrh-1"),
        ("kubeadm-1.36-control-plane", Distribution.KUBEADM, NodeType.CONTROL_PLANE, ""),
        ("kubeadm-1.36-worker", Distribution.KUBEADM, NodeType.WORKER, ""),
        ("microk8s-1.36", Distribution.MICROK8S, NodeType.CONTROL_PLANE, "worker-emea-01"),
        ("minikube-1.38.1", Distribution.MINIKUBE, NodeType.CONTROL_PLANE, "minikube"),
    ],
)
def test_the_node_is_known(
    recorded: str, distribution: Distribution, node_type: NodeType, name: str, unpacked: Unpack
) -> None:
    """The distribution, the type and the name of each node come from its files alone."""
    node = look(unpacked(recorded)).node
    assert (node.distribution, node.type, node.name) == (distribution, node_type, name)


def test_the_kubelet_of_kubeadm_is_known(unpacked: Unpack) -> None:
    """The effective settings come with where they stand."""
    settings = look(unpacked("kubeadm-1.36-worker")).node.kubelet
    assert settings.rotate_certificates is True
    assert settings.rotate_certificates_origin is Origin.KUBELET_CONFIG
    assert settings.server_tls_bootstrap is True
    assert settings.certificate_directory == "/var/lib/kubelet/pki"
    assert settings.kubeconfig == "/etc/kubernetes/kubelet.conf"
    assert settings.bootstrap_kubeconfig == "/etc/kubernetes/bootstrap-kubelet.conf"
    assert settings.static_pod_path == "/etc/kubernetes/manifests"


NAMES = {
    "k0s-1.36.3": {"localhost"},
    "k3s-1.36.3": {"127.0.0.1", "kubernetes.default.svc.cluster.local"},
    "kubeadm-1.36-control-plane": {"10.80.0.11", "10.96.0.1", "kubernetes.default.svc.cluster.local"},
    "kubeadm-1.36-worker": set[str](),
    "microk8s-1.36": {"127.0.0.1", "10.152.183.1"},
    "minikube-1.38.1": {
        "control-plane.minikube.internal",
        "kubernetes.default.svc.cluster.local",
        *("localhost", "127.0.0.1", "192.168.49.2", "10.96.0.1"),
    },
}


@pytest.mark.parametrize("recorded", RECORDED)
def test_the_names_of_the_api_server_are_those_its_certificate_has(recorded: str, unpacked: Unpack) -> None:
    """What the configuration asks of the certificate is known, and a healthy node's certificate covers it."""
    root = unpacked(recorded)
    found = look(root)
    service = {"kubernetes", "kubernetes.default", "kubernetes.default.svc"} if NAMES[recorded] else set()
    assert set(found.node.api_names) == NAMES[recorded] | service
    serving = [
        reference.path
        for reference in found.references
        if (reference.component, reference.setting) == ("kube-apiserver", "tls-cert-file")
    ]
    for path in serving:
        leaf = files_of(root).file(path).content.certificates[0].certificate
        assert set(found.node.api_names) <= {name.value for name in leaf.sans}


@pytest.mark.parametrize("recorded", RECORDED)
def test_the_names_of_etcd_are_those_its_certificates_have(recorded: str, unpacked: Unpack) -> None:
    """Every listening and advertised name is in the certificate of a healthy etcd."""
    root = unpacked(recorded)
    found = look(root)
    for setting, names in (
        ("cert-file", found.node.etcd_names),
        ("peer-cert-file", found.node.etcd_peer_names),
    ):
        for reference in found.references:
            if (reference.component, reference.setting) == ("etcd", setting):
                leaf = files_of(root).file(reference.path).content.certificates[0].certificate
                assert set(names) <= {name.value for name in leaf.sans}


@pytest.mark.parametrize(
    ("recorded", "path"),
    [
        ("kubeadm-1.36-control-plane", "/etc/kubernetes/manifests/etcd.yaml"),
        ("k3s-1.36.3", "/var/lib/rancher/k3s/server/db/etcd/config"),
        ("k0s-1.36.3", ""),
    ],
)
def test_what_configures_etcd_is_known(recorded: str, path: str, unpacked: Unpack) -> None:
    """The manifest, or the file that it names; nothing where only a convention tells."""
    assert look(unpacked(recorded)).node.etcd_path == path


def test_running_components_confirm_their_manifests(unpacked: Unpack) -> None:
    """On a running kubeadm control plane the same files are found, with the processes as evidence."""
    root = unpacked("kubeadm-1.36-control-plane")
    disk = Mount(device="8:1", root="/", point="/")
    own = Process(pid=9, uid=0, arguments=("python",), cgroup="/", mounts=(disk,), started=None, is_own=True)
    flags = ("bootstrap-kubelet.conf", "kubelet.conf")
    words = [
        f"--{name}=/etc/kubernetes/{file}"
        for name, file in zip(("bootstrap-kubeconfig", "kubeconfig"), flags, strict=True)
    ]
    kubelet = Process(
        pid=10,
        uid=0,
        arguments=("/usr/bin/kubelet", *words, "--config=/var/lib/kubelet/config.yaml"),
        cgroup="/system.slice/kubelet.service",
        mounts=(disk,),
        started=None,
    )
    pods = []
    for number, manifest in enumerate(sorted((root / "etc/kubernetes/manifests").iterdir())):
        pod = yaml.safe_load(manifest.read_text())
        container = pod["spec"]["containers"][0]
        sources = {volume["name"]: volume["hostPath"]["path"] for volume in pod["spec"]["volumes"]}
        mounts = tuple(
            Mount(device="8:1", root=sources[mount["name"]], point=mount["mountPath"])
            for mount in container["volumeMounts"]
        )
        pods.append(
            Process(
                pid=100 + number,
                uid=0,
                arguments=tuple(container["command"]),
                cgroup=f"/kubepods/burstable/pod{number:032x}/{number:064x}",
                mounts=(Mount(device="0:50", root="/", point="/"), *mounts),
                started=float(number),
            )
        )
    without, found = look(root), look(root, (own, kubelet, *pods))
    assert found.node.processes_ignored == {}
    assert set(found.node.component_starts) == {
        *("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
    }
    expected = [
        line.replace(" manifest ", " process ").replace(
            "kubelet.conf convention optional", "kubelet.conf process required"
        )
        for line in table(without.references)
    ]
    expected = [
        line.replace("convention", "process") if "bootstrap-kubeconfig" in line else line for line in expected
    ]
    assert table(found.references) == [
        line.replace("bootstrap-kubelet.conf process required", "bootstrap-kubelet.conf process optional")
        for line in expected
    ]
    assert found.node.listeners == tuple(
        replace(item, origin=Origin.PROCESS) for item in without.node.listeners
    )


def test_without_proc_the_processes_are_not_known(unpacked: Unpack) -> None:
    """Without them the files tell as much as with a /proc that shows none."""
    root = unpacked("kubeadm-1.36-worker")
    without, with_none = look(root, None), look(root, ())
    assert without.references == with_none.references
