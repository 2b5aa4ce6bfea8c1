"""The checks this version makes, in the order of the documentation."""

from collections.abc import Iterable
from typing import Final

from exporter.checks import chain, etcd, files, identity, keys, purpose, rotation
from exporter.checks.check import Check, Objection, certificate_check, check, file_check
from exporter.model import Finding, Inventory

__all__ = ["CHECKS", "Check", "Objection", "certificate_check", "check", "evaluate", "file_check"]

CHECKS: Final[tuple[Check, ...]] = (
    chain.issuer_missing,
    chain.issued_by_wrong_ca,
    chain.outlives_issuer,
    purpose.usage_unfit,
    purpose.ca_flag_unfit,
    purpose.name_uncovered,
    purpose.subject_unfit,
    purpose.node_name_mismatched,
    keys.key_mismatched,
    keys.key_missing,
    keys.key_weak,
    keys.signature_weak,
    files.mode_loose,
    files.owner_unexpected,
    files.directory_writable,
    files.private_key_copied,
    files.bootstrap_kubeconfig_left,
    rotation.kubelet_rotation_disabled,
    rotation.kubelet_link_replaced,
    rotation.kubelet_newer_pair_unused,
    rotation.kubelet_kubeconfig_embedded,
    rotation.kubeconfig_ca_stale,
    rotation.kubeconfig_insecure,
    rotation.signer_bundle_ambiguous,
    identity.group_masters_held,
    identity.group_as_user,
    etcd.etcd_client_auth_missing,
    etcd.etcd_peer_auth_missing,
    etcd.etcd_plaintext_listener,
    etcd.etcd_trusts_cluster_ca,
    etcd.etcd_auto_tls,
)


def evaluate(inventory: Inventory, checks: Iterable[Check] = CHECKS) -> tuple[Finding, ...]:
    """Make every check and list what they object to, each place once per check."""
    found = {(finding.check, finding.place): finding for made in checks for finding in made.over(inventory)}
    return tuple(found.values())
