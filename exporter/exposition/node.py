"""Families over the node: who uses which file, who trusts whom, and how its components are set."""

from collections.abc import Iterator

from exporter.exposition.family import PLACE, Sample, family
from exporter.exposition.report import Report
from exporter.inventory.identity import identities_under
from exporter.model import Origin


@family(
    "kubepki_certificate_last_change_timestamp_seconds",
    "Unix time at which this program saw the certificates of the file change; absent for a file that did not "
    "change since it started.",
    ("path",),
)
def last_change(report: Report) -> Iterator[Sample]:
    """One sample for each path."""
    for path, changed in report.inventory.last_changes.items():
        yield (path,), changed


@family(
    "kubepki_superseded_certificates",
    "How many old dated kubelet pairs lie in the directory; only the newest three are exported as "
    "certificates.",
    ("directory",),
)
def superseded(report: Report) -> Iterator[Sample]:
    """One sample for each directory."""
    for directory, count in report.inventory.superseded.items():
        yield (directory,), count


@family(
    "kubepki_reference_present",
    "Whether the file that a component is configured to use is there (1) or not (0).",
    ("component", "setting", "part", "role", "path", "origin", "requirement"),
)
def reference_present(report: Report) -> Iterator[Sample]:
    """One sample for each reference; two processes of one component that say the same are one."""
    for reference in report.inventory.references:
        yield (
            (
                reference.component,
                reference.setting,
                reference.part,
                reference.role,
                reference.path,
                reference.origin,
                reference.requirement,
            ),
            report.inventory.is_present(reference.path),
        )


@family(
    "kubepki_trust_anchor_info",
    "1 for each CA that a component or kubeconfig trusts.",
    ("component", "setting", "path", "entry", "subject", "fingerprint", "spki_sha256"),
)
def trust_anchor_info(report: Report) -> Iterator[Sample]:
    """One sample for each anchor; a CA that stands twice in one bundle is one."""
    for anchor in report.inventory.trust_anchors:
        certificate = anchor.certificate
        yield (
            (
                anchor.component,
                anchor.setting,
                anchor.path,
                anchor.entry,
                certificate.subject,
                certificate.fingerprint,
                certificate.spki_sha256,
            ),
            1,
        )


@family(
    "kubepki_service_account_key_info",
    "1 for each key that signs or verifies service account tokens; equal on every control-plane node, or "
    "tokens fail on one of them.",
    ("path", "component", "spki_sha256"),
)
def service_account_key_info(report: Report) -> Iterator[Sample]:
    """One sample for each key and component."""
    for key in report.inventory.service_account_keys:
        yield (key.path, key.component, key.spki_sha256), 1


@family(
    "kubepki_identity_info",
    "Who a client certificate is to RBAC, 1 for each of its groups, with an empty group where it has none.",
    (*PLACE, "user", "group", "privilege"),
)
def identity_info(report: Report) -> Iterator[Sample]:
    """One sample for each group of each client certificate; a group that is named twice is one."""
    for occurrence in report.inventory.occurrences:
        place = occurrence.place
        for identity in identities_under(occurrence, report.client_authorities):
            yield (
                (
                    place.path,
                    place.entry,
                    str(place.index),
                    identity.user,
                    identity.group,
                    identity.privilege,
                ),
                1,
            )


@family(
    "kubepki_processes_ignored",
    "How many processes look like a component but do not count as evidence.",
    ("reason",),
)
def processes_ignored(report: Report) -> Iterator[Sample]:
    """One sample for each reason."""
    for reason, count in report.inventory.node.processes_ignored.items():
        yield (reason,), count


@family(
    "kubepki_kubelet_rotate_certificates",
    "Whether the kubelet rotates its client certificate, as its effective setting says (1 or 0).",
    ("origin",),
)
def kubelet_rotate_certificates(report: Report) -> Iterator[Sample]:
    """One sample where a kubelet's setting is known."""
    kubelet = report.inventory.node.kubelet
    return _setting(kubelet.rotate_certificates, kubelet.rotate_certificates_origin)


@family(
    "kubepki_kubelet_server_tls_bootstrap",
    "Whether the kubelet requests its serving certificate from the cluster, as its effective setting says "
    "(1 or 0).",
    ("origin",),
)
def kubelet_server_tls_bootstrap(report: Report) -> Iterator[Sample]:
    """One sample where a kubelet's setting is known."""
    kubelet = report.inventory.node.kubelet
    return _setting(kubelet.server_tls_bootstrap, kubelet.server_tls_bootstrap_origin)


@family(
    "kubepki_etcd_listener_info",
    "1 for each URL on which etcd is configured to listen.",
    ("url", "listener", "transport", "client_auth", "origin"),
)
def etcd_listener_info(report: Report) -> Iterator[Sample]:
    """One sample for each URL."""
    for listener in report.inventory.node.listeners:
        yield (
            (listener.url, listener.listener, listener.transport, listener.client_auth, listener.origin),
            1,
        )


@family(
    "kubepki_component_start_timestamp_seconds",
    "Unix time at which the running process of the component started, the earliest of that name.",
    ("component",),
)
def component_start(report: Report) -> Iterator[Sample]:
    """One sample for each component whose process is evidence."""
    for component, started in report.inventory.node.component_starts.items():
        yield (component,), started


@family(
    "kubepki_node_info",
    "The node as its own configuration shows it, always 1.",
    ("node_name", "distribution", "node_type"),
)
def node_info(report: Report) -> Iterator[Sample]:
    """One sample."""
    node = report.inventory.node
    yield (node.name, node.distribution, node.type), 1


def _setting(value: bool | None, origin: Origin | None) -> Iterator[Sample]:
    if value is not None:
        yield (origin or "",), value
