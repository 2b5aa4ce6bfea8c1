"""The kubelet's effective settings: flags, drop-ins, configuration, unit and environment files."""

from pathlib import Path

import pytest

from exporter.model import Failure, Origin, Part, Place, Reason
from tests.discovery.looking import look, plant, table

MARK = {"/etc/kubernetes/kubelet.conf": ""}
CONFIG = "/var/lib/kubelet/config.yaml"
UNIT = "/usr/lib/systemd/system/kubelet.service"
DROP_IN = "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"
KUBEADM = {
    UNIT: "[Unit]\nDescription=kubelet\n[Service]\nExecStart=/usr/bin/kubelet\nRestart=always\n",
    DROP_IN: """
# the packages' own drop-in
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
--kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS \\
  $KUBELET_EXTRA_ARGS
""",
}


def rows(root: Path, *settings: str) -> list[str]:
    """The kubelet's references of some settings."""
    return table(
        reference
        for reference in look(root).references
        if reference.component == "kubelet" and (not settings or reference.setting in settings)
    )


def test_the_unit_of_the_packages_names_everything(tmp_path: Path) -> None:
    """Unit, drop-in and environment files are put together as systemd does it."""
    plant(
        tmp_path,
        {
            **KUBEADM,
            CONFIG: "kind: KubeletConfiguration\nrotateCertificates: true\n",
            "/var/lib/kubelet/kubeadm-flags.env": 'KUBELET_KUBEADM_ARGS="--node-ip=10.0.0.7,::,x --v=2"\n',
            "/etc/default/kubelet": (
                "KUBELET_EXTRA_ARGS='--hostname-override=Node-7 --cert-dir=/var/lib/kubelet/own'\n"
            ),
        },
    )
    assert rows(tmp_path) == [
        (
            "kubelet bootstrap-kubeconfig kubeconfig kubelet-client"
            " /etc/kubernetes/bootstrap-kubelet.conf unit optional"
        ),
        (
            "kubelet cert-dir certificate kubelet-server-self-signed"
            " /var/lib/kubelet/own/kubelet.crt unit optional"
        ),
        (
            "kubelet cert-dir private_key kubelet-server-self-signed"
            " /var/lib/kubelet/own/kubelet.key unit optional"
        ),
        "kubelet kubeconfig kubeconfig kubelet-client /etc/kubernetes/kubelet.conf unit required",
        (
            "kubelet rotateCertificates certificate kubelet-client"
            " /var/lib/kubelet/own/kubelet-client-current.pem kubelet_config generated"
        ),
        (
            "kubelet rotateCertificates private_key kubelet-client"
            " /var/lib/kubelet/own/kubelet-client-current.pem kubelet_config generated"
        ),
    ]
    node = look(tmp_path).node
    assert node.name == "node-7"
    assert node.addresses == ("10.0.0.7",)
    assert node.kubelet.server_tls_bootstrap is False
    assert node.kubelet.server_tls_bootstrap_origin is Origin.CONVENTION


def test_systemd_rules_decide_which_files_count(tmp_path: Path) -> None:
    """A stronger directory hides its namesake; drop-ins go by name; an empty assignment starts afresh."""
    plant(
        tmp_path,
        {
            **MARK,
            UNIT: "[Service]\nExecStart=/usr/bin/kubelet --client-ca-file=/etc/kubernetes/hidden.crt\n",
            "/etc/systemd/system/kubelet.service": (
                "[Service]\nEnvironment=A=gone\nEnvironmentFile=/etc/gone\nExecStart=-@/usr/bin/kubelet \\\n"
                "  --client-ca-file=/etc/kubernetes/${A}.crt --tls-cert-file $B\n"
            ),
            DROP_IN: "[Service]\nEnvironment=A=hidden\n",
            "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf": (
                "[Service]\nEnvironment=\nEnvironmentFile=\n"
            ),
            "/run/systemd/system/kubelet.service.d/20-more.conf": (
                "; a comment\r\n[Service]\r\n"
                "Environment=A=one 'B=/etc/kubernetes/b.crt --node-ip=10.0.0.8'\r\n"
                "nonsense\r\n[Install]\r\nExecStart=/bin/false\r\n"
            ),
            "/run/systemd/system/kubelet.service.d/30-not.txt": "[Service]\nEnvironment=A=hidden\n",
            "/etc/gone": "A=hidden\n",
        },
    )
    assert rows(tmp_path, "client-ca-file", "tls-cert-file") == [
        "kubelet client-ca-file trust ca /etc/kubernetes/one.crt unit required",
        "kubelet tls-cert-file certificate kubelet-server /etc/kubernetes/b.crt unit required",
    ]
    assert look(tmp_path).node.addresses == ("10.0.0.8",)


def test_a_unit_that_starts_something_else_is_no_evidence(tmp_path: Path) -> None:
    """A wrapper whose arguments are not the kubelet's leaves the convention in force."""
    plant(tmp_path, {**MARK, UNIT: "[Service]\nExecStart=/usr/bin/wrapper --config=/etc/wrapper.yaml\n"})
    assert rows(tmp_path, "kubeconfig") == [
        "kubelet kubeconfig kubeconfig kubelet-client /etc/kubernetes/kubelet.conf convention optional"
    ]
    plant(tmp_path, {UNIT: "[Service]\nExecStart=$EMPTY\n"})
    assert rows(tmp_path, "kubeconfig")[0].endswith("convention optional")


DROP_INS = {
    **MARK,
    UNIT: f"[Service]\nExecStart=/usr/bin/kubelet --config={CONFIG} --config-dir=/etc/kubernetes/kubelet.d\n",
}
KIND = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n"


def test_drop_ins_are_merged_in_the_order_of_their_paths(tmp_path: Path) -> None:
    """Objects are merged, other values replaced, null removes; only ``*.conf`` counts, recursively."""
    plant(
        tmp_path,
        {
            **DROP_INS,
            CONFIG: (
                "authentication: {x509: {clientCAFile: a.crt}, webhook: {enabled: true}}\n"
                "tlsCertFile: /etc/kubernetes/base.crt\nrotateCertificates: true\nserverTLSBootstrap: true\n"
            ),
            "/etc/kubernetes/kubelet.d/10.conf": f"{KIND}tlsCertFile: /etc/kubernetes/ten.crt\n",
            "/etc/kubernetes/kubelet.d/20.conf": (
                f"{KIND}tlsCertFile: certs/twenty.crt\nserverTLSBootstrap: null\n"
                "authentication: {anonymous: null}\n"
            ),
            "/etc/kubernetes/kubelet.d/sub/05.conf": f"{KIND}rotateCertificates: false\n",
            "/etc/kubernetes/kubelet.d/99.yaml": f"{KIND}tlsCertFile: /etc/kubernetes/not.crt\n",
        },
    )
    found = look(tmp_path)
    assert rows(tmp_path, "tlsCertFile", "authentication.x509.clientCAFile") == [
        "kubelet authentication.x509.clientCAFile trust ca /var/lib/kubelet/a.crt kubelet_config required",
        (
            "kubelet tlsCertFile certificate kubelet-server"
            " /etc/kubernetes/kubelet.d/certs/twenty.crt kubelet_config required"
        ),
    ]
    assert found.node.kubelet.rotate_certificates is False
    assert found.node.kubelet.rotate_certificates_origin is Origin.KUBELET_CONFIG
    assert found.node.kubelet.server_tls_bootstrap is False
    assert found.node.kubelet.server_tls_bootstrap_origin is Origin.CONVENTION
    assert "/etc/kubernetes/kubelet.d" in found.directories


@pytest.mark.parametrize("content", ["tlsCertFile: /etc/kubernetes/not.crt\n", "[]", "{", ""])
def test_a_drop_in_that_is_none_is_a_failure(tmp_path: Path, content: str) -> None:
    """A drop-in must say what it is; the others count all the same."""
    plant(
        tmp_path,
        {
            **DROP_INS,
            CONFIG: "tlsCertFile: /etc/kubernetes/base.crt\n",
            "/etc/kubernetes/kubelet.d/10.conf": content,
        },
    )
    path = Place("/etc/kubernetes/kubelet.d/10.conf")
    assert look(tmp_path).failures == (Failure(path, Reason.MALFORMED_CONFIGURATION),)
    assert rows(tmp_path, "tlsCertFile") == [
        "kubelet tlsCertFile certificate kubelet-server /etc/kubernetes/base.crt kubelet_config required"
    ]


def test_flags_go_before_the_configuration(tmp_path: Path) -> None:
    """What a flag says counts, under the flag's name; a flag that is no boolean says nothing."""
    plant(
        tmp_path,
        {
            **MARK,
            UNIT: (
                f"[Service]\nExecStart=/usr/bin/kubelet --config={CONFIG} --rotate-certificates"
                " --rotate-server-certificates=perhaps --tls-cert-file=/etc/kubernetes/flag.crt"
                " --tls-private-key-file=/etc/kubernetes/flag.key --pod-manifest-path=/etc/kubernetes/pods\n"
            ),
            CONFIG: (
                "rotateCertificates: false\nserverTLSBootstrap: true\n"
                "tlsCertFile: /etc/kubernetes/field.crt\nstaticPodPath: /etc/kubernetes/manifests\n"
            ),
        },
    )
    node = look(tmp_path).node
    assert (node.kubelet.rotate_certificates, node.kubelet.rotate_certificates_origin) == (True, Origin.UNIT)
    assert (node.kubelet.server_tls_bootstrap, node.kubelet.server_tls_bootstrap_origin) == (
        True,
        Origin.KUBELET_CONFIG,
    )
    assert node.kubelet.static_pod_path == "/etc/kubernetes/pods"
    assert rows(tmp_path, "tls-cert-file", "tls-private-key-file", "rotate-certificates", "tlsCertFile") == [
        (
            "kubelet rotate-certificates certificate kubelet-client"
            " /var/lib/kubelet/pki/kubelet-client-current.pem unit generated"
        ),
        (
            "kubelet rotate-certificates private_key kubelet-client"
            " /var/lib/kubelet/pki/kubelet-client-current.pem unit generated"
        ),
        "kubelet tls-cert-file certificate kubelet-server /etc/kubernetes/flag.crt unit required",
        "kubelet tls-private-key-file private_key kubelet-server /etc/kubernetes/flag.key unit required",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", Reason.MALFORMED_CONFIGURATION),
        (b"- a list", Reason.MALFORMED_CONFIGURATION),
        (b"\xff\xfe", Reason.MALFORMED_CONFIGURATION),
        (b"#" * (2 << 20), Reason.TOO_LARGE),
    ],
)
def test_a_configuration_that_cannot_be_read_leaves_the_settings_unknown(
    tmp_path: Path, content: bytes, reason: Reason
) -> None:
    """The failure is named, and nothing is concluded from the silence: not that rotation is off."""
    plant(
        tmp_path,
        {**MARK, CONFIG: content, "/var/lib/kubelet/kubeadm-flags.env": "KUBELET_KUBEADM_ARGS=--v=2\n"},
    )
    found = look(tmp_path)
    assert found.failures == (Failure(Place(CONFIG), reason),)
    assert found.node.kubelet.rotate_certificates is None
    assert found.node.kubelet.rotate_certificates_origin is None
    assert found.node.kubelet.certificate_directory == "/var/lib/kubelet/pki"
    assert {reference.setting for reference in found.references} == {"kubeconfig", "bootstrap-kubeconfig"}


@pytest.mark.parametrize("value", ["5", "[a]", "{a: b}", "null", "''"])
def test_a_field_of_another_type_names_no_file(tmp_path: Path, value: str) -> None:
    """A path that is no string is none, and a switch that is no boolean counts as unset."""
    plant(
        tmp_path,
        {
            **MARK,
            CONFIG: f"tlsCertFile: {value}\nrotateCertificates: {value}\nauthentication: {value}\n",
        },
    )
    found = look(tmp_path)
    assert found.node.kubelet.rotate_certificates is False
    assert "tlsCertFile" not in {reference.setting for reference in found.references}


@pytest.mark.parametrize(
    ("files", "given", "expected"),
    [
        ({"/etc/hostname": "# who\n\nNode-1\n"}, "", "node-1"),
        ({"/etc/hostname": "localhost.localdomain\n"}, "", ""),
        ({"/etc/hostname": b"\xff\n"}, "", ""),
        ({"/etc/hostname": "two words\n"}, "", ""),
        ({"/etc/hostname": ""}, "", ""),
        ({"/etc/hostname": "host\n"}, "from-the-api", "from-the-api"),
        ({"/var/lib/kubelet/kubeadm-flags.env": "A=--hostname-override=Mine\n"}, "from-the-api", "mine"),
        ({"/var/lib/kubelet/kubeadm-flags.env": "A=--hostname-override=$NAME\n"}, "", ""),
        ({}, "", ""),
    ],
)
def test_the_nodes_name(tmp_path: Path, files: dict[str, str | bytes], given: str, expected: str) -> None:
    """``--hostname-override``, then what the operator gives, then the host name unless it means nothing."""
    assert look(plant(tmp_path, {**MARK, **files}), node_name=given).node.name == expected


NAMES_THE_LINK = "kind: Config\nusers: [{name: u, user: {client-certificate: %s}}]\n"
CLIENT_LINK = "/var/lib/kubelet/pki/kubelet-client-current.pem"
DATED = "kubelet-%s-2026-01-01-00-00-00.pem"
BOOTSTRAP = {"/etc/kubernetes/bootstrap-kubelet.conf": ""}
NAMED = {"/etc/kubernetes/kubelet.conf": NAMES_THE_LINK % CLIENT_LINK}


@pytest.mark.parametrize(
    ("tree", "link", "need"),
    [
        (BOOTSTRAP, "", "generated"),
        (MARK, "", "generated"),
        (BOOTSTRAP | NAMED, "", "generated"),
        (NAMED, "", "required"),
        (BOOTSTRAP | {f"/var/lib/kubelet/pki/{DATED % 'client'}": ""}, "", "required"),
        (BOOTSTRAP | {f"/var/lib/kubelet/pki/{DATED % 'server'}": ""}, "", "generated"),
        (BOOTSTRAP | {"/var/lib/kubelet/pki/kubelet-client.key.tmp": ""}, "", "generated"),
        (BOOTSTRAP | {"/var/lib/kubelet/pki/": ""}, DATED % "client", "required"),
    ],
)
def test_a_pair_is_to_come_only_where_the_kubelet_has_made_none_and_can(
    tmp_path: Path, tree: dict[str, str], link: str, need: str
) -> None:
    """A link that leads nowhere, or a dated pair without one, is a loss, also to who never saw it whole."""
    plant(tmp_path, {**KUBEADM, CONFIG: "rotateCertificates: true\n", **MARK, **tree})
    if link:
        (tmp_path / CLIENT_LINK.lstrip("/")).symlink_to(f"/var/lib/kubelet/pki/{link}")
    needs = [
        reference.requirement.value
        for reference in look(tmp_path).references
        if reference.path == CLIENT_LINK and reference.part is Part.CERTIFICATE
    ]
    assert ("required" if "required" in needs else "generated") == need
    assert needs


def test_a_kubelet_without_a_bootstrap_kubeconfig_needs_the_pair_that_its_kubeconfig_names(
    tmp_path: Path,
) -> None:
    """It has nothing to ask for one with."""
    unit = "[Service]\nExecStart=/usr/bin/kubelet --kubeconfig=/etc/kubernetes/kubelet.conf\n"
    plant(tmp_path, {UNIT: unit, **NAMED})

    assert rows(tmp_path, "kubeconfig")[0].endswith(f"{CLIENT_LINK} kubeconfig required")


def test_a_directory_that_others_name_is_not_listed(tmp_path: Path) -> None:
    """What it holds is not told, not even by what is required of it (DESIGN 5)."""
    unit = "[Service]\nExecStart=/usr/bin/kubelet --cert-dir=/home/x --rotate-certificates\n"
    plant(tmp_path, {UNIT: unit, **MARK, "/home/x/" + DATED % "client": ""})
    (tmp_path / UNIT.lstrip("/")).chmod(0o666)

    found = look(tmp_path)

    assert not [reference for reference in found.references if reference.path.startswith("/home")]
    assert found.failures == (Failure(Place("/home/x"), Reason.UNTRUSTED_REFERENCE),)


def test_a_directory_that_a_doubtful_kubeconfig_names_is_not_listed(tmp_path: Path) -> None:
    """Whether a pair lies in it would show in what is required."""
    link = "/home/x/kubelet-client-current.pem"
    plant(tmp_path, {**KUBEADM, **BOOTSTRAP, "/etc/kubernetes/kubelet.conf": NAMES_THE_LINK % link})
    (tmp_path / "etc/kubernetes/kubelet.conf").chmod(0o666)

    found = look(tmp_path)

    assert not [reference for reference in found.references if reference.path == link]
    assert Failure(Place(link), Reason.UNTRUSTED_REFERENCE) in found.failures
