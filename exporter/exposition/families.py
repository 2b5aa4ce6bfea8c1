"""The table of metric families, in the order of the documentation."""

from typing import Final

from exporter.exposition import certificates, findings, live, node
from exporter.exposition.family import CertificateFamily, LiveFamily, ReportFamily

RENDERED: Final[tuple[CertificateFamily | ReportFamily, ...]] = (
    certificates.not_after,
    certificates.not_before,
    certificates.effective_not_after,
    certificates.info,
    certificates.issuer_info,
    certificates.san_info,
    certificates.sans,
    certificates.rotation_due,
    node.last_change,
    node.superseded,
    node.reference_present,
    node.trust_anchor_info,
    node.service_account_key_info,
    node.identity_info,
    node.processes_ignored,
    node.kubelet_rotate_certificates,
    node.kubelet_server_tls_bootstrap,
    node.etcd_listener_info,
    node.component_start,
    findings.finding,
    findings.check_findings,
    findings.check_info,
    findings.document_failure,
    findings.documents_failed,
    node.node_info,
)
"""Written once per change of the inventory."""

FAMILIES: Final[tuple[CertificateFamily | ReportFamily | LiveFamily, ...]] = (*RENDERED, *live.LIVE)


def metrics_table() -> str:
    """The families as a Markdown table, for the README and the documentation."""
    return "\n".join(
        [
            "| Metric | Type | Labels | Meaning |",
            "|---|---|---|---|",
            *map(_row, FAMILIES),
            "",
        ]
    )


def _row(family: CertificateFamily | ReportFamily | LiveFamily) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels)
    return f"| `{family.name}` | {family.kind} | {labels} | {family.help} |"
