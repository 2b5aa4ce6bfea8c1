"""Nodes that were not recorded, laid out as their sources say: healthy ones raise nothing (CHECKS 1)."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.demo.pki import Issued, make_ca, make_leaf
from exporter.model import Distribution, State
from tests.scenarios.tree import KUBELET_PKI, NOW, Tree, Watcher

DATED = f"{KUBELET_PKI}/kubelet-client-2026-11-24-07-00-00.pem"
CURRENT = f"{KUBELET_PKI}/kubelet-client-current.pem"
KOPS = "/srv/kubernetes"
TALOS = "/system/secrets/kubernetes"
API = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "api.example", "127.0.0.1")


def kubelet_pair(tree: Tree, ca: Issued) -> None:
    """What a kubelet has after its first CSR."""
    leaf = make_leaf(ca, "system:node:n1", now=NOW, organizations=("system:nodes",), usages=("clientAuth",))
    tree.write(DATED, leaf.pem + leaf.key_pem)
    tree.at(CURRENT).symlink_to(DATED)


def kubeconfig(authority: str, user: str) -> str:
    """A kubeconfig that names its CA's file."""
    return (
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "clusters:\n- name: c\n  cluster:\n    server: https://api.example:443\n"
        f"    certificate-authority: {authority}\n"
        f"users: [{{name: kubelet, user: {user}}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: kubelet}}]\n"
    )


def pair(tree: Tree, stem: str, issued: Issued, *above: Issued, owner: int = 0, mode: int = 0o600) -> None:
    """A certificate, with its chain, and its key."""
    tree.write(f"{stem}.crt", issued.pem + b"".join(ca.pem for ca in above), 0o644)
    tree.write(f"{stem}.key", issued.key_pem, mode)
    os.chown(tree.at(f"{stem}.key"), owner, 0)


def eks(tree: Tree) -> None:
    """EKS: a kubeconfig for all to read that holds no secret (``nodeadm/internal/kubelet``)."""
    ca = make_ca(now=NOW)
    tree.write("/etc/eks/image-credential-provider/config.json", "{}", 0o644)
    tree.write("/etc/kubernetes/pki/ca.crt", ca.pem, 0o644)
    tree.write(
        "/var/lib/kubelet/kubeconfig",
        kubeconfig("/etc/kubernetes/pki/ca.crt", "{exec: {command: aws}}"),
        0o644,
    )
    tree.write(
        "/etc/kubernetes/kubelet/config.json",
        '{"kind": "KubeletConfiguration", "apiVersion": "kubelet.config.k8s.io/v1beta1",'
        ' "serverTLSBootstrap": true,'
        ' "authentication": {"x509": {"clientCAFile": "/etc/kubernetes/pki/ca.crt"}}}',
        0o644,
    )
    leaf = make_leaf(ca, "system:node:n1", now=NOW, organizations=("system:nodes",), sans=("n1",))
    dated = f"{KUBELET_PKI}/kubelet-server-2026-11-24-07-00-00.pem"
    tree.write(dated, leaf.pem + leaf.key_pem)
    tree.at(f"{KUBELET_PKI}/kubelet-server-current.pem").symlink_to(dated)


def aks(tree: Tree) -> None:
    """AKS: both kubeconfigs stay, readable by all, and the serving pair signs itself (AgentBaker)."""
    ca = make_ca("ca", now=NOW)
    own = make_ca("n1", now=NOW)
    tree.write("/etc/kubernetes/azure.json", "{}")
    tree.write("/etc/kubernetes/certs/ca.crt", ca.pem, 0o600)
    pair(tree, "/etc/kubernetes/certs/kubeletserver", own)
    kubelet_pair(tree, ca)
    names = f"{{client-certificate: {CURRENT}, client-key: {CURRENT}}}"
    tree.write("/var/lib/kubelet/kubeconfig", kubeconfig("/etc/kubernetes/certs/ca.crt", names), 0o644)
    tree.write(
        "/var/lib/kubelet/bootstrap-kubeconfig",
        kubeconfig("/etc/kubernetes/certs/ca.crt", "{token: abcdef.0123456789abcdef}"),
        0o644,
    )


def kops(tree: Tree) -> None:
    """kOps: a bundle of CAs, leaves with their CA behind them, a controller's user of its own."""
    ca, older = make_ca("kubernetes-ca", now=NOW), make_ca("kubernetes-ca", now=NOW)
    for cluster in ("main", "events", "leases", "cilium"):
        clients = make_ca("etcd-clients-ca", now=NOW)
        pair(tree, f"/etc/kubernetes/pki/etcd-manager-{cluster}/etcd-clients-ca", clients)
        for name in ("etcd-manager-ca", "etcd-peers-ca"):
            pair(tree, f"/etc/kubernetes/pki/etcd-manager-{cluster}/{name}", make_ca(name, now=NOW))
    tree.write("/etc/kubernetes/pki/cilium/etcd-ca.crt", clients.pem, 0o644)
    pair(tree, "/etc/kubernetes/pki/cilium/etcd-client-cilium", make_leaf(clients, "cilium", now=NOW))
    tree.write(f"{KOPS}/ca.crt", older.pem + ca.pem, 0o644)
    server = make_leaf(ca, "kubernetes-master", now=NOW, sans=API)
    pair(tree, f"{KOPS}/kube-apiserver/server", server, ca)
    client = make_leaf(ca, "kubelet-api", now=NOW, usages=("clientAuth",))
    pair(tree, f"{KOPS}/kube-apiserver/kubelet-api", client)
    pair(tree, f"{KOPS}/kubelet-server", make_leaf(ca, "n1", now=NOW, sans=("n1",)), mode=0o400)
    controller = make_leaf(ca, "kops-controller", now=NOW, sans=("kops-controller.internal",))
    stem = "/etc/kubernetes/kops-controller/kops-controller"
    pair(tree, stem, controller, owner=10_011)
    os.chown(tree.at("/etc/kubernetes/kops-controller"), 10_011, 0)
    tree.write(
        "/etc/kubernetes/manifests/kube-apiserver.manifest",
        "kind: Pod\nspec:\n  containers:\n  - command: [/usr/local/bin/kube-apiserver,"
        f" --client-ca-file={KOPS}/ca.crt, --tls-cert-file={KOPS}/kube-apiserver/server.crt,"
        f" --tls-private-key-file={KOPS}/kube-apiserver/server.key,"
        f" --kubelet-client-certificate={KOPS}/kube-apiserver/kubelet-api.crt,"
        f" --kubelet-client-key={KOPS}/kube-apiserver/kubelet-api.key]\n"
        f"    volumeMounts: [{{mountPath: {KOPS}, name: s}}]\n"
        f"  volumes: [{{name: s, hostPath: {{path: {KOPS}}}}}]\n",
    )


def talos(tree: Tree) -> None:
    """Talos: component users far above a system's, keys that only those read, leaves with their CA."""
    ca, etcd_ca, front = (make_ca(cn, now=NOW) for cn in ("kubernetes", "etcd", "front-proxy"))
    server = f"{TALOS}/kube-apiserver"
    for name, issued, above in (
        ("apiserver", make_leaf(ca, now=NOW, organizations=("kube-master",), sans=API), (ca,)),
        (
            "apiserver-kubelet-client",
            make_leaf(
                ca,
                "apiserver-kubelet-client",
                now=NOW,
                organizations=("system:masters",),
                usages=("clientAuth",),
            ),
            (),
        ),
        ("front-proxy-client", make_leaf(front, "front-proxy-client", now=NOW, usages=("clientAuth",)), ()),
        ("etcd-client", make_leaf(etcd_ca, "kube-apiserver", now=NOW, usages=("clientAuth",)), ()),
    ):
        pair(tree, f"{server}/{name}", issued, *above, owner=65_534, mode=0o400)
    for name, authority in (("ca", ca), ("etcd-client-ca", etcd_ca), ("aggregator-ca", front)):
        tree.write(f"{server}/{name}.crt", authority.pem, 0o400)
        os.chown(tree.at(f"{server}/{name}.crt"), 65_534, 0)
    os.chown(tree.at(server), 65_534, 0)
    both = ("serverAuth", "clientAuth")
    for name in ("server", "peer"):
        leaf = make_leaf(etcd_ca, "n1", now=NOW, usages=both, sans=("localhost", "127.0.0.1"))
        pair(tree, f"/system/secrets/etcd/{name}", leaf, owner=60, mode=0o400)
    tree.write("/system/secrets/etcd/ca.crt", etcd_ca.pem, 0o400)
    tree.write("/etc/kubernetes/pki/ca.crt", ca.pem, 0o400)
    kubelet_pair(tree, ca)
    user = f"{{client-certificate: {CURRENT}, client-key: {CURRENT}}}"
    tree.write("/etc/kubernetes/kubeconfig-kubelet", kubeconfig("/etc/kubernetes/pki/ca.crt", user))
    tree.write(
        "/etc/kubernetes/bootstrap-kubeconfig",
        kubeconfig("/etc/kubernetes/pki/ca.crt", "{token: abcdef.0123456789abcdef}"),
    )


def openshift(tree: Tree) -> None:
    """An OpenShift worker: a bundle of the clients' CAs, leaves of thirty days, the bootstrap kubeconfig."""
    signer, api = make_ca("kube-csr-signer_@1", now=NOW), make_ca("kube-apiserver-to-kubelet-signer", now=NOW)
    tree.write("/etc/kubernetes/kubelet-ca.crt", api.pem + signer.pem, 0o644)
    tree.write("/etc/kubernetes/ca.crt", make_ca("kube-apiserver-lb-signer", now=NOW).pem, 0o644)
    tree.write(
        "/etc/kubernetes/kubelet.conf",
        "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n"
        "rotateCertificates: true\nserverTLSBootstrap: true\n"
        "authentication: {x509: {clientCAFile: /etc/kubernetes/kubelet-ca.crt}}\n",
        0o644,
    )
    user = f"{{client-certificate: {CURRENT}, client-key: {CURRENT}}}"
    tree.write("/var/lib/kubelet/kubeconfig", kubeconfig("/etc/kubernetes/ca.crt", user))
    token = "{token: abcdef.0123456789abcdef}"
    tree.write("/etc/kubernetes/kubeconfig", kubeconfig("/etc/kubernetes/ca.crt", token))
    kubelet_pair(tree, signer)


@pytest.mark.parametrize(
    ("build", "distribution"),
    [
        (eks, Distribution.EKS),
        (aks, Distribution.AKS),
        (kops, Distribution.KOPS),
        (talos, Distribution.TALOS),
        (openshift, Distribution.OPENSHIFT),
    ],
)
def test_a_healthy_node_raises_nothing(
    tmp_path: Path, build: Callable[[Tree], None], distribution: Distribution
) -> None:
    """What a distribution does on purpose is no defect there."""
    build(Tree(tmp_path))

    seen = Watcher(tmp_path).look_twice()

    assert seen.inventory.node.distribution is distribution
    assert (seen.findings, seen.failures) == (frozenset(), frozenset())
    assert seen.inventory.occurrences


def test_kops_uses_the_certificates_of_all_its_etcd_clusters(tmp_path: Path) -> None:
    """Leases and Cilium may have clusters of their own; a file that nobody laid there is of none."""
    tree = Tree(tmp_path)
    kops(tree)
    stray = "/etc/kubernetes/pki/etcd-manager-other/etcd-clients-ca.crt"
    tree.write(stray, make_ca("etcd-clients-ca", now=NOW).pem, 0o644)

    occurrences = Watcher(tmp_path).look_twice().inventory.occurrences

    assert [found.place.path for found in occurrences if found.state is not State.IN_USE] == [stray]


def test_what_all_may_read_on_aks_they_may_not_write(tmp_path: Path) -> None:
    """AgentBaker makes the bootstrap kubeconfig 0644; what lets others write it is a defect there too."""
    tree = Tree(tmp_path)
    aks(tree)
    path = "/var/lib/kubelet/bootstrap-kubeconfig"
    tree.at(path).chmod(0o646)

    assert Watcher(tmp_path).look_twice().findings == {("mode_loose", path, "")}
