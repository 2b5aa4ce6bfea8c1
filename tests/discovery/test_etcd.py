"""What an etcd listens on and whom it asks for a certificate: flags, variables, configuration file."""

import json
from pathlib import Path

import pytest

from exporter.model import Discovery, Failure, Place, Reason
from tests.discovery.looking import look, plant, table

KUBEADM = {
    "/etc/kubernetes/kubelet.conf": "",
    "/var/lib/kubelet/config.yaml": "kind: KubeletConfiguration\nstaticPodPath: /etc/kubernetes/manifests\n",
}


def manifest(*flags: str, **environment: str) -> str:
    """A static pod of etcd that sees the host's ``/etc/kubernetes`` and ``/var/lib/etcd``."""
    folders = ("/etc/kubernetes", "/var/lib/etcd")
    return json.dumps(
        {
            "kind": "Pod",
            "spec": {
                "containers": [
                    {
                        "name": "etcd",
                        "command": ["etcd", *flags],
                        "env": [{"name": name, "value": value} for name, value in environment.items()],
                        "volumeMounts": [{"name": folder, "mountPath": folder} for folder in folders],
                    }
                ],
                "volumes": [{"name": folder, "hostPath": {"path": folder}} for folder in folders],
            },
        }
    )


def found(root: Path, *flags: str, **environment: str) -> Discovery:
    """What discovery tells of a node with that etcd."""
    pod = manifest(*flags, **environment)
    return look(plant(root, {**KUBEADM, "/etc/kubernetes/manifests/etcd.yaml": pod}))


def listeners(discovery: Discovery) -> list[str]:
    """Each listener in one line."""
    return [
        f"{item.listener} {item.url} {item.transport} {item.client_auth} {item.origin}"
        for item in discovery.node.listeners
    ]


PAIR = ("--cert-file=/etc/kubernetes/s.crt", "--key-file=/etc/kubernetes/s.key")
URL = "--listen-client-urls=https://10.0.0.1:2379"
PEER = "--listen-peer-urls=https://10.0.0.1:2380"


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((URL, "--client-cert-auth=false", "--trusted-ca-file=/etc/kubernetes/ca.crt"), "tls required"),
        ((URL, "--client-cert-auth=true"), "tls required"),
        ((URL, "--client-cert-auth"), "tls required"),
        ((URL, "-client-cert-auth=1"), "tls required"),
        ((URL, "--client-cert-auth=true", "--client-cert-auth=false"), "tls none"),
        ((URL, "--client-cert-auth=f"), "tls none"),
        ((URL,), "tls none"),
        (("--listen-client-urls=http://10.0.0.1:2379", "--client-cert-auth=true"), "plaintext none"),
        (("--listen-client-urls=unix:///run/etcd.sock", "--client-cert-auth=true"), "plaintext none"),
        (("--listen-client-urls=unixs:///run/etcd.sock", "--client-cert-auth=true"), "tls required"),
        (("--listen-client-http-urls=https://10.0.0.1:2382", URL, "--client-cert-auth=true"), "tls required"),
        ((URL, "--peer-client-cert-auth=true"), "tls none"),
        ((), "plaintext none"),
    ],
)
def test_each_client_url_is_judged_by_itself(tmp_path: Path, flags: tuple[str, ...], expected: str) -> None:
    """A trusted CA alone requires certificates, the scheme alone decides about TLS, the last flag counts."""
    lines = [line for line in listeners(found(tmp_path, *PAIR, *flags)) if line.startswith("client")]
    assert lines
    assert all(line.endswith(f"{expected} manifest") for line in lines)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((PEER, "--peer-client-cert-auth=true"), "tls required"),
        ((PEER, "--peer-trusted-ca-file=/etc/kubernetes/ca.crt"), "tls required"),
        ((PEER, "--client-cert-auth=true", "--trusted-ca-file=/etc/kubernetes/ca.crt"), "tls none"),
        (("--listen-peer-urls=http://10.0.0.1:2380", "--peer-client-cert-auth=true"), "plaintext none"),
    ],
)
def test_each_peer_url_is_judged_by_the_peer_flags(
    tmp_path: Path, flags: tuple[str, ...], expected: str
) -> None:
    """The client's settings say nothing about peers."""
    lines = [line for line in listeners(found(tmp_path, *flags)) if line.startswith("peer")]
    assert [line.split(" ", 2)[2] for line in lines] == [f"{expected} manifest"]


def test_the_defaults_are_open_on_loopback(tmp_path: Path) -> None:
    """Without any flag etcd listens in clear on localhost; it has no metrics listener then."""
    assert listeners(found(tmp_path)) == [
        "client http://localhost:2379 plaintext none manifest",
        "peer http://localhost:2380 plaintext none manifest",
    ]


def test_metrics_listeners_share_the_client_settings(tmp_path: Path) -> None:
    """An https metrics URL asks for the client's certificate, too; an http one is open."""
    urls = "--listen-metrics-urls=http://127.0.0.1:2381, https://10.0.0.1:9978"
    lines = listeners(found(tmp_path, urls, URL, PEER, "--trusted-ca-file=/etc/kubernetes/ca.crt"))
    assert [line for line in lines if line.startswith("metrics")] == [
        "metrics http://127.0.0.1:2381 plaintext none manifest",
        "metrics https://10.0.0.1:9978 tls required manifest",
    ]


def test_variables_say_what_flags_do_not(tmp_path: Path) -> None:
    """``ETCD_`` variables count where the flag is not given."""
    discovery = found(
        tmp_path,
        URL,
        ETCD_LISTEN_CLIENT_URLS="http://10.0.0.9:2379",
        ETCD_TRUSTED_CA_FILE="/etc/kubernetes/ca.crt",
        ETCD_PEER_CERT_FILE="/etc/kubernetes/p.crt",
    )
    assert listeners(discovery)[0] == "client https://10.0.0.1:2379 tls required manifest"
    assert [line for line in table(discovery.references) if line.startswith("etcd ")] == [
        "etcd peer-cert-file certificate etcd-peer /etc/kubernetes/p.crt manifest required",
        "etcd trusted-ca-file trust etcd-ca /etc/kubernetes/ca.crt manifest required",
    ]


def test_where_variables_come_from_elsewhere_their_silence_says_nothing(tmp_path: Path) -> None:
    """A Secret or a running process may hold variables that nobody sees: unknown, and no default listener."""
    pod = json.loads(manifest(URL))
    pod["spec"]["containers"][0]["env"] = [{"name": "ETCD_TRUSTED_CA_FILE", "valueFrom": {"fieldRef": {}}}]
    tree = {**KUBEADM, "/etc/kubernetes/manifests/etcd.yaml": json.dumps(pod)}
    assert listeners(look(plant(tmp_path, tree))) == ["client https://10.0.0.1:2379 tls unknown manifest"]


CONFIGURATION = """
client-transport-security: {cert-file: /etc/kubernetes/s.crt, trusted-ca-file: /etc/kubernetes/ca.crt}
peer-transport-security: {client-cert-auth: true, auto-tls: false, cert-file: 5}
listen-client-urls: https://10.0.0.1:2379
listen-peer-urls: https://10.0.0.1:2380
advertise-client-urls: https://etcd-1.example:2379
"""


def test_with_a_configuration_file_everything_else_is_ignored(tmp_path: Path) -> None:
    """Flags and variables count for nothing then; the file's settings have the flags' names."""
    plant(tmp_path, {"/etc/kubernetes/etcd.conf": CONFIGURATION})
    discovery = found(
        tmp_path,
        "--config-file=/etc/kubernetes/etcd.conf",
        "--key-file=/etc/kubernetes/ignored.key",
        "--auto-tls=true",
        ETCD_PEER_CERT_FILE="/etc/kubernetes/ignored.crt",
    )
    assert listeners(discovery) == [
        "client https://10.0.0.1:2379 tls required component_config",
        "peer https://10.0.0.1:2380 tls required component_config",
    ]
    assert [line for line in table(discovery.references) if line.startswith("etcd ")] == [
        "etcd cert-file certificate etcd-server /etc/kubernetes/s.crt component_config required",
        "etcd trusted-ca-file trust etcd-ca /etc/kubernetes/ca.crt component_config required",
    ]
    assert discovery.node.etcd_names == ("10.0.0.1", "etcd-1.example")
    assert discovery.node.etcd_auto_tls == ()


def test_the_configuration_file_may_be_named_by_a_variable(tmp_path: Path) -> None:
    """``ETCD_CONFIG_FILE`` is as good as the flag."""
    plant(tmp_path, {"/etc/kubernetes/etcd.conf": CONFIGURATION})
    discovery = found(tmp_path, ETCD_CONFIG_FILE="/etc/kubernetes/etcd.conf")
    assert len(listeners(discovery)) == 2


def test_a_configuration_file_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    """A broken file is a failure, one that is nowhere on the host only silence."""
    plant(tmp_path, {"/etc/kubernetes/etcd.conf": "{"})
    broken = found(tmp_path, "--config-file=/etc/kubernetes/etcd.conf")
    assert listeners(broken) == []
    assert broken.failures == (Failure(Place("/etc/kubernetes/etcd.conf"), Reason.MALFORMED_CONFIGURATION),)
    elsewhere = found(tmp_path, "--config-file=/image/etcd.conf")
    assert listeners(elsewhere) == []
    assert elsewhere.failures == ()


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--auto-tls", "--peer-auto-tls=true"), ("auto-tls", "peer-auto-tls")),
        (("--auto-tls=true", *PAIR), ()),
        (("--auto-tls=false",), ()),
    ],
)
def test_automatic_certificates_count_where_they_take_effect(
    tmp_path: Path, flags: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """With a pair of its own etcd ignores ``--auto-tls``."""
    assert found(tmp_path, *flags).node.etcd_auto_tls == expected


def test_automatic_certificates_lie_below_the_data(tmp_path: Path) -> None:
    """etcd makes the pair itself in its data directory."""
    discovery = found(tmp_path, "--auto-tls", "--data-dir=/var/lib/etcd")
    assert [line for line in table(discovery.references) if line.startswith("etcd auto")] == [
        "etcd auto-tls certificate etcd-server /var/lib/etcd/fixtures/client/cert.pem manifest generated",
        "etcd auto-tls private_key etcd-server /var/lib/etcd/fixtures/client/key.pem manifest generated",
    ]


def test_names_are_those_of_secure_urls(tmp_path: Path) -> None:
    """A wildcard address, a socket, clear text, what nobody expanded and what is no URL name nothing."""
    discovery = found(
        tmp_path,
        "--listen-client-urls=https://0.0.0.0:2379,https://[::]:2379,https://[fd00::1]:2379,http://10.0.0.2:2379",
        "--advertise-client-urls=https://etcd-1:2379,https://$NODE:2379,https://[:2379,unixs://x",
        "--listen-peer-urls=https://10.0.0.1:2380",
        "--initial-advertise-peer-urls=https://peer-1:2380",
    )
    assert discovery.node.etcd_names == ("fd00::1", "etcd-1")
    assert discovery.node.etcd_peer_names == ("10.0.0.1", "peer-1")


def test_a_second_etcd_of_the_directory_counts(tmp_path: Path) -> None:
    """A backup of the manifest is run as a second pod: its listeners and files are there, too."""
    plant(
        tmp_path,
        {
            "/etc/kubernetes/manifests/etcd.yaml.bak": manifest(
                "--listen-client-urls=http://10.0.0.1:2379", PEER, "--cert-file=/etc/kubernetes/old.crt"
            )
        },
    )
    discovery = found(tmp_path, URL, PEER, *PAIR)
    assert listeners(discovery)[:2] == [
        "client http://10.0.0.1:2379 plaintext none manifest",
        "client https://10.0.0.1:2379 tls none manifest",
    ]
    paths = [reference.path for reference in discovery.references if reference.setting == "cert-file"]
    assert paths == ["/etc/kubernetes/old.crt", "/etc/kubernetes/s.crt"]
