"""The facts of a node's PKI: immutable values that every later stage only reads."""

from exporter.model.certificate import (
    Certificate,
    Fingerprint,
    SpkiHash,
    SubjectAlternativeName,
)
from exporter.model.discovery import Discovery, Reading, Search
from exporter.model.document import (
    Content,
    Document,
    Embedded,
    Failure,
    File,
    FileStatus,
    PublicKey,
    Reason,
)
from exporter.model.finding import Finding, Severity
from exporter.model.inventory import (
    Authority,
    Inventory,
    Occurrence,
    PlacedFailure,
    ServiceAccountKey,
    TrustAnchor,
)
from exporter.model.kubeconfig import Cluster, Context, Kubeconfig, User
from exporter.model.kubelet_pair import KubeletPair
from exporter.model.node import Distribution, KubeletSettings, Listener, Node, NodeType
from exporter.model.place import Place
from exporter.model.process import Mount, Process
from exporter.model.reference import Origin, Part, Reference, Requirement
from exporter.model.role import Role, State

__all__ = [
    "Authority",
    "Certificate",
    "Cluster",
    "Content",
    "Context",
    "Discovery",
    "Distribution",
    "Document",
    "Embedded",
    "Failure",
    "File",
    "FileStatus",
    "Finding",
    "Fingerprint",
    "Inventory",
    "Kubeconfig",
    "KubeletPair",
    "KubeletSettings",
    "Listener",
    "Mount",
    "Node",
    "NodeType",
    "Occurrence",
    "Origin",
    "Part",
    "Place",
    "PlacedFailure",
    "Process",
    "PublicKey",
    "Reading",
    "Reason",
    "Reference",
    "Requirement",
    "Role",
    "Search",
    "ServiceAccountKey",
    "Severity",
    "SpkiHash",
    "State",
    "SubjectAlternativeName",
    "TrustAnchor",
    "User",
]
