"""Advice names the command of the distribution at hand, and hostile names stay words of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from exporter.checks import CHECKS
from exporter.checks.files import BESIDE_AUTHORITY, WRITABLE
from exporter.checks.rotation import NAMED
from exporter.demo.pki import make_ca
from exporter.model import (
    Certificate,
    Distribution,
    Finding,
    Node,
    NodeType,
    Occurrence,
    Place,
    Role,
    Severity,
    State,
)
from exporter.parsing.x509 import parse_certificate
from exporter.report.repair import renewal_of, repair_of
from exporter.report.repairs import REPAIRS

NOW = datetime(2026, 11, 24, tzinfo=UTC)
FINDING = Finding(
    check="key_mismatched",
    severity=Severity.CRITICAL,
    place=Place("/etc/kubernetes/pki/etcd/peer.crt"),
    role=Role.ETCD_PEER,
    state=State.IN_USE,
    detail="",
)
KUBEADM = Node(distribution=Distribution.KUBEADM, type=NodeType.CONTROL_PLANE)


def occurrence(role: Role) -> Occurrence:
    """A certificate of that role."""
    parsed = parse_certificate(make_ca(now=NOW).der)
    assert isinstance(parsed, Certificate)
    return Occurrence(
        place=Place("/etc/kubernetes/pki/x.crt"),
        certificate=parsed,
        role=role,
        state=State.IN_USE,
        issuers=(),
        issuer_fingerprint=None,
        effective_not_after=NOW,
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("distribution", Distribution)
@pytest.mark.parametrize("node_type", NodeType)
def test_every_check_has_advice_everywhere(
    check: object, distribution: Distribution, node_type: NodeType
) -> None:
    """No placeholder is left, and there is always something to do."""
    finding = replace(FINDING, check=check.name)  # type: ignore[attr-defined]

    lines = repair_of(finding, Node(distribution=distribution, type=node_type))

    assert lines
    assert not [line for line in lines if "{" in line or "}" in line]


def test_no_advice_is_for_a_check_that_is_not_made() -> None:
    """A renamed check would lose its advice in silence."""
    assert set(REPAIRS) == {check.name for check in CHECKS}


@pytest.mark.parametrize(
    ("distribution", "node_type", "words"),
    [
        (Distribution.KUBEADM, NodeType.CONTROL_PLANE, "kubeadm init phase certs etcd-peer"),
        (Distribution.K3S, NodeType.CONTROL_PLANE, "systemctl stop k3s && k3s certificate rotate"),
        (Distribution.K3S, NodeType.WORKER, "systemctl stop k3s-agent"),
        (Distribution.RKE2, NodeType.CONTROL_PLANE, "systemctl start rke2-server"),
        (Distribution.RKE2, NodeType.WORKER, "systemctl start rke2-agent"),
        (Distribution.K0S, NodeType.CONTROL_PLANE, "systemctl restart k0scontroller"),
        (Distribution.MICROK8S, NodeType.CONTROL_PLANE, "microk8s refresh-certs"),
        (Distribution.MINIKUBE, NodeType.CONTROL_PLANE, "minikube start"),
        (Distribution.TALOS, NodeType.CONTROL_PLANE, "issue /etc/kubernetes/pki/etcd/peer.crt anew"),
    ],
)
def test_the_command_is_the_distributions(
    distribution: Distribution, node_type: NodeType, words: str
) -> None:
    """What repairs kubeadm does not repair k3s."""
    assert words in "\n".join(repair_of(FINDING, Node(distribution=distribution, type=node_type)))


def test_a_hostile_path_stays_one_word_of_the_command() -> None:
    """Advice is pasted into a root shell."""
    finding = replace(FINDING, check="mode_loose", place=Place("/pki/$(reboot); rm -rf\n.key"))

    assert repair_of(finding, KUBEADM)[0] == "chmod 600 '/pki/$(reboot); rm -rf\\n.key'"


@pytest.mark.parametrize(
    ("check", "entry", "words"),
    [
        ("etcd_plaintext_listener", "http://0.0.0.0:2379", "give etcd https in place of http://0.0.0.0:2379"),
        ("etcd_auto_tls", "peer-auto-tls", "switch --peer-auto-tls off"),
        ("kubeconfig_ca_stale", "cluster/user/a/b", "kubectl config set-cluster user/a/b --kubeconfig"),
    ],
)
def test_an_entry_is_named_whole(check: str, entry: str, words: str) -> None:
    """Only the kind of a kubeconfig's entry is no part of its name."""
    finding = replace(FINDING, check=check, place=Place("/etc/x", entry))

    assert words in "\n".join(repair_of(finding, KUBEADM))


def test_a_kubeconfigs_certificate_is_renewed_in_its_file() -> None:
    """There is no pair of files to move away."""
    place = Place("/etc/kubernetes/scheduler.conf", "user/system:kube-scheduler")
    finding = replace(FINDING, place=place, role=Role.SCHEDULER)

    lines = repair_of(finding, KUBEADM)

    assert lines[0] == "kubeadm certs renew scheduler.conf"
    assert "kube-scheduler.yaml" in lines[1]


@pytest.mark.parametrize(
    ("role", "distribution", "words"),
    [
        (Role.APISERVER, Distribution.KUBEADM, "kubeadm certs renew apiserver"),
        (Role.CA, Distribution.KUBEADM, "rotation"),
        (Role.KUBELET_CLIENT, Distribution.KUBEADM, "kubectl get csr"),
        (Role.KUBELET_SERVER_SELF_SIGNED, Distribution.KUBEADM, "systemctl restart kubelet  # it makes"),
        (Role.KUBELET_CLIENT, Distribution.K3S, "systemctl restart k3s-agent"),
        (Role.KUBELET_SERVER, Distribution.MICROK8S, "microk8s refresh-certs --cert ca.crt"),
        (Role.KUBECONFIG_USER, Distribution.KUBEADM, "issue /etc/kubernetes/pki/x.crt anew"),
    ],
)
def test_what_ends_is_renewed_by_its_role(role: Role, distribution: Distribution, words: str) -> None:
    """The kubelet asks for its own, a CA is planned, the rest is renewed."""
    assert words in "\n".join(renewal_of(occurrence(role), Node(distribution=distribution), NOW))


def test_what_is_not_valid_yet_is_a_matter_of_clocks() -> None:
    """To renew it by a wrong clock makes another of its kind."""
    (line, *_) = renewal_of(occurrence(Role.APISERVER), KUBEADM, NOW - timedelta(days=1))

    assert line.startswith("timedatectl")


def test_only_what_reads_at_start_is_restarted() -> None:
    """The API server notices by itself (KUBERNETES_PKI 1.0)."""
    assert renewal_of(occurrence(Role.APISERVER), KUBEADM, NOW) == ("kubeadm certs renew apiserver",)


@pytest.mark.parametrize(
    ("check", "detail", "advice"),
    [
        ("mode_loose", "mode 0644, no looser than 0600 is safe", "chmod 600"),
        ("mode_loose", f"mode 0666 {WRITABLE}", "chmod go-w"),
        ("private_key_copied", "holds the private key of /a.key", "shred -u"),
        ("private_key_copied", BESIDE_AUTHORITY, "move the key out of"),
        ("kubeconfig_ca_stale", "trusts 1 CA(s), none of which signed /a.crt", "kubectl config set-cluster"),
        ("kubeconfig_ca_stale", f"holds 1 CA(s), none of which signed /a.crt, {NAMED}", "put the CA"),
    ],
)
def test_what_everybody_may_read_stays_readable(check: str, detail: str, advice: str) -> None:
    """A component user must not lose its CA, nor a node its only copy of it, by advice."""
    (line, *_) = repair_of(replace(FINDING, check=check, detail=detail), KUBEADM)

    assert line.startswith(advice)
