"""Kubeconfigs, configuration files, conventions and the operator's patterns; what may be believed of them."""

import json
import os
from pathlib import Path

import pytest

from exporter.demo.pki import make_key, private_pem
from exporter.model import Failure, NodeType, Place, Reason, Role, Search
from tests.discovery.looking import look, plant, table

KUBEADM = {"/etc/kubernetes/kubelet.conf": ""}
MANIFESTS = "/etc/kubernetes/manifests"


def component(name: str, *flags: str) -> str:
    """A static pod that sees all of the host's ``/etc`` and ``/opt``."""
    folders = ("/etc", "/opt")
    return json.dumps(
        {
            "kind": "Pod",
            "spec": {
                "containers": [
                    {
                        "name": name,
                        "command": [name, *flags],
                        "volumeMounts": [{"name": folder, "mountPath": folder} for folder in folders],
                    }
                ],
                "volumes": [{"name": folder, "hostPath": {"path": folder}} for folder in folders],
            },
        }
    )


def kubeconfig(user: str, cluster: str = "server: https://api:6443", current: str = "it") -> str:
    """A kubeconfig with one context."""
    return (
        f"kind: Config\ncurrent-context: {current}\n"
        "contexts: [{name: it, context: {cluster: c, user: u}}]\n"
        f"users: [{{name: u, user: {{{user}}}}}]\nclusters: [{{name: c, cluster: {{{cluster}}}}}]\n"
    )


def rows(root: Path, start: str, *, watch: tuple[Search, ...] = ()) -> list[str]:
    """The references whose line starts so."""
    return [line for line in table(look(root, watch=watch).references) if line.startswith(start)]


def refused(*paths: str) -> tuple[Failure, ...]:
    """The failures of paths that nothing names which can be believed."""
    return tuple(Failure(Place(path), Reason.UNTRUSTED_REFERENCE) for path in paths)


def test_relative_paths_start_at_the_kubeconfig(tmp_path: Path) -> None:
    """Certificate, key and CA of a kubeconfig that a component is given, relative and absolute."""
    text = kubeconfig(
        "client-certificate: certs/me.crt, client-key: /etc/kubernetes/me.key",
        "server: 'https://api:6443', certificate-authority: ../ca.crt",
    )
    scheduler = component("kube-scheduler", "--kubeconfig=/etc/kubernetes/scheduler.conf")
    plant(
        tmp_path,
        {**KUBEADM, f"{MANIFESTS}/s.json": scheduler, "/etc/kubernetes/scheduler.conf": text},
    )
    assert [line.removeprefix("kube-scheduler kubeconfig ") for line in rows(tmp_path, "kube-scheduler")] == [
        "certificate scheduler.conf /etc/kubernetes/certs/me.crt kubeconfig required",
        "kubeconfig scheduler.conf /etc/kubernetes/scheduler.conf manifest required",
        "private_key scheduler.conf /etc/kubernetes/me.key kubeconfig required",
        "trust ca /etc/ca.crt kubeconfig required",
    ]


@pytest.mark.parametrize(
    ("cluster", "current", "expected"),
    [
        ("server: https://api.example:6443", "it", {"api.example"}),
        ("server: 'https://[fd00::1]:6443'", "it", {"fd00::1"}),
        ("server: 'api.example:6443'", "it", {"api.example"}),
        ("server: https://10.0.0.1, tls-server-name: api", "it", {"api"}),
        ("server: https://api:6443, insecure-skip-tls-verify: true", "it", set[str]()),
        ("server: http://api:8080", "it", set[str]()),
        ("server: 'https://[api'", "it", set[str]()),
        ("server: https://api:6443", "another", set[str]()),
    ],
)
def test_the_api_server_must_prove_the_names_by_which_it_is_called(
    tmp_path: Path, cluster: str, current: str, expected: set[str]
) -> None:
    """The current context's server counts, where its certificate is verified at all."""
    plant(
        tmp_path,
        {
            **KUBEADM,
            f"{MANIFESTS}/a.json": component("kube-apiserver"),
            "/etc/kubernetes/admin.conf": kubeconfig("token: t", cluster, current),
        },
    )
    service = {"kubernetes", "kubernetes.default", "kubernetes.default.svc"}
    assert set(look(tmp_path).node.api_names) - service == expected


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (("--service-cluster-ip-range=10.96.0.0/12",), ("10.96.0.1",)),
        (("--service-cluster-ip-range=fd00:1::/112,10.96.0.0/12",), ("fd00:1::1",)),
        (("--service-cluster-ip-range=10.0.0.1/32", "--advertise-address=0.0.0.0"), ()),
        (("--service-cluster-ip-range=some", "--advertise-address=where"), ()),
        (("--advertise-address=10.0.0.5",), ("10.0.0.5",)),
    ],
)
def test_the_api_servers_own_addresses_count(
    tmp_path: Path, flags: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    """The advertised address and the first of the first Service range; what is no address names nothing."""
    plant(tmp_path, {**KUBEADM, f"{MANIFESTS}/a.json": component("kube-apiserver", *flags)})
    assert look(tmp_path).node.api_names[3:] == expected


def test_kubeadms_configuration_names_the_endpoint(tmp_path: Path) -> None:
    """kind leaves kubeadm's configuration on the node: control-plane endpoint and extra names."""
    documents = "kind: InitConfiguration\n---\nkind: ClusterConfiguration\n"
    documents += "apiServer: {certSANs: [localhost, 5]}\ncontrolPlaneEndpoint: '%s'\n---\n{\n"
    for endpoint, host in (
        ("lb.example:6443", "lb.example"),
        ("[fd00::2]:6443", "fd00::2"),
        ("fd00::3", "fd00::3"),
    ):
        plant(
            tmp_path,
            {
                f"{MANIFESTS}/a.json": component("kube-apiserver"),
                "/kind/kubeadm.conf": documents % endpoint,
            },
        )
        assert look(tmp_path).node.api_names[3:] == (host, "localhost")


def test_configuration_files_name_files_in_turn(tmp_path: Path) -> None:
    """Egress selectors, admission, authorization and client connections are followed like flags."""
    egress = (
        "egressSelections:\n- connection: {transport: {tcp: {tlsConfig:"
        " {caBundle: /etc/kubernetes/e-ca.crt, clientCert: e.crt, clientKey: e.key}}}}\n"
    )
    admission = "plugins:\n- {configuration: {kubeConfigFile: hook.conf}}\n- {name: x}\n"
    authorization = "authorizers: [{webhook: {connectionInfo: {kubeConfigFile: auth.conf}}}]\n"
    plant(
        tmp_path,
        {
            **KUBEADM,
            f"{MANIFESTS}/a.json": component(
                "kube-apiserver",
                "--egress-selector-config-file=/etc/kubernetes/egress.yaml",
                "--admission-control-config-file=/etc/kubernetes/admission.yaml",
                "--authorization-config=/etc/kubernetes/authorization.yaml",
            ),
            f"{MANIFESTS}/s.json": component("kube-scheduler", "--config=/etc/kubernetes/s.yaml"),
            f"{MANIFESTS}/p.json": component("kube-proxy", "--config=/etc/kubernetes/absent.yaml"),
            f"{MANIFESTS}/c.json": component("cloud-controller-manager", "--config=/etc/kubernetes/s.yaml"),
            "/etc/kubernetes/egress.yaml": egress,
            "/etc/kubernetes/admission.yaml": admission,
            "/etc/kubernetes/authorization.yaml": authorization,
            "/etc/kubernetes/s.yaml": "clientConnection: {kubeconfig: /etc/kubernetes/scheduler.conf}\n",
            "/etc/kubernetes/hook.conf": kubeconfig("client-certificate: h.crt", "server: https://hook"),
            "/etc/kubernetes/scheduler.conf": kubeconfig("token: t"),
        },
    )
    found = look(tmp_path)
    lines = [
        line for line in table(found.references) if line.startswith(("kube-apiserver", "kube-scheduler"))
    ]
    assert lines == [
        (
            "kube-apiserver admission-control-config-file certificate kubeconfig-user"
            " /etc/kubernetes/h.crt kubeconfig required"
        ),
        (
            "kube-apiserver admission-control-config-file kubeconfig kubeconfig-user"
            " /etc/kubernetes/hook.conf component_config required"
        ),
        (
            "kube-apiserver authorization-config kubeconfig kubeconfig-user"
            " /etc/kubernetes/auth.conf component_config required"
        ),
        (
            "kube-apiserver egress-selector-config-file certificate other"
            " /etc/kubernetes/e.crt component_config required"
        ),
        (
            "kube-apiserver egress-selector-config-file private_key other"
            " /etc/kubernetes/e.key component_config required"
        ),
        (
            "kube-apiserver egress-selector-config-file trust other"
            " /etc/kubernetes/e-ca.crt component_config required"
        ),
        (
            "kube-scheduler config kubeconfig scheduler.conf"
            " /etc/kubernetes/scheduler.conf component_config required"
        ),
    ]
    assert "hook" not in found.node.api_names
    assert "api" in found.node.api_names
    assert found.failures == ()


def test_what_is_only_in_the_container_is_not_on_the_host(tmp_path: Path) -> None:
    """A kubeconfig or configuration file on the host may name files of the image."""
    egress = "egressSelections: [{connection: {transport: {tcp: {tlsConfig: {caBundle: /image/ca.crt}}}}}]\n"
    plant(
        tmp_path,
        {
            "/kind/version": "v1",
            f"{MANIFESTS}/a.json": component(
                "kube-apiserver", "--egress-selector-config-file=/etc/kubernetes/egress.yaml"
            ),
            f"{MANIFESTS}/s.json": component("kube-scheduler", "--kubeconfig=/etc/kubernetes/s.conf"),
            "/etc/kubernetes/egress.yaml": egress,
            "/etc/kubernetes/s.conf": kubeconfig("client-certificate: /image/me.crt"),
        },
    )
    assert not any("/image" in reference.path for reference in look(tmp_path).references)


def test_a_node_whose_kubelet_nothing_describes(tmp_path: Path) -> None:
    """Known by its mark alone, a node has a kubelet of which nothing is said."""
    found = look(plant(tmp_path, {"/etc/eks/notes": ""}))
    assert found.references == ()
    assert found.node.kubelet.certificate_directory == ""
    assert found.node.kubelet.rotate_certificates is None


def test_a_demoted_control_plane_has_no_conventions(tmp_path: Path) -> None:
    """Without manifests nothing runs, and what kubeadm left is not in use; nor is etcd's without an etcd."""
    leftovers = {
        **KUBEADM,
        "/etc/kubernetes/admin.conf": "",
        "/etc/kubernetes/pki/etcd/healthcheck-client.crt": "",
    }
    plant(tmp_path, {**leftovers, f"{MANIFESTS}/": ""})
    assert rows(tmp_path, "kub") == rows(tmp_path, "kubelet")
    assert look(tmp_path).node.type is NodeType.WORKER
    plant(tmp_path, {f"{MANIFESTS}/a.json": component("kube-apiserver")})
    conventions = {line.split()[4] for line in (*rows(tmp_path, "kubectl"), *rows(tmp_path, "kubeadm"))}
    assert conventions == {
        "/etc/kubernetes/admin.conf",
        "/etc/kubernetes/super-admin.conf",
        "/etc/kubernetes/pki/ca.key",
        "/etc/kubernetes/pki/front-proxy-ca.key",
    }


def test_external_etcd_is_named_by_the_api_server(tmp_path: Path) -> None:
    """The client pair and CA that nobody else sees have their roles from the flags."""
    flags = ("--etcd-cafile=/etc/kubernetes/pki/ext-ca.crt", "--etcd-certfile=/etc/kubernetes/pki/ext.crt")
    plant(tmp_path, {**KUBEADM, f"{MANIFESTS}/a.json": component("kube-apiserver", *flags)})
    assert rows(tmp_path, "kube-apiserver") == [
        "kube-apiserver etcd-cafile trust etcd-ca /etc/kubernetes/pki/ext-ca.crt manifest required",
        (
            "kube-apiserver etcd-certfile certificate apiserver-etcd-client"
            " /etc/kubernetes/pki/ext.crt manifest required"
        ),
    ]


def test_an_external_ca_has_no_signer(tmp_path: Path) -> None:
    """kubeadm gives empty signing flags then; an empty path names nothing."""
    flags = ("--cluster-signing-cert-file=", "--cluster-signing-key-file=")
    plant(tmp_path, {**KUBEADM, f"{MANIFESTS}/c.json": component("kube-controller-manager", *flags)})
    assert rows(tmp_path, "kube-controller-manager") == []


UNTRUSTED = component(
    "kube-scheduler", "--client-ca-file=/opt/x/ca.crt", "--kubeconfig=/etc/kubernetes/s.conf"
)


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "folder_mode", "is_believed"),
    [
        (0o600, 0, 0, 0o755, True),
        (0o660, 0, 0, 0o775, True),
        (0o660, 0, 1001, 0o755, False),
        (0o606, 0, 0, 0o755, False),
        (0o600, 1001, 0, 0o755, False),
        (0o600, 0, 0, 0o777, False),
        (0o600, 0, 0, 0o1777, True),
    ],
)
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_evidence_that_others_can_write_leads_only_to_known_directories(
    tmp_path: Path, mode: int, uid: int, gid: int, folder_mode: int, *, is_believed: bool
) -> None:
    """A path that a non-root user may have written is followed only where certificates belong anyway."""
    plant(tmp_path, {**KUBEADM, f"{MANIFESTS}/s.json": UNTRUSTED})
    manifest = tmp_path / MANIFESTS[1:] / "s.json"
    manifest.chmod(mode)
    os.chown(manifest, uid, gid)
    manifest.parent.chmod(folder_mode)
    found = look(tmp_path)
    paths = {reference.path for reference in found.references if reference.component == "kube-scheduler"}
    assert "/etc/kubernetes/s.conf" in paths
    assert ("/opt/x/ca.crt" in paths) is is_believed
    assert found.failures == (() if is_believed else refused("/opt/x/ca.crt"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_doubtful_path_is_not_opened_to_follow_it(tmp_path: Path) -> None:
    """A kubeconfig or configuration named only by doubtful evidence outside the known places is not read."""
    pods = {
        "s": component("kube-scheduler", "--kubeconfig=/opt/s.conf", "--config=/opt/s.yaml"),
        "e": component("etcd", "--config-file=/opt/e.yaml"),
    }
    text = kubeconfig("client-certificate: /etc/kubernetes/me.crt")
    plant(
        tmp_path,
        {
            **KUBEADM,
            **{f"{MANIFESTS}/{name}.json": pod for name, pod in pods.items()},
            "/opt/s.conf": text,
            "/opt/s.yaml": "{",
            "/opt/e.yaml": "{",
        },
    )
    for name in pods:
        os.chown(tmp_path / MANIFESTS[1:] / f"{name}.json", 1001, 0)
    found = look(tmp_path)
    assert found.failures == refused("/opt/e.yaml", "/opt/s.conf", "/opt/s.yaml")
    assert "/etc/kubernetes/me.crt" not in {reference.path for reference in found.references}


@pytest.mark.parametrize(
    ("flag", "path"),
    [("config", "/opt/config.yaml"), ("config-dir", "/opt/kubelet.d")],
)
@pytest.mark.parametrize("is_loose", [True, False])
def test_a_doubtful_kubelet_configuration_outside_is_not_read(
    tmp_path: Path, flag: str, path: str, *, is_loose: bool
) -> None:
    """What others can write makes the kubelet's configuration lead nowhere, and it is said what is not read.

    Nothing is concluded from its silence, and what lies in a directory is not told.
    """
    text = "kind: KubeletConfiguration\nrotateCertificates: true\n"
    plant(
        tmp_path,
        {
            **KUBEADM,
            "/etc/default/kubelet": f"A=--{flag}={path}\n",
            "/opt/config.yaml": text,
            "/opt/kubelet.d/10.conf": text,
        },
    )
    (tmp_path / "etc/default/kubelet").chmod(0o666 if is_loose else 0o600)
    found = look(tmp_path)
    assert found.failures == (refused(path) if is_loose else ())
    assert found.node.kubelet.rotate_certificates is (None if is_loose else True)
    assert (path in found.directories) is (flag == "config-dir" and not is_loose)


@pytest.mark.parametrize(
    ("mode", "directory", "is_followed"),
    [(0o600, "/root/private", True), (0o666, "/root/private", False), (0o666, "/etc/kubernetes/pods", True)],
)
def test_static_pods_are_looked_for_only_where_a_believable_configuration_says(
    tmp_path: Path, mode: int, directory: str, *, is_followed: bool
) -> None:
    """Else not even the names of what lies there are told."""
    plant(
        tmp_path,
        {
            **KUBEADM,
            "/var/lib/kubelet/config.yaml": f"staticPodPath: {directory}\n",
            f"{directory}/customers.txt": "not a pod\n",
        },
    )
    (tmp_path / "var/lib/kubelet/config.yaml").chmod(mode)
    found = look(tmp_path)
    failure = Failure(Place(f"{directory}/customers.txt"), Reason.MALFORMED_CONFIGURATION)
    assert found.failures == ((failure,) if is_followed else refused(directory))
    assert (directory in found.directories) is is_followed


def test_each_flag_is_believed_as_what_gives_it(tmp_path: Path) -> None:
    """A further flag that others can write leaves the distribution's own words as good as they are."""
    plant(
        tmp_path,
        {
            **KUBEADM,
            "/var/lib/kubelet/kubeadm-flags.env": "A='--node-ip=10.0.0.1 --cert-dir=/opt/kubelet'\n",
            "/var/lib/kubelet/config.yaml": "rotateCertificates: true\ntlsCertFile: /opt/own.crt\n",
        },
    )
    (tmp_path / "var/lib/kubelet/kubeadm-flags.env").chmod(0o666)
    found = look(tmp_path)
    assert found.node.kubelet.rotate_certificates is True
    assert "/opt/own.crt" in {reference.path for reference in found.references}
    assert found.failures == refused("/opt/kubelet")
    assert not any("/opt/kubelet" in search.pattern for search in found.searches)


def test_what_else_names_a_doubtful_path_makes_it_good(tmp_path: Path) -> None:
    """One believable reference is enough."""
    plant(tmp_path, {**KUBEADM, f"{MANIFESTS}/s.json": UNTRUSTED, f"{MANIFESTS}/t.json": UNTRUSTED})
    (tmp_path / MANIFESTS[1:] / "s.json").chmod(0o666)
    found = look(tmp_path)
    assert found.failures == ()
    assert "/opt/x/ca.crt" in {reference.path for reference in found.references}


def test_what_else_names_a_doubtful_configuration_makes_it_good(tmp_path: Path) -> None:
    """A configuration file that one manifest of two may be believed to name is read and no failure."""
    pod = component("kube-scheduler", "--config=/opt/s.yaml")
    tree = {
        f"{MANIFESTS}/s.json": pod,
        f"{MANIFESTS}/t.json": pod,
        "/opt/s.yaml": "clientConnection: {kubeconfig: /opt/s.conf}\n",
    }
    plant(tmp_path, {**KUBEADM, **tree})
    (tmp_path / MANIFESTS[1:] / "s.json").chmod(0o666)
    found = look(tmp_path)
    assert found.failures == ()
    assert "/opt/s.conf" in {reference.path for reference in found.references}


def test_the_operators_patterns_are_in_use(tmp_path: Path) -> None:
    """Certificates, kubeconfigs with what they name, and keys; what is none of them is let be."""
    plant(
        tmp_path,
        {
            **KUBEADM,
            "/opt/certs/notes.txt": "nothing here\n",
            "/opt/certs/me.conf": kubeconfig("client-certificate: sub/me.crt"),
            "/opt/certs/broken.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        },
    )
    watch = (Search(pattern="/opt/certs/*", role=Role.KUBECONFIG_USER),)
    found = look(tmp_path, watch=watch)
    assert [line for line in table(found.references) if line.startswith("operator")] == [
        "operator /opt/certs/* certificate kubeconfig-user /opt/certs/broken.pem operator optional",
        "operator /opt/certs/* certificate kubeconfig-user /opt/certs/sub/me.crt kubeconfig required",
        "operator /opt/certs/* kubeconfig kubeconfig-user /opt/certs/me.conf operator optional",
    ]
    assert found.searches[-1] == Search(pattern="/opt/certs/*", role=Role.KUBECONFIG_USER, is_operators=True)


def test_a_plain_path_of_the_operator_must_be_there(tmp_path: Path) -> None:
    """A path without wildcards is a file that is expected; what is no absolute path is left out."""
    plant(tmp_path, {**KUBEADM, "/opt/empty.pem": ""})
    watch = (
        Search(pattern="/opt/empty.pem"),
        Search(pattern="/opt/absent.pem"),
        Search(pattern="relative/*"),
    )
    assert rows(tmp_path, "operator", watch=watch) == [
        "operator /opt/absent.pem certificate other /opt/absent.pem operator required",
        "operator /opt/empty.pem certificate other /opt/empty.pem operator required",
    ]


def test_a_dollar_in_the_operators_path_is_part_of_a_name(tmp_path: Path) -> None:
    """Only a command line has variables that somebody may have left unexpanded."""
    folder = "/opt/a$b"
    flags = (f"--client-ca-file={folder}/ca.crt",)
    plant(
        tmp_path,
        {
            **KUBEADM,
            f"{MANIFESTS}/a.json": component("kube-apiserver", *flags),
            f"{folder}/me.conf": kubeconfig("client-certificate: me.crt"),
        },
    )
    watch = (Search(pattern=f"{folder}/*.conf"), Search(pattern=f"{folder}/x.crt"))
    assert rows(tmp_path, "operator", watch=watch) == [
        f"operator {folder}/*.conf certificate other {folder}/me.crt kubeconfig required",
        f"operator {folder}/*.conf kubeconfig other {folder}/me.conf operator optional",
        f"operator {folder}/x.crt certificate other {folder}/x.crt operator required",
    ]
    assert rows(tmp_path, "kube-apiserver") == []


def test_the_operator_cannot_have_a_signing_key_opened(tmp_path: Path) -> None:
    """A key that something uses as such is one without a look into it."""
    flags = ("--cluster-signing-key-file=/etc/kubernetes/pki/signing.pem",)
    plant(
        tmp_path,
        {
            **KUBEADM,
            f"{MANIFESTS}/c.json": component("kube-controller-manager", *flags),
            "/etc/kubernetes/pki/signing.pem": "",
        },
    )
    watch = (Search(pattern="/etc/kubernetes/pki/*"),)
    assert rows(tmp_path, "operator", watch=watch) == [
        "operator /etc/kubernetes/pki/* private_key other /etc/kubernetes/pki/signing.pem operator optional"
    ]


def test_no_other_name_lets_the_operator_have_a_signing_key_opened(tmp_path: Path) -> None:
    """A link and a hard link to it tell nothing of what they lead to; a key beside them does."""
    flags = ("--cluster-signing-key-file=/etc/kubernetes/pki/signing.pem",)
    key = private_pem(make_key())
    plant(
        tmp_path,
        {
            **KUBEADM,
            f"{MANIFESTS}/c.json": component("kube-controller-manager", *flags),
            "/etc/kubernetes/pki/signing.pem": key,
            "/opt/other.pem": key,
        },
    )
    (tmp_path / "opt/alias.pem").symlink_to("/etc/kubernetes/pki/signing.pem")
    (tmp_path / "opt/hard.pem").hardlink_to(tmp_path / "etc/kubernetes/pki/signing.pem")

    assert rows(tmp_path, "operator", watch=(Search(pattern="/opt/*"),)) == [
        "operator /opt/* private_key other /opt/other.pem operator optional"
    ]
