"""Chains of more than two certificates, and signatures and names that only old tools make."""

import base64
import json
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_der_x509_certificate

from exporter.demo.pki import Issued, make_ca, make_leaf
from tests.scenarios.certificates import CP, K3S, TLS
from tests.scenarios.kubelets import ADMIN, CLIENT, CONFIG, SERVER, leave_newer_pair, replace_link
from tests.scenarios.tree import NOW, PKI, Scenario, Tree, names_of, new_ca, scenario

AGENT = "/var/lib/rancher/k3s/agent"
RANCHER = "/var/lib/rancher/k3s"
BY_NAME = f"{PKI}/by-name"
K3S_CAS = ("client-ca", "server-ca", "request-header-ca", "etcd/server-ca", "etcd/peer-ca")
_SHA256_RSA, _SHA1_RSA = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")


def operators_own(tree: Tree) -> None:
    """Give k3s CAs of the operator's own: a root, an intermediate, and its five CAs below (K3SDOC)."""
    root = make_ca("our root", now=NOW)
    middle = make_ca("our intermediate", now=NOW, issuer=root)
    above = middle.pem + root.pem
    renewed: dict[str, Issued] = {}
    leaves = _leaves(tree)
    for name in K3S_CAS:
        old = tree.certificate(f"{TLS}/{name}.crt")
        ca = renewed[old.subject.rfc4514_string()] = make_ca(old.subject, now=NOW, issuer=middle)
        tree.write(f"{TLS}/{name}.crt", ca.pem + above, 0o644)
        tree.write(f"{TLS}/{name}.key", ca.key_pem)
        if tree.at(f"{TLS}/{name}.nochain.crt").exists():
            tree.write(f"{TLS}/{name}.nochain.crt", ca.pem, 0o644)
    for name in ("client-ca", "server-ca"):
        tree.write(f"{AGENT}/{name}.crt", tree.read(f"{TLS}/{name}.crt"), 0o600)
    for name, issued in (("root-ca", root), ("intermediate-ca", middle)):
        tree.write(f"{TLS}/{name}.pem", issued.pem + issued.key_pem)
    for path in leaves:
        ca = renewed[tree.certificate(path).issuer.rfc4514_string()]
        issued = tree.reissue(path.removesuffix(".crt"), ca)
        tree.write(path, issued.pem + ca.pem + above, 0o644 if path.startswith(TLS) else 0o600)
    _embed(tree, renewed, above)


def _leaves(tree: Tree) -> list[str]:
    found = []
    for file in sorted(tree.at(RANCHER).rglob("*.crt")):
        path = "/" + str(Path(file).relative_to(tree.root))
        certificate = tree.certificate(path)
        if certificate.issuer != certificate.subject and "temporary-certs" not in path:
            found.append(path)
    return found


def _embed(tree: Tree, renewed: dict[str, Issued], above: bytes) -> None:
    """Write what holds certificates in another form: the administrator's kubeconfig and port 6443's."""
    for field, content in (
        ("certificate-authority", tree.read(f"{TLS}/server-ca.crt")),
        ("client-certificate", tree.read(f"{TLS}/client-admin.crt")),
        ("client-key", tree.read(f"{TLS}/client-admin.key")),
    ):
        data = base64.b64encode(content).decode()
        tree.edit("/etc/rancher/k3s/k3s.yaml", rf"{field}-data: .*", f"{field}-data: {data}")
    server = next(ca for name, ca in renewed.items() if "k3s-server-ca" in name)
    leaf = make_leaf(server, "k3s", now=NOW, organizations=("k3s",), sans=("kubernetes", "127.0.0.1"))
    secret = json.loads(tree.read(f"{TLS}/dynamic-cert.json"))
    for entry, pem in (("tls.crt", leaf.pem + server.pem + above), ("tls.key", leaf.key_pem)):
        secret["data"][entry] = base64.b64encode(pem).decode()
    tree.write(f"{TLS}/dynamic-cert.json", json.dumps(secret))


def without_intermediate(tree: Tree) -> None:
    """Let a server send its leaf alone, whose issuer is then nowhere."""
    root = tree.authority()
    middle = make_ca("our intermediate", now=NOW, issuer=root)
    tree.reissue(f"{PKI}/apiserver", middle)


def with_intermediate(tree: Tree) -> None:
    """Let a server send the intermediate too."""
    root = tree.authority()
    middle = make_ca("our intermediate", now=NOW, issuer=root)
    leaf = tree.reissue(f"{PKI}/apiserver", middle)
    tree.write(f"{PKI}/apiserver.crt", leaf.pem + middle.pem, 0o644)


def signed_with_sha1(tree: Tree) -> None:
    """Sign a leaf over SHA-1, as old tools did; today's libraries only verify that."""
    ca = tree.authority()
    key = ca.key
    assert isinstance(key, rsa.RSAPrivateKey)
    issued = tree.reissue(f"{PKI}/apiserver", ca)
    signed = issued.certificate.tbs_certificate_bytes.replace(_SHA256_RSA, _SHA1_RSA)
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA1())
    whole = issued.der.replace(_SHA256_RSA, _SHA1_RSA)[: -len(signature)] + signature
    pem = load_der_x509_certificate(whole).public_bytes(Encoding.PEM)
    tree.write(f"{PKI}/apiserver.crt", pem, 0o644)


def another_cluster(tree: Tree) -> None:
    """Keep a second cluster in the administrator's kubeconfig, as people do."""
    data = base64.b64encode(new_ca("elsewhere").pem).decode()
    other = (
        f"clusters:\n- cluster:\n    certificate-authority-data: {data}\n"
        "    server: https://elsewhere.example:6443\n  name: elsewhere"
    )
    tree.edit(ADMIN, r"^clusters:", other)


def by_name(tree: Tree) -> Issued:
    """Let the API server show people a certificate of their company's CA under a name of its own."""
    company = make_ca("Example Inc Root", now=NOW)
    leaf = make_leaf(company, "api.example.com", now=NOW, sans=("api.example.com",))
    tree.write(f"{BY_NAME}.crt", leaf.pem, 0o644)
    tree.write(f"{BY_NAME}.key", leaf.key_pem)
    tree.flag("kube-apiserver", "tls-sni-cert-key", f"{BY_NAME}.crt,{BY_NAME}.key")
    return company


def administrator_by_name(tree: Tree) -> None:
    """Let the administrator reach the API server under that name."""
    trust_company_alone(tree)
    tree.edit(ADMIN, r"server: .*", "server: api.example.com:6443")


def trust_company_alone(tree: Tree) -> None:
    """Let the administrator trust the company's CA, and reach the API server as before."""
    data = base64.b64encode(by_name(tree).pem).decode()
    tree.edit(ADMIN, r"certificate-authority-data: .*", f"certificate-authority-data: {data}")


def link_replaced_and_rotated(tree: Tree) -> None:
    """Copy a pair over the link; the next rotation then writes a pair and fails."""
    replace_link(tree)
    leave_newer_pair(tree)


def link_replaced_without_rotation(tree: Tree) -> None:
    """Copy a pair over the link of a kubelet that does not rotate."""
    replace_link(tree)
    tree.edit(CONFIG, "rotateCertificates: true", "rotateCertificates: false")


def many_names(tree: Tree) -> None:
    """Give the API server a thousand names more than it needs."""
    names = names_of(tree.certificate(f"{PKI}/apiserver.crt"))
    tree.reissue(f"{PKI}/apiserver", tree.authority(), sans=(*names, *(f"n{i}.example" for i in range(1000))))


def peers_trust_the_cluster(tree: Tree) -> None:
    """Let etcd's peers trust the cluster's CA beside their own."""
    tree.write(f"{PKI}/etcd/both.crt", tree.read(f"{PKI}/etcd/ca.crt") + tree.read(f"{PKI}/ca.crt"), 0o644)
    tree.flag("etcd", "peer-trusted-ca-file", f"{PKI}/etcd/both.crt")


SCENARIOS: tuple[Scenario, ...] = (
    scenario("CAs of the operator's own", K3S, operators_own),
    scenario("an intermediate that is sent along", CP, with_intermediate),
    scenario(
        "an intermediate that is not sent",
        CP,
        without_intermediate,
        ("issuer_missing", f"{PKI}/apiserver.crt"),
    ),
    scenario("signed over SHA-1", CP, signed_with_sha1, ("signature_weak", f"{PKI}/apiserver.crt")),
    scenario("another cluster in admin.conf", CP, another_cluster),
    scenario("a company's certificate by server name", CP, by_name),
    scenario("a company's certificate, watched besides", CP, by_name, watch=(f"{BY_NAME}.*",)),
    scenario("an administrator who comes by that name", CP, administrator_by_name),
    scenario(
        "an administrator who trusts the company and comes as before",
        CP,
        trust_company_alone,
        ("kubeconfig_ca_stale", ADMIN, "cluster/kubernetes"),
    ),
    scenario(
        "link replaced, and the rotation since failed",
        CP,
        link_replaced_and_rotated,
        ("kubelet_link_replaced", CLIENT),
    ),
    scenario(
        "link replaced where nothing rotates",
        CP,
        link_replaced_without_rotation,
        ("kubelet_rotation_disabled", CLIENT),
    ),
    scenario("host name with its domain", CP, lambda t: t.write("/etc/hostname", "CP1.example.com\n", 0o644)),
    scenario(
        "host name of another host",
        CP,
        lambda t: t.write("/etc/hostname", "cp2.example.com\n", 0o644),
        ("node_name_mismatched", CLIENT),
        ("node_name_mismatched", SERVER),
        ("name_uncovered", SERVER),
    ),
    scenario("a thousand names", CP, many_names),
    scenario(
        "etcd's peers trust the cluster's CA",
        CP,
        peers_trust_the_cluster,
        ("etcd_trusts_cluster_ca", f"{PKI}/etcd/both.crt"),
    ),
)
