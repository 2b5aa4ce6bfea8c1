"""The rotation of the cluster CA in its ten steps, forgotten steps, and renewal with the same key.

Step 3, the restart of what runs in Pods, leaves no trace in a node's files.
"""

import base64
import re

from exporter.demo.pki import Issued, make_ca, make_leaf
from tests.scenarios.certificates import CP, K3S, TLS, WORKER
from tests.scenarios.kubelets import ADMIN, CLIENT, CONFIG, KUBECONFIG, SERVER
from tests.scenarios.tree import KUBELET_PKI, NOW, PKI, Scenario, Tree, new_ca, renewed, replaced, scenario

CONFS = ("admin.conf", "super-admin.conf", "controller-manager.conf", "scheduler.conf", "kubelet.conf")
USERS = {
    "admin.conf": ("kubernetes-admin", ("kubeadm:cluster-admins",)),
    "super-admin.conf": ("kubernetes-super-admin", ("system:masters",)),
    "controller-manager.conf": ("system:kube-controller-manager", ()),
    "scheduler.conf": ("system:kube-scheduler", ()),
}
_SIGNING = {"crt": "cert", "key": "key"}
AGENTS_CA = "/var/lib/rancher/k3s/agent/server-ca.crt"
NEW, BUNDLE = f"{PKI}/ca-new", f"{PKI}/ca-bundle.crt"


def new_authority(tree: Tree) -> Issued:
    """Step 0: make a CA of the same name with a new key, and lay it beside the old one."""
    ca = replaced(tree.authority())
    tree.write(f"{NEW}.key", ca.key_pem)
    tree.write(f"{NEW}.crt", ca.pem, 0o644)
    tree.write(BUNDLE, tree.read(f"{PKI}/ca.crt") + ca.pem, 0o644)
    return ca


def trust_both_in_controller_manager(tree: Tree) -> None:
    """Step 1: publish both CAs."""
    new_authority(tree)
    tree.flag("kube-controller-manager", "root-ca-file", BUNDLE)


def trust_both_in_apiserver(tree: Tree) -> None:
    """Step 2: accept clients of both CAs."""
    trust_both_in_controller_manager(tree)
    tree.flag("kube-apiserver", "client-ca-file", BUNDLE)
    tree.flag("kube-controller-manager", "client-ca-file", BUNDLE)


def trust_both_in_kubeconfigs(tree: Tree, *names: str) -> None:
    """Steps 4 to 6: let kubeconfigs trust both CAs."""
    data = base64.b64encode(tree.read(BUNDLE)).decode()
    for name in names or CONFS:
        tree.edit(
            f"/etc/kubernetes/{name}",
            r"certificate-authority-data: .*",
            f"certificate-authority-data: {data}",
        )


def trust_both_in_components(tree: Tree) -> None:
    """Step 4: let the scheduler and the controller manager trust both."""
    trust_both_in_apiserver(tree)
    trust_both_in_kubeconfigs(tree, "controller-manager.conf", "scheduler.conf")


def trust_both_in_administrators(tree: Tree) -> None:
    """Step 5: let people trust both."""
    trust_both_in_components(tree)
    trust_both_in_kubeconfigs(tree, "admin.conf", "super-admin.conf")


def trust_both(tree: Tree) -> Issued:
    """Up to step 6: everybody trusts both CAs, nothing is signed by the new one."""
    trust_both_in_apiserver(tree)
    trust_both_in_kubeconfigs(tree)
    tree.edit("/var/lib/kubelet/config.yaml", f"clientCAFile: {PKI}/ca.crt", f"clientCAFile: {BUNDLE}")
    return tree.authority(NEW)


def sign_leaves(tree: Tree) -> Issued:
    """Step 7: sign the leaves and the kubeconfigs' certificates with the new CA, and CSRs from now on."""
    ca = trust_both(tree)
    for leaf in ("apiserver", "apiserver-kubelet-client"):
        tree.reissue(f"{PKI}/{leaf}", ca)
    for name, (user, groups) in USERS.items():
        issued = make_leaf(ca, user, now=NOW, organizations=groups, usages=("clientAuth",))
        for field, content in (("client-certificate", issued.pem), ("client-key", issued.key_pem)):
            data = base64.b64encode(content).decode()
            tree.edit(f"/etc/kubernetes/{name}", rf"{field}-data: .*", f"{field}-data: {data}")
    tree.flag("kube-controller-manager", "cluster-signing-cert-file", f"{NEW}.crt")
    tree.flag("kube-controller-manager", "cluster-signing-key-file", f"{NEW}.key")
    return ca


def sign_kubelet(tree: Tree, ca: Issued, node: str = "cp1") -> None:
    """Step 8: let the kubelet get certificates of the new CA."""
    for usage, link in (("client", CLIENT), ("server", SERVER)):
        leaf = make_leaf(
            ca,
            f"system:node:{node}",
            now=NOW,
            organizations=("system:nodes",),
            usages=(f"{usage}Auth",),
            sans=(node, "10.80.0.11" if node == "cp1" else "10.80.0.21") if usage == "server" else (),
        )
        name = f"{KUBELET_PKI}/kubelet-{usage}-2026-11-25-00-00-00.pem"
        tree.write(name, leaf.pem + leaf.key_pem)
        tree.at(link).unlink()
        tree.at(link).symlink_to(name)


def all_signed(tree: Tree) -> None:
    """Up to step 8."""
    sign_kubelet(tree, sign_leaves(tree))


def drop_old(tree: Tree) -> None:
    """Step 9: trust the new CA alone, everywhere."""
    all_signed(tree)
    _trust_only_new(tree)


def clear_away(tree: Tree) -> None:
    """Step 10: let the new CA take the old one's place, and remove what the rotation needed."""
    drop_old(tree)
    for suffix, mode in (("crt", 0o644), ("key", 0o600)):
        tree.write(f"{PKI}/ca.{suffix}", tree.read(f"{NEW}.{suffix}"), mode)
        tree.flag("kube-controller-manager", f"cluster-signing-{_SIGNING[suffix]}-file", f"{PKI}/ca.{suffix}")
        tree.at(f"{NEW}.{suffix}").unlink()
    for component in ("kube-apiserver", "kube-controller-manager"):
        tree.flag(component, "client-ca-file", f"{PKI}/ca.crt")
    tree.flag("kube-controller-manager", "root-ca-file", f"{PKI}/ca.crt")
    tree.edit("/var/lib/kubelet/config.yaml", f"clientCAFile: {BUNDLE}", f"clientCAFile: {PKI}/ca.crt")
    tree.at(BUNDLE).unlink()


def drop_old_too_early(tree: Tree) -> None:
    """Step 9 before step 8: the kubelet's client certificate is the old CA's."""
    sign_leaves(tree)
    _trust_only_new(tree)


def _trust_only_new(tree: Tree) -> None:
    tree.write(BUNDLE, tree.read(f"{NEW}.crt"), 0o644)
    trust_both_in_kubeconfigs(tree)


def forget_a_kubeconfig(tree: Tree) -> None:
    """Step 7 with a scheduler that was left out at step 4."""
    old = tree.read("/etc/kubernetes/scheduler.conf").decode()
    sign_leaves(tree)
    match = re.search(r"certificate-authority-data: .*", old)
    assert match
    tree.edit("/etc/kubernetes/scheduler.conf", r"certificate-authority-data: .*", match[0])


def name_authority(tree: Tree, path: str) -> None:
    """Let the kubelet's kubeconfig name its CA's file, from where it stands."""
    tree.edit(KUBECONFIG, r"certificate-authority-data: .*", f"certificate-authority: {path}")


def name_another(tree: Tree) -> None:
    """Name a file that a rotation left behind."""
    tree.write(f"{PKI}/ca-old.crt", replaced(tree.authority()).pem, 0o644)
    name_authority(tree, "pki/ca-old.crt")


def name_another_for_another_cluster(tree: Tree) -> None:
    """Name the file of another cluster's CA, which the administrator has besides."""
    tree.write(f"{PKI}/elsewhere.crt", replaced(tree.authority()).pem, 0o644)
    other = (
        f"clusters:\n- cluster:\n    certificate-authority: {PKI}/elsewhere.crt\n"
        "    server: https://elsewhere.example:6443\n  name: elsewhere"
    )
    tree.edit(ADMIN, r"^clusters:", other)


def agent_left_behind(tree: Tree) -> None:
    """Leave the agent of k3s with the CA that the server had before."""
    tree.write(AGENTS_CA, replaced(tree.authority(f"{TLS}/server-ca")).pem, 0o600)


def bundle_as_signer(tree: Tree) -> None:
    """Step 1b, the trap: make the one file that every flag names a bundle."""
    ca = new_authority(tree)
    tree.write(f"{PKI}/ca.crt", tree.read(f"{PKI}/ca.crt") + ca.pem, 0o644)


def renew_with_same_key(tree: Tree) -> None:
    """Extend the CA's life: a new certificate over the same key replaces the old."""
    tree.write(f"{PKI}/ca.crt", renewed(tree.authority()).pem, 0o644)


def worker_trusts_both(tree: Tree) -> None:
    """Step 6 on a worker."""
    ca = replaced_on_worker(tree)
    tree.write(f"{PKI}/ca.crt", tree.read(f"{PKI}/ca.crt") + ca.pem, 0o644)


def replaced_on_worker(tree: Tree) -> Issued:
    """A new CA of the cluster, whose key a worker never sees."""
    old = tree.certificate(f"{PKI}/ca.crt")
    return make_ca(old.subject, now=NOW)


def worker_left_behind(tree: Tree) -> None:
    """Step 9 on a worker whose kubelet still has the old CA's certificate."""
    _trust_alone_on_worker(tree, replaced_on_worker(tree))


def worker_rotated(tree: Tree) -> None:
    """Steps 8 and 9 on a worker: pairs of the new CA, which alone is trusted."""
    ca = replaced_on_worker(tree)
    sign_kubelet(tree, ca, "w1")
    _trust_alone_on_worker(tree, ca)


def _trust_alone_on_worker(tree: Tree, ca: Issued) -> None:
    tree.write(f"{PKI}/ca.crt", ca.pem, 0o644)
    data = base64.b64encode(ca.pem).decode()
    tree.edit(KUBECONFIG, r"certificate-authority-data: .*", f"certificate-authority-data: {data}")


def kubelet_with_clients_of_its_own(tree: Tree) -> None:
    """Let the kubelet verify its clients by a CA that signs nobody else, as the API server's client is."""
    tree.write(f"{PKI}/kubelet-client-ca.crt", new_ca("kubelet-clients").pem, 0o644)
    tree.edit(CONFIG, f"clientCAFile: {PKI}/ca.crt", f"clientCAFile: {PKI}/kubelet-client-ca.crt")


def publish_new_alone(tree: Tree) -> None:
    """Step 1 done wrong: every Pod is told to trust the CA that has signed nothing yet."""
    new_authority(tree)
    tree.flag("kube-controller-manager", "root-ca-file", f"{NEW}.crt")


def other_etcd_ca(tree: Tree) -> None:
    """Replace etcd's CA and forget its leaves."""
    tree.write(f"{PKI}/etcd/ca.crt", replaced(tree.authority(f"{PKI}/etcd/ca")).pem, 0o644)


SCENARIOS: tuple[Scenario, ...] = (
    scenario("rotation, step 0: a new CA lies beside", CP, new_authority),
    scenario("rotation, step 1: both published", CP, trust_both_in_controller_manager),
    scenario(
        "rotation, step 1b: the signer's file is a bundle",
        CP,
        bundle_as_signer,
        ("signer_bundle_ambiguous", f"{PKI}/ca.crt"),
    ),
    scenario(
        "rotation, step 1: the new one alone published",
        CP,
        publish_new_alone,
        ("issued_by_wrong_ca", f"{PKI}/apiserver.crt"),
    ),
    scenario("rotation, step 2: API server trusts both", CP, trust_both_in_apiserver),
    scenario("rotation, step 4: components trust both", CP, trust_both_in_components),
    scenario("rotation, step 5: administrators trust both", CP, trust_both_in_administrators),
    scenario("rotation, step 6: all trust both", CP, trust_both),
    scenario("rotation, step 7: leaves under the new CA", CP, sign_leaves),
    scenario("rotation, step 8: kubelet under the new CA", CP, all_signed),
    scenario("rotation, step 9: the old CA is gone", CP, drop_old),
    scenario("rotation, step 10: cleared away", CP, clear_away),
    scenario("rotation, steps 8 and 9 on a worker", WORKER, worker_rotated),
    scenario(
        "rotation, step 4 forgotten for the scheduler",
        CP,
        forget_a_kubeconfig,
        ("kubeconfig_ca_stale", "/etc/kubernetes/scheduler.conf", "cluster/kubernetes"),
    ),
    scenario("kubeconfig that names its CA", CP, lambda t: name_authority(t, "pki/ca.crt")),
    scenario(
        "kubeconfig that names a file that is not there",
        CP,
        lambda t: name_authority(t, "pki/ca-none.crt"),
        missing=frozenset({f"{PKI}/ca-none.crt"}),
    ),
    scenario(
        "kubeconfig that names another CA", CP, name_another, ("kubeconfig_ca_stale", f"{PKI}/ca-old.crt")
    ),
    scenario(
        "kubeconfig that names a file of its container",
        CP,
        lambda t: t.edit(
            "/etc/kubernetes/scheduler.conf",
            r"certificate-authority-data: .*",
            f"certificate-authority: {PKI}/front-proxy-ca.crt",
        ),
    ),
    scenario("kubeconfig that names another cluster's CA", CP, name_another_for_another_cluster),
    scenario("k3s agent left behind", K3S, agent_left_behind, ("kubeconfig_ca_stale", AGENTS_CA)),
    scenario("rotation, step 9 before step 8", CP, drop_old_too_early, ("issued_by_wrong_ca", CLIENT)),
    scenario("rotation, step 6 on a worker", WORKER, worker_trusts_both),
    scenario(
        "rotation, step 9 on a worker before step 8",
        WORKER,
        worker_left_behind,
        ("issuer_missing", CLIENT),
    ),
    scenario("kubelet with clients of its own on a worker", WORKER, kubelet_with_clients_of_its_own),
    scenario("CA renewed with its key", CP, renew_with_same_key),
    scenario(
        "etcd's CA replaced, its leaves not",
        CP,
        other_etcd_ca,
        ("issuer_missing", f"{PKI}/apiserver-etcd-client.crt"),
        ("issuer_missing", f"{PKI}/etcd/healthcheck-client.crt"),
        ("issuer_missing", f"{PKI}/etcd/peer.crt"),
        ("issuer_missing", f"{PKI}/etcd/server.crt"),
    ),
)
