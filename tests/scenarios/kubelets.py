"""What happens to a kubelet's certificates and to the kubeconfigs of a node."""

import base64
from datetime import datetime, timedelta
from posixpath import basename

from exporter.demo.pki import Issued, make_ca, make_leaf
from tests.scenarios.certificates import CP, K3S, WORKER
from tests.scenarios.tree import KUBELET_PKI, NOW, PKI, Mutation, Scenario, Tree, new_ca, scenario

CLIENT = f"{KUBELET_PKI}/kubelet-client-current.pem"
SERVER = f"{KUBELET_PKI}/kubelet-server-current.pem"
MOVED = "/data/kubelet"
CONFIG = "/var/lib/kubelet/config.yaml"
FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
KUBECONFIG = "/etc/kubernetes/kubelet.conf"
BOOTSTRAP = "/etc/kubernetes/bootstrap-kubelet.conf"
K3S_CLIENT = "/var/lib/rancher/k3s/agent/client-kubelet.crt"
ADMIN = "/etc/kubernetes/admin.conf"


def kubelet_leaf(*, node: str, signer: Issued, not_before: datetime | None = None) -> bytes:
    """A kubelet's client certificate with its key in one file."""
    leaf = make_leaf(
        signer,
        f"system:node:{node}",
        now=NOW,
        organizations=("system:nodes",),
        usages=("clientAuth",),
        not_before=not_before,
    )
    return leaf.pem + leaf.key_pem


def rotate(tree: Tree) -> None:
    """Write a new pair and move the link to it, as the kubelet does."""
    name = "kubelet-client-2026-11-25-00-00-00.pem"
    tree.write(f"{KUBELET_PKI}/{name}", kubelet_leaf(node="cp1", signer=tree.authority()))
    tree.at(CLIENT).unlink()
    tree.at(CLIENT).symlink_to(f"{KUBELET_PKI}/{name}")


def cut_pair(tree: Tree, length: int) -> None:
    """Leave so many octets of the key that follows the kubelet's certificate, as a full disk does."""
    path = str(tree.at(CLIENT).readlink())
    pair = tree.read(path)
    tree.write(path, pair[: pair.index(b"-----BEGIN EC") + length])


def leave_newer_pair(tree: Tree) -> None:
    """Write a new pair and stop there."""
    newer = kubelet_leaf(node="cp1", signer=tree.authority(), not_before=NOW + timedelta(hours=1))
    tree.write(f"{KUBELET_PKI}/kubelet-client-2026-11-25-00-00-00.pem", newer)


def move_pairs(tree: Tree) -> None:
    """Let the kubelet keep its pairs in another directory, with links as it makes them there."""
    tree.edit("/var/lib/kubelet/kubeadm-flags.env", r'"$', f' --cert-dir={MOVED}"')
    tree.at(MOVED).mkdir(parents=True)
    for pair in sorted(tree.at(KUBELET_PKI).iterdir()):
        if pair.is_symlink():
            tree.at(f"{MOVED}/{pair.name}").symlink_to(f"{MOVED}/{pair.readlink().name}")
            pair.unlink()
        else:
            pair.rename(tree.at(f"{MOVED}/{pair.name}"))
    tree.edit(KUBECONFIG, KUBELET_PKI, MOVED)


def leave_newer_pair_elsewhere(tree: Tree) -> None:
    """Write a new pair into the directory that the kubelet was given, and stop there."""
    move_pairs(tree)
    newer = kubelet_leaf(node="cp1", signer=tree.authority(), not_before=NOW + timedelta(hours=1))
    tree.write(f"{MOVED}/kubelet-client-2026-11-25-00-00-00.pem", newer)


def leave_newer_pair_among_many(tree: Tree) -> None:
    """Leave it beside serving pairs of later dates, as a kubelet has them whose client rotation is stuck."""
    leave_newer_pair(tree)
    for day in range(26, 30):
        name = SERVER.replace("current", f"2026-11-{day}-00-00-00")
        tree.write(
            name, kubelet_leaf(node="cp1", signer=tree.authority(), not_before=NOW - timedelta(days=9))
        )


def replace_link(tree: Tree) -> None:
    """Copy the pair over the link, as a restored backup does."""
    content = tree.at(CLIENT.replace("current", "2026-11-24-07-40-46")).read_bytes()
    tree.at(CLIENT).unlink()
    tree.write(CLIENT, content)


def embed(tree: Tree) -> None:
    """Put a certificate of its own into the kubelet's kubeconfig, as before ``kubelet-finalize``."""
    pair = kubelet_leaf(node="cp1", signer=tree.authority())
    certificate, key = (
        base64.b64encode(part).decode()
        for part in (pair[: pair.index(b"-----BEGIN EC")], pair[pair.index(b"-----BEGIN EC") :])
    )
    tree.edit(KUBECONFIG, r"client-certificate: .*", f"client-certificate-data: {certificate}")
    tree.edit(KUBECONFIG, r"client-key: .*", f"client-key-data: {key}")


def bootstrap(tree: Tree) -> None:
    """Leave the kubeconfig with the bootstrap token."""
    tree.write(
        BOOTSTRAP,
        "kind: Config\nclusters: [{name: c, cluster: {server: 'https://10.80.0.11:6443'}}]\n"
        "users: [{name: u, user: {token: abcdef.0123456789abcdef}}]\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n",
    )


def unmake(link: str) -> Mutation:
    """Take a link away with every pair that it led to, as before the first one."""

    def mutate(tree: Tree) -> None:
        for pair in tree.at(KUBELET_PKI).glob(basename(link).replace("current", "*")):
            pair.unlink()

    return mutate


def dangle(tree: Tree) -> None:
    """Take the pair away and leave the link."""
    for pair in tree.at(KUBELET_PKI).glob("kubelet-client-2*.pem"):
        pair.unlink()


def join(tree: Tree) -> None:
    """Go back to the middle of the join: a bootstrap kubeconfig alone."""
    unmake(CLIENT)(tree)
    unmake(SERVER)(tree)
    tree.at(KUBECONFIG).unlink()
    bootstrap(tree)


def own_serving_pair(tree: Tree) -> None:
    """Switch serverTLSBootstrap off; the kubelet has then made its own pair."""
    tree.edit(CONFIG, "serverTLSBootstrap: true\n", "")
    ca = make_leaf_ca()
    leaf = make_leaf(ca, "cp1@1795505000", now=NOW, sans=("cp1",))
    tree.write(f"{KUBELET_PKI}/kubelet.crt", leaf.pem + ca.pem, 0o644)
    tree.write(f"{KUBELET_PKI}/kubelet.key", leaf.key_pem)


def issued_serving_pair(tree: Tree) -> None:
    """Lay a pair of the cluster's CA where the kubelet would make its own."""
    own_serving_pair(tree)
    leaf = make_leaf(
        tree.authority(),
        "system:node:cp1",
        now=NOW,
        organizations=("system:nodes",),
        sans=("cp1", "10.80.0.11"),
    )
    tree.write(f"{KUBELET_PKI}/kubelet.crt", leaf.pem, 0o644)
    tree.write(f"{KUBELET_PKI}/kubelet.key", leaf.key_pem)


def verified(pair: Mutation) -> Mutation:
    """Let the API server verify kubelets, too, by the cluster's CA."""

    def mutate(tree: Tree) -> None:
        pair(tree)
        tree.flag("kube-apiserver", "kubelet-certificate-authority", f"{PKI}/ca.crt")

    return mutate


def make_leaf_ca() -> Issued:
    """The throwaway CA behind a kubelet's own serving pair."""
    return make_ca("cp1-ca@1795505000", now=NOW)


def groupless(tree: Tree) -> bytes:
    """A kubelet's pair that the node authorizer would not take for a node's."""
    leaf = make_leaf(tree.authority(), "system:node:cp1", now=NOW, usages=("clientAuth",))
    return leaf.pem + leaf.key_pem


def another_nodes(tree: Tree) -> None:
    """Put another node's certificate under the link, as a cloned machine has it."""
    tree.write("/etc/hostname", "cp1\n", 0o644)
    tree.write(
        CLIENT.replace("current", "2026-11-24-07-40-46"),
        kubelet_leaf(node="w9", signer=tree.authority()),
    )


def named_by_cloud(tree: Tree, address: str) -> None:
    """Let a cloud name the Node by its instance, which is no address of it (EKS)."""
    tree.write("/etc/hostname", "cp1\n", 0o644)
    tree.edit(FLAGS, "--node-ip", "--hostname-override=i-0123456789abcdef0 --node-ip")
    node, ca = "i-0123456789abcdef0", tree.authority()
    server = make_leaf(
        ca,
        f"system:node:{node}",
        now=NOW,
        organizations=("system:nodes",),
        sans=("cp1", address),
    )
    tree.write(SERVER.replace("current", "2026-11-24-07-41-05"), server.pem + server.key_pem)
    tree.write(CLIENT.replace("current", "2026-11-24-07-40-46"), kubelet_leaf(node=node, signer=ca))


def external_ca(tree: Tree) -> None:
    """Take the CA's key away, as with an external CA."""
    tree.at(f"{PKI}/ca.key").unlink()
    tree.flag("kube-controller-manager", "cluster-signing-cert-file", "")
    tree.flag("kube-controller-manager", "cluster-signing-key-file", "")


def demote(tree: Tree) -> None:
    """Take the static Pods away and leave the files, as a demoted control plane has them."""
    for manifest in tree.at("/etc/kubernetes/manifests").iterdir():
        manifest.unlink()


SCENARIOS: tuple[Scenario, ...] = (
    scenario("kubelet rotated", CP, rotate),
    scenario("pair cut before its key", WORKER, lambda t: cut_pair(t, 0), ("key_missing", CLIENT)),
    scenario("pair cut in its key", WORKER, lambda t: cut_pair(t, 90), ("key_missing", CLIENT)),
    scenario(
        "client key data that is no key",
        CP,
        lambda t: t.edit(ADMIN, r"client-key-data: .*", "client-key-data: Z2FyYmFnZQ=="),
        failures=frozenset({("malformed_key", ADMIN)}),
    ),
    scenario(
        "client key data that is no base64",
        CP,
        lambda t: t.edit(ADMIN, r"client-key-data: .*", "client-key-data: garbage!"),
        failures=frozenset({("malformed_key", ADMIN)}),
    ),
    scenario("link replaced by a copy", CP, replace_link, ("kubelet_link_replaced", CLIENT)),
    scenario("newer pair unused", CP, leave_newer_pair, ("kubelet_newer_pair_unused", CLIENT)),
    scenario("pairs elsewhere", CP, move_pairs),
    scenario(
        "newer pair unused elsewhere",
        CP,
        leave_newer_pair_elsewhere,
        ("kubelet_newer_pair_unused", f"{MOVED}/kubelet-client-current.pem"),
    ),
    scenario(
        "newer pair unused among many",
        CP,
        leave_newer_pair_among_many,
        ("kubelet_newer_pair_unused", CLIENT),
    ),
    scenario(
        "kubelet.conf holds a certificate",
        CP,
        embed,
        ("kubelet_kubeconfig_embedded", KUBECONFIG, "user/system:node:cp1"),
    ),
    scenario(
        "rotation off",
        CP,
        lambda t: t.edit(CONFIG, "rotateCertificates: true", "rotateCertificates: false"),
        ("kubelet_rotation_disabled", CLIENT),
    ),
    scenario(
        "rotation off on a worker",
        WORKER,
        lambda t: t.edit(CONFIG, "rotateCertificates: true", "rotateCertificates: false"),
        ("kubelet_rotation_disabled", CLIENT),
    ),
    scenario(
        "rotation never set",
        WORKER,
        lambda t: t.edit(CONFIG, "rotateCertificates: true\n", ""),
        ("kubelet_rotation_disabled", CLIENT),
    ),
    scenario("serving pair of the kubelet's own", CP, own_serving_pair),
    scenario(
        "serving pair of the kubelet's own under an API server that verifies",
        CP,
        verified(own_serving_pair),
        ("issued_by_wrong_ca", f"{KUBELET_PKI}/kubelet.crt"),
    ),
    scenario(
        "issued serving pair under an API server that verifies",
        CP,
        verified(issued_serving_pair),
    ),
    scenario("serving pair not there yet", CP, unmake(SERVER)),
    scenario("serving link gone", CP, lambda t: t.at(SERVER).unlink(), missing=frozenset({SERVER})),
    scenario("client link gone", WORKER, lambda t: t.at(CLIENT).unlink(), missing=frozenset({CLIENT})),
    scenario("client link to nowhere", WORKER, dangle, missing=frozenset({CLIENT})),
    scenario("client pair gone", WORKER, unmake(CLIENT), missing=frozenset({CLIENT})),
    scenario("client pair not there yet", WORKER, join),
    scenario("bootstrap kubeconfig left", WORKER, bootstrap, ("bootstrap_kubeconfig_left", BOOTSTRAP)),
    scenario("named by a cloud", CP, lambda t: named_by_cloud(t, "10.80.0.11")),
    scenario(
        "named by a cloud, without its address",
        CP,
        lambda t: named_by_cloud(t, "10.80.0.99"),
        ("name_uncovered", SERVER),
    ),
    scenario("another node's certificate", CP, another_nodes, ("node_name_mismatched", CLIENT)),
    scenario(
        "client of an unknown CA on a worker",
        WORKER,
        lambda t: t.write(
            CLIENT.replace("current", "2026-11-24-07-41-03"), kubelet_leaf(node="w1", signer=new_ca())
        ),
        ("issuer_missing", CLIENT),
    ),
    scenario(
        "administrator without key",
        CP,
        lambda t: t.edit(ADMIN, r"\n    client-key-data: .*", ""),
        ("key_missing", ADMIN, "user/kubernetes-admin"),
    ),
    scenario(
        "bootstrap kubeconfig without token",
        WORKER,
        lambda t: t.write(BOOTSTRAP, "kind: Config\nusers: [{name: u, user: {exec: {command: x}}}]\n"),
    ),
    scenario(
        "a server that is no address",
        WORKER,
        lambda t: t.edit(KUBECONFIG, r"server: .*", "server: 'http://['"),
    ),
    scenario(
        "a kubelet without its group",
        CP,
        lambda t: t.write(CLIENT.replace("current", "2026-11-24-07-40-46"), groupless(t)),
        ("subject_unfit", CLIENT),
    ),
    scenario(
        "a scheduler under another name",
        CP,
        lambda t: t.write("/etc/kubernetes/scheduler.conf", t.read(ADMIN)),
        ("subject_unfit", "/etc/kubernetes/scheduler.conf", "user/kubernetes-admin"),
    ),
    scenario("external CA", CP, external_ca),
    scenario("joined control plane", CP, lambda t: t.at("/etc/kubernetes/super-admin.conf").unlink()),
    scenario("demoted control plane", CP, demote),
    scenario(
        "a scheduler that skips verification",
        CP,
        lambda t: t.edit(
            "/etc/kubernetes/scheduler.conf",
            r"certificate-authority-data: .*",
            "insecure-skip-tls-verify: true",
        ),
        ("kubeconfig_insecure", "/etc/kubernetes/scheduler.conf", "cluster/kubernetes"),
    ),
    scenario(
        "a kubelet without TLS",
        WORKER,
        lambda t: t.edit(KUBECONFIG, r"server: https:", "server: http:"),
        ("kubeconfig_insecure", KUBECONFIG, "cluster/default-cluster"),
    ),
    scenario(
        "super-admin.conf copied",
        CP,
        lambda t: t.write("/etc/kubernetes/ops.conf", t.read("/etc/kubernetes/super-admin.conf")),
        ("group_masters_held", "/etc/kubernetes/ops.conf", "user/kubernetes-super-admin"),
    ),
    scenario(
        "admin.conf copied, revocable", CP, lambda t: t.write("/etc/kubernetes/ops.conf", t.read(ADMIN))
    ),
    scenario(
        "an operator's kubeconfig without certificate",
        CP,
        lambda t: t.write(
            "/etc/kubernetes/ops.conf", "kind: Config\nusers: [{name: u, user: {exec: {command: aws}}}]\n"
        ),
    ),
    scenario(
        "kubeconfig cut off",
        CP,
        lambda t: t.write(ADMIN, t.read(ADMIN)[:900]),
        failures=frozenset({("malformed_pem", ADMIN)}),
    ),
    scenario("kubelet configuration gone", WORKER, lambda t: t.at(CONFIG).unlink()),
    scenario(
        "k3s agent's client gone", K3S, lambda t: t.at(K3S_CLIENT).unlink(), missing=frozenset({K3S_CLIENT})
    ),
)
