"""The same changes on nodes whose files lie and look otherwise: k3s, k0s, MicroK8s, minikube."""

from collections.abc import Callable

from tests.scenarios.certificates import CP, K0S, K0S_PKI, K3S, MICROK8S, MINI, MINIKUBE, MK8S, TLS
from tests.scenarios.datastores import K3S_CONFIG
from tests.scenarios.kubelets import CLIENT, KUBECONFIG, kubelet_leaf
from tests.scenarios.tree import (
    KUBELET_PKI,
    MANIFESTS,
    PKI,
    Mutation,
    Scenario,
    Tree,
    new_ca,
    renewed,
    replaced,
    scenario,
)

K3S_YAML = "/etc/rancher/k3s/k3s.yaml"
K3S_AGENT = "/var/lib/rancher/k3s/agent"
MK8S_CREDENTIALS = "/var/snap/microk8s/current/credentials"
APISERVERS = (
    (K3S, f"{TLS}/serving-kube-apiserver", f"{TLS}/server-ca"),
    (K0S, f"{K0S_PKI}/server", f"{K0S_PKI}/ca"),
    (MICROK8S, f"{MK8S}/server", f"{MK8S}/ca"),
    (MINIKUBE, f"{MINI}/apiserver", f"{MINI}/ca"),
)
K3S_LEAVES = (
    ("client-admin", "client-ca"),
    ("client-scheduler", "client-ca"),
    ("client-auth-proxy", "request-header-ca"),
    ("etcd/client", "etcd/server-ca"),
    ("etcd/server-client", "etcd/server-ca"),
    ("etcd/peer-server-client", "etcd/peer-ca"),
)
K3S_CLIENTS = (
    f"{K3S_AGENT}/client-k3s-controller.crt",
    f"{K3S_AGENT}/client-kube-proxy.crt",
    f"{K3S_AGENT}/client-kubelet.crt",
    *(
        f"{TLS}/client-{name}.crt"
        for name in (
            "admin",
            "controller",
            "k3s-cloud-controller",
            "kube-apiserver",
            "scheduler",
            "supervisor",
        )
    ),
)


def reissued(stem: str, authority: str, **deviation: tuple[str, ...]) -> Mutation:
    """Issue a leaf anew, with at most one deviation."""

    def change(tree: Tree) -> None:
        tree.reissue(stem, tree.authority(authority), **deviation)  # type: ignore[arg-type]

    return change


def by_a_stranger(stem: str) -> Mutation:
    """Issue a leaf under a CA that the node does not know."""
    return lambda tree: tree.reissue(stem, new_ca())


def gone(path: str) -> Mutation:
    """Remove a file."""
    return lambda tree: tree.at(path).unlink()


def overwritten(path: str, by: str) -> Mutation:
    """Copy the wrong file over another."""
    return lambda tree: tree.write(path, tree.read(by), 0o644)


def insecure(path: str) -> Mutation:
    """Stop verifying the server."""
    return lambda tree: tree.edit(path, r"certificate-authority-data: .*", "insecure-skip-tls-verify: true")


def writable(path: str) -> Mutation:
    """Let everybody write a directory."""
    return lambda tree: tree.at(path).chmod(0o777)


def renew_k3s(tree: Tree) -> None:
    """Renew as ``k3s certificate rotate`` does."""
    for leaf, authority in K3S_LEAVES:
        tree.reissue(f"{TLS}/{leaf}", tree.authority(f"{TLS}/{authority}"))


def replace_client_ca(tree: Tree) -> None:
    """Replace k3s' CA of clients everywhere, and no client."""
    authority = replaced(tree.authority(f"{TLS}/client-ca"))
    for path in (f"{K3S_AGENT}/client-ca.crt", f"{TLS}/client-ca.crt", f"{TLS}/client-ca.nochain.crt"):
        tree.write(path, authority.pem, 0o644)


def rotating_beside_embedded(tree: Tree) -> None:
    """Let a kubelet rotate while its kubeconfig still holds minikube's certificate."""
    dated = f"{KUBELET_PKI}/kubelet-client-2026-11-25-00-00-00.pem"
    tree.write(dated, kubelet_leaf(node="minikube", signer=tree.authority(f"{MINI}/ca")))
    tree.at(CLIENT).symlink_to(dated)


def reversed_chain(tree: Tree) -> None:
    """Put the CA before the leaf, of which a server takes the first."""
    leaf = f"{PKI}/apiserver.crt"
    tree.write(leaf, tree.read(f"{PKI}/ca.crt") + tree.read(leaf), 0o644)


def chain(tree: Tree) -> None:
    """Send the CA along."""
    leaf = f"{PKI}/apiserver.crt"
    tree.write(leaf, tree.read(leaf) + tree.read(f"{PKI}/ca.crt"), 0o644)


def cluster_ca_mounted(tree: Tree) -> None:
    """Let etcd see the whole PKI and trust the cluster's CA itself."""
    tree.edit(f"{MANIFESTS}/etcd.yaml", rf"(path|mountPath): {PKI}/etcd$", rf"\1: {PKI}")
    tree.flag("etcd", "trusted-ca-file", f"{PKI}/ca.crt")


def rewritten(change: Callable[[bytes], bytes]) -> Mutation:
    """Write the API server's certificate in another form."""
    return lambda tree: tree.write(f"{PKI}/apiserver.crt", change(tree.read(f"{PKI}/apiserver.crt")), 0o644)


OWN = "/data/pki"


def certificates_elsewhere(tree: Tree) -> None:
    """Give kubeadm another ``certificatesDir``."""
    tree.at("/data").mkdir()
    tree.at(PKI).rename(tree.at(OWN))
    for component in ("etcd", "kube-apiserver", "kube-controller-manager"):
        tree.edit(f"{MANIFESTS}/{component}.yaml", PKI, OWN)
    tree.edit("/var/lib/kubelet/config.yaml", PKI, OWN)


def loose_elsewhere(tree: Tree) -> None:
    """Make keys there readable that no flag names."""
    certificates_elsewhere(tree)
    for key in LOOSE:
        tree.at(key).chmod(0o644)


LOOSE = (f"{OWN}/etcd/ca.key", f"{OWN}/etcd/healthcheck-client.key", f"{OWN}/front-proxy-ca.key")


SCENARIOS: tuple[Scenario, ...] = (
    scenario("kubeadm's certificates elsewhere", CP, certificates_elsewhere),
    scenario(
        "keys readable by all elsewhere",
        CP,
        loose_elsewhere,
        *(("mode_loose", key) for key in LOOSE),
    ),
    scenario("leaves renewed", K3S, renew_k3s),
    *(scenario("API server renewed", tree, reissued(leaf, ca)) for tree, leaf, ca in APISERVERS),
    *(
        scenario(
            "API server for clients",
            tree,
            reissued(leaf, ca, usages=("clientAuth",)),
            ("usage_unfit", f"{leaf}.crt"),
        )
        for tree, leaf, ca in APISERVERS
    ),
    *(
        scenario(
            "API server under another name",
            tree,
            reissued(leaf, ca, sans=("nothing.example",)),
            ("name_uncovered", f"{leaf}.crt"),
        )
        for tree, leaf, ca in APISERVERS
    ),
    *(
        scenario("API server of a stranger", tree, by_a_stranger(leaf), ("issuer_missing", f"{leaf}.crt"))
        for tree, leaf, _ in APISERVERS
    ),
    *(
        scenario(
            "API server's certificate overwritten by its CA's",
            tree,
            overwritten(f"{leaf}.crt", f"{ca}.crt"),
            ("ca_flag_unfit", f"{leaf}.crt"),
        )
        for tree, leaf, ca in (*APISERVERS, (CP, f"{PKI}/apiserver", f"{PKI}/ca"))
    ),
    *(
        scenario("API server's key gone", tree, gone(f"{leaf}.key"), ("key_missing", f"{leaf}.crt"))
        for tree, leaf, _ in APISERVERS[:2]
    ),
    *(
        scenario(
            "API server's key gone",
            tree,
            gone(f"{leaf}.key"),
            ("key_missing", f"{leaf}.crt"),
            missing=frozenset({f"{leaf}.key"}),
        )
        for tree, leaf, _ in APISERVERS[2:]
    ),
    *(
        scenario("directory writable by all", tree, writable(path), ("directory_writable", path))
        for tree, path in ((K3S, TLS), (K0S, K0S_PKI), (MINIKUBE, MINI))
    ),
    *(
        scenario("no verification", tree, insecure(path), ("kubeconfig_insecure", path, f"cluster/{name}"))
        for tree, path, name in (
            (K3S, K3S_YAML, "default"),
            (K0S, f"{K0S_PKI}/admin.conf", "local"),
            (MICROK8S, f"{MK8S_CREDENTIALS}/client.config", "microk8s-cluster"),
        )
    ),
    scenario(
        "k3s.yaml readable by all", K3S, lambda t: t.at(K3S_YAML).chmod(0o644), ("mode_loose", K3S_YAML)
    ),
    scenario(
        "client CA replaced, no client",
        K3S,
        replace_client_ca,
        ("issued_by_wrong_ca", K3S_YAML, "user/default"),
        *(("issued_by_wrong_ca", path) for path in K3S_CLIENTS),
    ),
    scenario(
        "etcd trusts the clients' CA",
        K3S,
        lambda t: t.edit(K3S_CONFIG, rf"{TLS}/etcd/server-ca.crt", f"{TLS}/client-ca.crt"),
        ("etcd_trusts_cluster_ca", f"{TLS}/client-ca.crt"),
        ("issued_by_wrong_ca", f"{TLS}/etcd/client.crt"),
    ),
    scenario(
        "rotating beside an embedded certificate",
        MINIKUBE,
        rotating_beside_embedded,
        ("kubelet_kubeconfig_embedded", KUBECONFIG, "user/system:node:minikube"),
    ),
    scenario("CA before the leaf", CP, reversed_chain, ("ca_flag_unfit", f"{PKI}/apiserver.crt")),
    scenario("CA after the leaf", CP, chain),
    scenario(
        "cluster's CA mounted into etcd",
        CP,
        cluster_ca_mounted,
        ("etcd_trusts_cluster_ca", f"{PKI}/ca.crt"),
        ("issued_by_wrong_ca", f"{PKI}/apiserver-etcd-client.crt"),
        ("issued_by_wrong_ca", f"{PKI}/etcd/healthcheck-client.crt"),
    ),
    scenario("lines ended as on Windows", CP, rewritten(lambda pem: pem.replace(b"\n", b"\r\n"))),
    scenario("text before the certificate", CP, rewritten(lambda pem: b"Certificate:\n Data: \xff\n" + pem)),
    scenario(
        "front proxy's CA replaced, its leaves not",
        K3S,
        lambda t: t.write(
            f"{TLS}/request-header-ca.crt", replaced(t.authority(f"{TLS}/request-header-ca")).pem, 0o644
        ),
        ("issued_by_wrong_ca", f"{TLS}/client-auth-proxy.crt"),
    ),
    scenario(
        "front proxy's CA renewed with its key",
        MICROK8S,
        lambda t: t.write(
            f"{MK8S}/front-proxy-ca.crt",
            renewed(t.authority(f"{MK8S}/front-proxy-ca")).pem,
            0o660,
        ),
    ),
)
