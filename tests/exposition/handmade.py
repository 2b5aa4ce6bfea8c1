"""One inventory made by hand, in which every family has a sample, and its parts to vary."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from exporter.exposition import Report, Status
from exporter.model import (
    Authority,
    Certificate,
    Distribution,
    Finding,
    Fingerprint,
    Inventory,
    KubeletSettings,
    Listener,
    Node,
    NodeType,
    Occurrence,
    Origin,
    Part,
    Place,
    PlacedFailure,
    Reading,
    Reason,
    Reference,
    Requirement,
    Role,
    ServiceAccountKey,
    Severity,
    SpkiHash,
    State,
    SubjectAlternativeName,
    TrustAnchor,
)

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
PKI = "/etc/kubernetes/pki"


@dataclass(frozen=True)
class Row:
    """A check that was made."""

    name: str
    severity: Severity
    meaning: str
    cites: str


def certificate(  # noqa: PLR0913 - each argument is one deviation from a plain client certificate
    cn: str = "kubernetes-admin",
    *,
    organizations: tuple[str, ...] = (),
    fingerprint: str = "11" * 32,
    is_ca: bool = False,
    usages: frozenset[str] | None = frozenset({"clientAuth"}),
    sans: tuple[SubjectAlternativeName, ...] = (),
    subject: str | None = None,
    key_size: int | None = 2048,
) -> Certificate:
    """A certificate that the CA of the cluster issued."""
    return Certificate(
        fingerprint=Fingerprint(fingerprint),
        der=b"",
        spki_sha256=SpkiHash(fingerprint[::-1]),
        version=3,
        serial_number="0a",
        subject=f"CN={cn}" if subject is None else subject,
        subject_cn=cn,
        organizations=organizations,
        subject_der=b"",
        issuer="CN=kubernetes",
        issuer_cn="kubernetes",
        issuer_der=b"",
        not_before=START,
        not_after=START + (10 * YEAR if is_ca else YEAR),
        key_algorithm="RSA" if key_size else "Ed25519",
        key_size=key_size,
        signature_algorithm="sha256WithRSAEncryption",
        signature_hash="sha256",
        sans=sans,
        is_ca=is_ca,
        is_self_issued=is_ca,
        is_self_signed=is_ca,
        basic_constraints_ca=is_ca,
        key_usage=None,
        extended_key_usage=usages,
        subject_key_identifier="",
        authority_key_identifier="",
    )


CA = certificate("kubernetes", fingerprint="ca" * 32, is_ca=True, usages=None)
BY_CA = (Authority(CA.fingerprint, Role.CA),)


def occurrence(  # noqa: PLR0913 - each argument is one deviation from a plain file
    path: str,
    of: Certificate,
    role: Role = Role.OTHER,
    *,
    entry: str = "",
    index: int = 0,
    state: State = State.IN_USE,
    issuers: tuple[Authority, ...] = BY_CA,
    rotation_due: datetime | None = None,
) -> Occurrence:
    """A certificate in a place."""
    return Occurrence(
        place=Place(path, entry, index),
        certificate=of,
        role=role,
        state=state,
        issuers=issuers,
        issuer_fingerprint=issuers[0].fingerprint if issuers else None,
        effective_not_after=of.not_after,
        rotation_due=rotation_due,
    )


CA_FILE = occurrence(f"{PKI}/ca.crt", CA, Role.CA, issuers=())
APISERVER = occurrence(
    f"{PKI}/apiserver.crt",
    certificate(
        "kube-apiserver",
        fingerprint="a5" * 32,
        usages=frozenset({"serverAuth"}),
        sans=(
            SubjectAlternativeName("dns", "kubernetes.default.svc"),
            SubjectAlternativeName("ip", "10.96.0.1"),
            SubjectAlternativeName("ip", "10.96.0.1"),
        ),
    ),
    Role.APISERVER,
)
ADMIN = occurrence(
    "/etc/kubernetes/admin.conf",
    certificate(organizations=("kubeadm:cluster-admins", "team"), fingerprint="ad" * 32),
    Role.ADMIN,
    entry="user/kubernetes-admin",
)
KUBELET = occurrence(
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
    certificate("system:node:cp1", organizations=("system:nodes",), fingerprint="4b" * 32, key_size=None),
    Role.KUBELET_CLIENT,
    rotation_due=START + 0.9 * YEAR,
)
INVENTORY = Inventory(
    node=Node(
        name="cp1",
        distribution=Distribution.KUBEADM,
        type=NodeType.CONTROL_PLANE,
        kubelet=KubeletSettings(
            rotate_certificates=True,
            rotate_certificates_origin=Origin.KUBELET_CONFIG,
            server_tls_bootstrap=False,
        ),
        listeners=(
            Listener(
                url="https://127.0.0.1:2379",
                listener="client",
                transport="tls",
                client_auth="required",
                origin=Origin.MANIFEST,
            ),
        ),
        processes_ignored={"pod": 2},
        component_starts={"etcd": 1_795_505_000.25, "kubelet": 1_795_504_990.0},
    ),
    occurrences=(ADMIN, APISERVER, CA_FILE, KUBELET),
    failures=(
        PlacedFailure(
            place=Place(f"{PKI}/broken.crt"),
            role=Role.OTHER,
            state=State.UNREFERENCED,
            reason=Reason.MALFORMED_PEM,
        ),
    ),
    references=(
        Reference(
            component="kube-apiserver",
            setting="tls-cert-file",
            part=Part.CERTIFICATE,
            role=Role.APISERVER,
            path=f"{PKI}/apiserver.crt",
            origin=Origin.MANIFEST,
            requirement=Requirement.REQUIRED,
        ),
    ),
    trust_anchors=(
        TrustAnchor(
            component="kube-apiserver",
            setting="client-ca-file",
            path=f"{PKI}/ca.crt",
            entry="",
            certificate=CA,
        ),
    ),
    service_account_keys=(
        ServiceAccountKey(path=f"{PKI}/sa.pub", component="kube-apiserver", spki_sha256=SpkiHash("5a" * 32)),
    ),
    superseded={"/var/lib/kubelet/pki": 4},
    last_changes={f"{PKI}/apiserver.crt": 1795510800.25},
)
FINDING = Finding(
    check="mode_loose",
    severity=Severity.WARNING,
    place=ADMIN.place,
    role=ADMIN.role,
    state=ADMIN.state,
    detail="0644",
)
REPORT = Report(
    inventory=INVENTORY,
    findings=(FINDING,),
    checks=(
        Row("mode_loose", Severity.WARNING, "A private key can be read by others.", "CIS 1.1.13"),
        Row("key_weak", Severity.INFO, "A key is shorter than it should be.", "NIST SP 800-131A"),
    ),
)
STATUS = Status(
    command="node",
    readings=(
        Reading(source="files", is_up=True, documents=9, seconds=0.25, last_success=1795510800.5),
        Reading(source="processes", is_up=False, documents=0, seconds=0, last_success=None),
    ),
    scans={"start": 1, "change": 3},
    scan_seconds=0.125,
    last_scan=1795510800.5,
    interval=300,
    watch_up=True,
    watched_directories=7,
    watch_events=12,
    web_config_reloaded=True,
    web_config_last_success=1795510000,
    process={
        "cpu_seconds_total": 0.42,
        "open_fds": 17,
        "max_fds": 1024,
        "virtual_memory_bytes": 123456789,
        "resident_memory_bytes": 39000000,
        "start_time_seconds": 1795500000.25,
    },
)
