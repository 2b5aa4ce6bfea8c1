"""Artefacts that have to agree: code, tables, runbooks, alerts and the closed sets of the contract."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from exporter.checks import CHECKS, Check
from exporter.exposition import FAMILIES
from exporter.report.repairs import REPAIRS

ROOT = Path(__file__).resolve().parent.parent
RUNBOOKS = ROOT / "docs/runbooks"

CONTRACT = {
    "chain": ["issuer_missing", "issued_by_wrong_ca", "outlives_issuer"],
    "purpose": ["usage_unfit", "ca_flag_unfit", "name_uncovered", "subject_unfit", "node_name_mismatched"],
    "keys": ["key_mismatched", "key_missing", "key_weak", "signature_weak"],
    "files": [
        "mode_loose",
        "owner_unexpected",
        "directory_writable",
        "private_key_copied",
        "bootstrap_kubeconfig_left",
    ],
    "rotation": [
        "kubelet_rotation_disabled",
        "kubelet_link_replaced",
        "kubelet_newer_pair_unused",
        "kubelet_kubeconfig_embedded",
        "kubeconfig_ca_stale",
        "kubeconfig_insecure",
        "signer_bundle_ambiguous",
    ],
    "identity": ["group_masters_held", "group_as_user"],
    "etcd": [
        "etcd_client_auth_missing",
        "etcd_peer_auth_missing",
        "etcd_plaintext_listener",
        "etcd_trusts_cluster_ca",
        "etcd_auto_tls",
    ],
}
"""Users build on these names: they may be added to, not renamed."""


def test_generated_parts_of_the_documentation_are_current() -> None:
    """README and docs say what the code does; ``make docs`` writes them."""
    done = subprocess.run(
        [sys.executable, "scripts/generate_docs.py", "--check"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_is_told_in_one_sentence_with_its_ground(check: Check) -> None:
    """What it means and what it rests on reach Prometheus and the operator."""
    assert re.fullmatch(r"[A-Z].{20,160}\.", check.meaning), check.meaning
    assert check.cites


def test_the_runbook_has_a_section_for_each_check_and_for_no_other() -> None:
    """The link that a page carries leads to what repairs it, and nobody waits for one that is not made."""
    page = (RUNBOOKS / "KubePKIFinding.md").read_text(encoding="utf-8")

    assert sorted(re.findall(r"^### (.+)$", page, re.MULTILINE)) == sorted(check.name for check in CHECKS)


KUBEADM_ISSUES = re.compile(r"kubeadm (?:init phase (?:certs|kubeconfig)|kubeconfig user)\b[^`\n#>]*")
"""What takes kubeadm's defaults for the cluster's names and addresses unless it is told them."""
NAMELESS = re.compile(r"certs (?:ca|etcd-ca|front-proxy-ca)\b|--help")


def names_a_configuration(command: str) -> bool:
    """Whether what kubeadm issues will have the cluster's own names."""
    return "--config KUBEADM-CONFIG" in command or bool(NAMELESS.search(command))


@pytest.mark.parametrize(
    ("command", "whole"),
    [
        ("kubeadm init phase certs apiserver --config KUBEADM-CONFIG", True),
        ("kubeadm init phase certs apiserver", False),
        ("kubeadm init phase kubeconfig admin", False),
        ("kubeadm kubeconfig user --client-name NAME > admin.conf", False),
        ("kubeadm init phase certs etcd-ca", True),
    ],
)
def test_a_command_without_the_clusters_configuration_is_noticed(command: str, whole: bool) -> None:
    """A CA has no names of the cluster; every leaf and kubeconfig has."""
    assert [names_a_configuration(found) for found in KUBEADM_ISSUES.findall(command)] == [whole]


def test_kubeadm_is_told_the_clusters_configuration() -> None:
    """With its defaults it would issue a pair without certSANs, endpoint and Service IP, in an outage."""
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "docs").rglob("*.md")]
    advice = [line for table in REPAIRS.values() for lines in table.values() for line in lines]
    commands = KUBEADM_ISSUES.findall("\n".join((*pages, (ROOT / "README.md").read_text("utf-8"), *advice)))

    assert len(commands) > 10
    assert [command for command in commands if not names_a_configuration(command)] == []


def test_the_checks_of_the_contract_are_made() -> None:
    """Names are what alerts, silences and runbooks are written against."""
    made = {check.name for check in CHECKS}

    assert not {name for names in CONTRACT.values() for name in names} - made


def test_no_family_takes_a_label_of_the_target() -> None:
    """They would arrive as ``exported_...``."""
    forbidden = {
        "node",
        "cluster",
        "instance",
        "job",
        "namespace",
        "pod",
        "container",
        "service",
        "endpoint",
    }

    assert not {(family.name, label) for family in FAMILIES for label in family.labels if label in forbidden}
