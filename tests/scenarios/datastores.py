"""How etcd may be reached, in every combination of its settings (KUBERNETES_PKI 3.2)."""

from collections.abc import Callable

from exporter.demo.pki import make_ca
from tests.scenarios.certificates import CP, K3S, MINIKUBE
from tests.scenarios.tree import MANIFESTS, NOW, PKI, Scenario, Tree, scenario

MANIFEST = f"{MANIFESTS}/etcd.yaml"
K3S_CONFIG = "/var/lib/rancher/k3s/server/db/etcd/config"
CLIENT_URLS = ("https://127.0.0.1:2379", "https://10.80.0.11:2379")
NO_AUTH = tuple(("etcd_client_auth_missing", MANIFEST, url) for url in CLIENT_URLS)


def flags(**given: str) -> Callable[[Tree], None]:
    """Set flags of etcd; an empty value removes one, ``on`` is a bare switch."""

    def change(tree: Tree) -> None:
        for name, value in given.items():
            flag = name.replace("_", "-")
            tree.flag("etcd", flag, *([] if not value else [""] if value == "on" else [value]))

    return change


def environment(tree: Tree) -> None:
    """Move client authentication from flags to variables, and switch it off there."""
    flags(client_cert_auth="", trusted_ca_file="")(tree)
    tree.edit(
        MANIFEST,
        r"\n    image:",
        "\n    env:\n    - name: ETCD_CLIENT_CERT_AUTH\n      value: 'false'\n    image:",
    )


def unknown_environment(tree: Tree) -> None:
    """Take the variables from where nobody here can read them."""
    flags(client_cert_auth="", trusted_ca_file="")(tree)
    tree.edit(
        MANIFEST, r"\n    image:", "\n    envFrom:\n    - configMapRef:\n        name: etcd\n    image:"
    )


def config_file(tree: Tree) -> None:
    """Let a configuration file decide, which makes etcd ignore every flag."""
    tree.write(
        f"{PKI}/etcd/etcd.yaml",
        "listen-client-urls: https://127.0.0.1:2379\nlisten-peer-urls: https://10.80.0.11:2380\n"
        f"client-transport-security:\n  cert-file: {PKI}/etcd/server.crt\n  key-file: {PKI}/etcd/server.key\n"
        f"peer-transport-security:\n  cert-file: {PKI}/etcd/peer.crt\n  key-file: {PKI}/etcd/peer.key\n"
        f"  client-cert-auth: true\n  trusted-ca-file: {PKI}/etcd/ca.crt\n",
    )
    tree.flag("etcd", "config-file", f"{PKI}/etcd/etcd.yaml")


def cluster_ca_by_copy(tree: Tree) -> None:
    """Let etcd trust a copy of the cluster's CA beside its own."""
    tree.write(f"{PKI}/etcd/both.crt", tree.read(f"{PKI}/etcd/ca.crt") + tree.read(f"{PKI}/ca.crt"), 0o644)
    flags(trusted_ca_file=f"{PKI}/etcd/both.crt")(tree)


def external(tree: Tree) -> None:
    """Use an etcd elsewhere, whose CA signed the API server's client certificate."""
    tree.at(MANIFEST).unlink()
    ca = make_ca("external-etcd", now=NOW)
    tree.write(f"{PKI}/etcd/ca.crt", ca.pem, 0o644)
    tree.reissue(f"{PKI}/apiserver-etcd-client", ca)
    for name in ("server", "peer", "healthcheck-client"):
        tree.at(f"{PKI}/etcd/{name}.crt").unlink()
        tree.at(f"{PKI}/etcd/{name}.key").unlink()
    tree.at(f"{PKI}/etcd/ca.key").unlink()


SCENARIOS: tuple[Scenario, ...] = (
    scenario("the CA file alone requires certificates", CP, flags(client_cert_auth="")),
    scenario("switched off, the CA file still requires them", CP, flags(client_cert_auth="false")),
    scenario("without CA file, the system's CAs decide", CP, flags(trusted_ca_file="")),
    scenario("neither switch nor CA file", CP, flags(client_cert_auth="", trusted_ca_file=""), *NO_AUTH),
    scenario("switch off, no CA file", CP, flags(client_cert_auth="false", trusted_ca_file=""), *NO_AUTH),
    scenario("bare switch", CP, flags(client_cert_auth="on")),
    scenario(
        "peers: neither",
        CP,
        flags(peer_client_cert_auth="", peer_trusted_ca_file=""),
        ("etcd_peer_auth_missing", MANIFEST, "https://10.80.0.11:2380"),
    ),
    scenario("peers: the CA file alone", CP, flags(peer_client_cert_auth="")),
    scenario("variables instead of flags", CP, environment, *NO_AUTH),
    scenario("variables from elsewhere: unknown is no finding", CP, unknown_environment),
    scenario(
        "configuration file overrides flags",
        CP,
        config_file,
        ("etcd_client_auth_missing", f"{PKI}/etcd/etcd.yaml", "https://127.0.0.1:2379"),
    ),
    scenario(
        "client address without TLS",
        CP,
        flags(listen_client_urls="https://127.0.0.1:2379,http://10.80.0.11:2379"),
        ("etcd_plaintext_listener", MANIFEST, "http://10.80.0.11:2379"),
    ),
    scenario(
        "client address without TLS on loopback",
        CP,
        flags(listen_client_urls="http://127.0.0.1:2379"),
        ("etcd_plaintext_listener", MANIFEST, "http://127.0.0.1:2379"),
    ),
    scenario("unix socket", CP, flags(listen_client_urls="https://127.0.0.1:2379,unix://etcd.sock")),
    scenario(
        "peer address without TLS",
        CP,
        flags(listen_peer_urls="http://10.80.0.11:2380"),
        ("etcd_plaintext_listener", MANIFEST, "http://10.80.0.11:2380"),
    ),
    scenario(
        "metrics on loopback, as kubeadm has them", CP, flags(listen_metrics_urls="http://127.0.0.1:2381")
    ),
    scenario(
        "metrics for everybody",
        CP,
        flags(listen_metrics_urls="http://0.0.0.0:2381"),
        ("etcd_plaintext_listener", MANIFEST, "http://0.0.0.0:2381"),
    ),
    scenario(
        "metrics under a name",
        CP,
        flags(listen_metrics_urls="http://etcd.example:2381"),
        ("etcd_plaintext_listener", MANIFEST, "http://etcd.example:2381"),
    ),
    scenario("metrics with TLS", CP, flags(listen_metrics_urls="https://10.80.0.11:2381")),
    scenario(
        "default address",
        CP,
        flags(listen_client_urls=""),
        ("etcd_plaintext_listener", MANIFEST, "http://localhost:2379"),
    ),
    scenario("the cluster's CA", CP, cluster_ca_by_copy, ("etcd_trusts_cluster_ca", f"{PKI}/etcd/both.crt")),
    scenario(
        "certificates of etcd's own making",
        CP,
        flags(auto_tls="true", cert_file="", key_file=""),
        ("etcd_auto_tls", MANIFEST, "auto-tls"),
    ),
    scenario(
        "the older flag for addresses without TLS",
        CP,
        flags(listen_client_http_urls="http://10.80.0.11:2382"),
        ("etcd_plaintext_listener", MANIFEST, "http://10.80.0.11:2382"),
    ),
    scenario("auto-tls beside a certificate, which wins", CP, flags(auto_tls="true")),
    scenario(
        "k3s: metrics for everybody",
        K3S,
        lambda t: t.edit(K3S_CONFIG, r"listen-metrics-urls:.*", "listen-metrics-urls: http://0.0.0.0:2381"),
        ("etcd_plaintext_listener", K3S_CONFIG, "http://0.0.0.0:2381"),
    ),
    scenario("external etcd", CP, external),
    scenario(
        "k3s without client authentication",
        K3S,
        lambda t: t.edit(
            K3S_CONFIG,
            r"^client-transport-security:\n(?:  .*\n)*",
            "client-transport-security:\n"
            "  cert-file: /var/lib/rancher/k3s/server/tls/etcd/server-client.crt\n"
            "  key-file: /var/lib/rancher/k3s/server/tls/etcd/server-client.key\n",
        ),
        *(
            ("etcd_client_auth_missing", K3S_CONFIG, url)
            for url in ("https://127.0.0.1:2379", "https://127.0.0.1:2382", "https://192.168.71.31:2379")
        ),
    ),
    scenario(
        "minikube without client authentication",
        MINIKUBE,
        flags(client_cert_auth="", trusted_ca_file=""),
        ("etcd_client_auth_missing", MANIFEST, "https://127.0.0.1:2379"),
        ("etcd_client_auth_missing", MANIFEST, "https://192.168.49.2:2379"),
    ),
)
