"""Components that systemd starts: etcd of Kubespray, clusters that people set up by hand."""

from pathlib import Path

from exporter.model import Failure, Mount, NodeType, Place, Process, Reason
from tests.discovery.looking import look, plant, table

ETCD = {
    "/etc/kubernetes/kubelet.conf": "",
    "/etc/systemd/system/etcd.service": (
        "[Service]\nEnvironmentFile=-/etc/etcd.env\nExecStart=/usr/local/bin/etcd\n"
    ),
    "/etc/etcd.env": (
        "# Settings\nETCD_LISTEN_CLIENT_URLS=https://10.0.0.1:2379,https://127.0.0.1:2379\n"
        "ETCD_LISTEN_PEER_URLS=https://10.0.0.1:2380\nETCD_TRUSTED_CA_FILE=/etc/ssl/etcd/ssl/ca.pem\n"
        "ETCD_CERT_FILE=/etc/ssl/etcd/ssl/member-n1.pem\nETCD_CLIENT_CERT_AUTH=true\n"
        "ETCD_PEER_TRUSTED_CA_FILE=/etc/ssl/etcd/ssl/ca.pem\nETCD_PEER_CLIENT_CERT_AUTH=True\n"
    ),
}
ENABLED = {"/etc/systemd/system/multi-user.target.wants/etcd.service": ""}


def test_an_etcd_with_all_its_settings_in_variables(tmp_path: Path) -> None:
    """The unit has no flag; its environment file has them all."""
    found = look(plant(tmp_path, {**ETCD, **ENABLED}))
    assert [line for line in table(found.references) if line.startswith("etcd ")] == [
        "etcd cert-file certificate etcd-server /etc/ssl/etcd/ssl/member-n1.pem unit required",
        "etcd peer-trusted-ca-file trust etcd-ca /etc/ssl/etcd/ssl/ca.pem unit required",
        "etcd trusted-ca-file trust etcd-ca /etc/ssl/etcd/ssl/ca.pem unit required",
    ]
    assert [(item.url, item.client_auth) for item in found.node.listeners] == [
        ("https://10.0.0.1:2379", "required"),
        ("https://127.0.0.1:2379", "required"),
        ("https://10.0.0.1:2380", "required"),
    ]
    assert found.node.type is NodeType.CONTROL_PLANE
    assert found.node.etcd_path == "/etc/systemd/system/etcd.service"


def test_an_installed_unit_that_nothing_starts_is_no_evidence(tmp_path: Path) -> None:
    """A package brings its unit along; only an enabled one runs."""
    found = look(plant(tmp_path, ETCD))
    assert "etcd" not in {reference.component for reference in found.references}
    assert found.node.listeners == ()


def test_a_unit_that_cannot_be_read_is_a_failure(tmp_path: Path) -> None:
    """It is named, and tells nothing."""
    found = look(plant(tmp_path, {**ETCD, **ENABLED, "/etc/systemd/system/etcd.service": "#" * (2 << 20)}))
    assert found.failures == (Failure(Place("/etc/systemd/system/etcd.service"), Reason.TOO_LARGE),)
    assert found.node.listeners == ()


def test_a_unit_of_another_program_is_no_evidence(tmp_path: Path) -> None:
    """What is named like a component but starts a wrapper has arguments of its own."""
    unit = "[Service]\nExecStart=/usr/bin/docker run etcd --cert-file=/etc/kubernetes/x.crt\n"
    found = look(plant(tmp_path, {**ETCD, **ENABLED, "/etc/systemd/system/etcd.service": unit}))
    assert "etcd" not in {reference.component for reference in found.references}


def test_a_running_process_with_variables_is_completed_by_its_unit(tmp_path: Path) -> None:
    """The command line says nothing and the environment cannot be read: the unit tells what both were."""
    running = Process(
        pid=9,
        uid=0,
        arguments=("/usr/local/bin/etcd",),
        cgroup="/system.slice/etcd.service",
        mounts=(Mount(device="8:1", root="/", point="/"),),
        started=None,
    )
    found = look(plant(tmp_path, {**ETCD, **ENABLED}), (running,))
    assert found.node.processes_ignored == {}
    assert {item.client_auth for item in found.node.listeners} == {"required"}
