"""One certificate, key or name that is not what its component needs."""

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric import rsa

from exporter.demo.pki import make_ca, make_key, make_leaf, private_pem
from tests.scenarios.tree import NOW, PKI, Mutation, Scenario, Tree, new_ca, renewed, scenario

CP, WORKER, K3S, K0S, MICROK8S, MINIKUBE = (
    "kubeadm-1.36-control-plane",
    "kubeadm-1.36-worker",
    "k3s-1.36.3",
    "k0s-1.36.3",
    "microk8s-1.36",
    "minikube-1.38.1",
)
KUBEADM_LEAVES = ("apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client")
KINDS_OF_CA = {"apiserver-etcd-client": f"{PKI}/etcd/ca", "front-proxy-client": f"{PKI}/front-proxy-ca"}
TLS = "/var/lib/rancher/k3s/server/tls"
K0S_PKI = "/var/lib/k0s/pki"
MK8S = "/var/snap/microk8s/current/certs"
MINI = "/var/lib/minikube/certs"


def renew(tree: Tree) -> None:
    """Renew all leaves as ``kubeadm certs renew all`` does."""
    for leaf in KUBEADM_LEAVES:
        tree.reissue(f"{PKI}/{leaf}", tree.authority(KINDS_OF_CA.get(leaf, f"{PKI}/ca")))
    for leaf in ("server", "peer", "healthcheck-client"):
        tree.reissue(f"{PKI}/etcd/{leaf}", tree.authority(f"{PKI}/etcd/ca"))


def expire(tree: Tree) -> None:
    """Let the front proxy's client certificate end a moment after it began."""
    tree.reissue(
        f"{PKI}/front-proxy-client", tree.authority(f"{PKI}/front-proxy-ca"), life=timedelta(seconds=1)
    )


def without_key(tree: Tree, stem: str) -> None:
    """Remove a private key."""
    tree.at(f"{stem}.key").unlink()


def strange_key(tree: Tree, stem: str) -> None:
    """Put a key beside a certificate that belongs to another."""
    tree.write(f"{stem}.key", private_pem(make_key()))


def overwritten(content: bytes, *paths: str) -> Mutation:
    """Write something else into files."""

    def change(tree: Tree) -> None:
        for path in paths:
            tree.write(path, content)

    return change


def swapped(tree: Tree) -> None:
    """Exchange the certificates, not the keys, of two clients."""
    one, other = f"{PKI}/apiserver-kubelet-client.crt", f"{PKI}/front-proxy-client.crt"
    contents = tree.read(one), tree.read(other)
    tree.write(one, contents[1], 0o644)
    tree.write(other, contents[0], 0o644)


def weak(tree: Tree) -> None:
    """Issue a certificate over a key of 1024 bits."""
    key = rsa.generate_private_key(65537, 1024)
    tree.reissue(f"{PKI}/apiserver-etcd-client", tree.authority(f"{PKI}/etcd/ca"), key=key)


def a_ca_as_leaf(tree: Tree) -> None:
    """Put a CA where the API server's certificate belongs."""
    ca = make_ca("kube-apiserver", now=NOW, issuer=tree.authority())
    tree.write(f"{PKI}/apiserver.key", ca.key_pem)
    tree.write(f"{PKI}/apiserver.crt", ca.pem, 0o644)


def a_leaf_as_ca(tree: Tree) -> None:
    """Put a leaf where etcd's CA belongs; everything under that CA is then under none."""
    tree.write(f"{PKI}/front-proxy-ca.crt", make_leaf(new_ca(), now=NOW).pem, 0o644)


def outlived(tree: Tree) -> None:
    """Renew the front proxy's CA, with its key, for less than its leaf lasts."""
    ca = renewed(tree.authority(f"{PKI}/front-proxy-ca"), life=timedelta(days=100))
    tree.write(f"{PKI}/front-proxy-ca.crt", ca.pem, 0o644)


APISERVER = f"{PKI}/apiserver"
SCENARIOS: tuple[Scenario, ...] = (
    scenario("all leaves renewed", CP, renew),
    scenario("a leaf has expired: time is no check", CP, expire),
    scenario(
        "key gone",
        CP,
        lambda t: without_key(t, APISERVER),
        ("key_missing", f"{APISERVER}.crt"),
        missing=frozenset({f"{APISERVER}.key"}),
    ),
    scenario(
        "key gone by convention",
        CP,
        lambda t: without_key(t, f"{PKI}/etcd/healthcheck-client"),
        ("key_missing", f"{PKI}/etcd/healthcheck-client.crt"),
    ),
    *(
        scenario(
            f"key {name}",
            CP,
            overwritten(content, f"{APISERVER}.key"),
            failures=frozenset({("malformed_key", f"{APISERVER}.key")}),
        )
        for name, content in (("emptied", b""), ("overwritten", b"garbage\n"))
    ),
    scenario(
        "service account keys emptied",
        CP,
        overwritten(b"", f"{PKI}/sa.key", f"{PKI}/sa.pub"),
        failures=frozenset({("malformed_key", f"{PKI}/sa.{end}") for end in ("key", "pub")}),
    ),
    scenario("a CA's key emptied: it is not opened", CP, overwritten(b"", f"{PKI}/ca.key")),
    scenario("a certificate verifies tokens", CP, lambda t: t.write(f"{PKI}/sa.pub", t.authority().pem)),
    scenario(
        "certificate in the place of its key",
        CP,
        lambda t: t.write(f"{APISERVER}.key", t.read(f"{APISERVER}.crt")),
        ("key_missing", f"{APISERVER}.crt"),
    ),
    scenario(
        "key of another", CP, lambda t: strange_key(t, APISERVER), ("key_mismatched", f"{APISERVER}.crt")
    ),
    scenario(
        "key of another, k3s",
        K3S,
        lambda t: strange_key(t, f"{TLS}/client-admin"),
        ("key_mismatched", f"{TLS}/client-admin.crt"),
    ),
    scenario(
        "key of another, k0s",
        K0S,
        lambda t: strange_key(t, f"{K0S_PKI}/k0s-api"),
        ("key_mismatched", f"{K0S_PKI}/k0s-api.crt"),
    ),
    scenario(
        "key of another, MicroK8s",
        MICROK8S,
        lambda t: strange_key(t, f"{MK8S}/server"),
        ("key_mismatched", f"{MK8S}/server.crt"),
    ),
    scenario(
        "certificates swapped",
        CP,
        swapped,
        ("key_mismatched", f"{PKI}/apiserver-kubelet-client.crt"),
        ("issued_by_wrong_ca", f"{PKI}/apiserver-kubelet-client.crt"),
        ("key_mismatched", f"{PKI}/front-proxy-client.crt"),
        ("issued_by_wrong_ca", f"{PKI}/front-proxy-client.crt"),
    ),
    scenario("RSA of 1024 bits", CP, weak, ("key_weak", f"{PKI}/apiserver-etcd-client.crt")),
    scenario(
        "client usage on a server",
        CP,
        lambda t: t.reissue(APISERVER, t.authority(), usages=("clientAuth",)),
        ("usage_unfit", f"{APISERVER}.crt"),
    ),
    scenario(
        "server usage on a client",
        CP,
        lambda t: t.reissue(f"{PKI}/apiserver-kubelet-client", t.authority(), usages=("serverAuth",)),
        ("usage_unfit", f"{PKI}/apiserver-kubelet-client.crt"),
    ),
    scenario("no usage permits any", CP, lambda t: t.reissue(APISERVER, t.authority(), usages=None)),
    scenario(
        "both usages, as k0s has them",
        CP,
        lambda t: t.reissue(APISERVER, t.authority(), usages=("serverAuth", "clientAuth")),
    ),
    scenario(
        "an etcd peer that cannot be a client",
        CP,
        lambda t: t.reissue(f"{PKI}/etcd/peer", t.authority(f"{PKI}/etcd/ca"), usages=("serverAuth",)),
        ("usage_unfit", f"{PKI}/etcd/peer.crt"),
    ),
    scenario("a CA as leaf", CP, a_ca_as_leaf, ("ca_flag_unfit", f"{APISERVER}.crt")),
    scenario(
        "a leaf as CA",
        CP,
        a_leaf_as_ca,
        ("ca_flag_unfit", f"{PKI}/front-proxy-ca.crt"),
        ("issuer_missing", f"{PKI}/front-proxy-client.crt"),
    ),
    scenario(
        "address not covered",
        CP,
        lambda t: t.reissue(
            APISERVER,
            t.authority(),
            sans=(
                "cp1",
                "kubernetes",
                "kubernetes.default",
                "kubernetes.default.svc",
                "kubernetes.default.svc.cluster.local",
                "10.96.0.1",
            ),
        ),
        ("name_uncovered", f"{APISERVER}.crt"),
    ),
    scenario(
        "etcd's loopback not covered",
        CP,
        lambda t: t.reissue(f"{PKI}/etcd/server", t.authority(f"{PKI}/etcd/ca"), sans=("cp1", "10.80.0.11")),
        ("name_uncovered", f"{PKI}/etcd/server.crt"),
    ),
    scenario(
        "no name at all, minikube",
        MINIKUBE,
        lambda t: t.reissue(f"{MINI}/apiserver", t.authority(f"{MINI}/ca"), sans=()),
        ("name_uncovered", f"{MINI}/apiserver.crt"),
    ),
    scenario(
        "a wrong CA signed a leaf",
        CP,
        lambda t: t.reissue(APISERVER, t.authority(f"{PKI}/etcd/ca")),
        ("issued_by_wrong_ca", f"{APISERVER}.crt"),
    ),
    scenario(
        "nobody known signed a leaf",
        CP,
        lambda t: t.reissue(APISERVER, new_ca()),
        ("issuer_missing", f"{APISERVER}.crt"),
    ),
    scenario(
        "nobody known signed the client to etcd",
        CP,
        lambda t: t.reissue(f"{PKI}/apiserver-etcd-client", new_ca("etcd-ca")),
        ("issuer_missing", f"{PKI}/apiserver-etcd-client.crt"),
    ),
    scenario(
        "nobody known signed a leaf, k0s",
        K0S,
        lambda t: t.reissue(f"{K0S_PKI}/server", new_ca("kubernetes-ca")),
        ("issuer_missing", f"{K0S_PKI}/server.crt"),
    ),
    scenario(
        "a wrong CA signed a client, MicroK8s",
        MICROK8S,
        lambda t: t.reissue(f"{MK8S}/front-proxy-client", t.authority(f"{MK8S}/ca")),
        ("issued_by_wrong_ca", f"{MK8S}/front-proxy-client.crt"),
    ),
    scenario(
        "a CA that ends before its leaf", CP, outlived, ("outlives_issuer", f"{PKI}/front-proxy-client.crt")
    ),
    scenario(
        "the group's name as user",
        CP,
        lambda t: t.reissue(f"{PKI}/apiserver-kubelet-client", t.authority(), cn="system:masters"),
        ("group_as_user", f"{PKI}/apiserver-kubelet-client.crt"),
    ),
    scenario(
        "masters where kubeadm had them once",
        CP,
        lambda t: t.reissue(
            f"{PKI}/apiserver-kubelet-client", t.authority(), organizations=("system:masters",)
        ),
    ),
    scenario(
        "administrators where kubeadm had them once",
        CP,
        lambda t: t.reissue(
            f"{PKI}/apiserver-kubelet-client", t.authority(), organizations=("kubeadm:cluster-admins",)
        ),
    ),
)
