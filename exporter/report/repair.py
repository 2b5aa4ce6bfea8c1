"""The commands that repair a finding or renew a certificate on the distribution at hand."""

import re
from datetime import datetime
from posixpath import dirname, splitext
from shlex import quote

from exporter.inventory.roles import AUTHORITIES
from exporter.model import Distribution, Finding, Node, NodeType, Occurrence, Place, Role
from exporter.report.repairs import (
    AUTHORITY_EXPIRY,
    BY_DETAIL,
    CLOCK,
    EXPIRY,
    KUBEADM,
    KUBELET_EXPIRY,
    KUBELET_ROLES,
    OF_CERTIFICATES,
    REPAIRS,
    RESTARTS,
    SELF_MADE_EXPIRY,
    Lines,
    Table,
)
from exporter.report.verdict import is_not_valid_yet
from exporter.report.words import printable

_KUBEADM_NAMES = frozenset(
    {
        Role.ADMIN,
        Role.SUPER_ADMIN,
        Role.CONTROLLER_MANAGER,
        Role.SCHEDULER,
        Role.APISERVER,
        Role.APISERVER_ETCD_CLIENT,
        Role.APISERVER_KUBELET_CLIENT,
        Role.ETCD_HEALTHCHECK_CLIENT,
        Role.ETCD_PEER,
        Role.ETCD_SERVER,
        Role.FRONT_PROXY_CLIENT,
    }
)
"""What ``kubeadm certs renew`` knows by these names (kubeadm ``certlist.go``)."""

_KIND = re.compile(r"\A(?:user|cluster)/")
"""What says which part of a kubeconfig an entry is; the rest is its name."""


def repair_of(finding: Finding, node: Node) -> Lines:
    """What to do about a finding, in a line or two; empty where only the runbook helps."""
    table = REPAIRS.get(finding.check, {})
    for end, lines in BY_DETAIL.items():
        if finding.detail.endswith(end):
            table = {None: lines}
    if table in OF_CERTIFICATES:
        is_embedded = finding.place.entry.startswith("user/")
        table = _renewal_table(finding.role, EXPIRY if is_embedded else table)
    return _lines(table, finding.place, finding.role, node)


def renewal_of(occurrence: Occurrence, node: Node, now: datetime) -> Lines:
    """What to do about a certificate that ends, or that begins too late."""
    if is_not_valid_yet(occurrence.certificate.not_before, now):
        return CLOCK
    return _lines(_renewal_table(occurrence.role, EXPIRY), occurrence.place, occurrence.role, node)


def _renewal_table(role: Role, table: Table) -> Table:
    if role in AUTHORITIES:
        return {None: AUTHORITY_EXPIRY}
    if role in KUBELET_ROLES:
        return KUBELET_EXPIRY
    if role is Role.KUBELET_SERVER_SELF_SIGNED:
        return SELF_MADE_EXPIRY
    if role in _KUBEADM_NAMES:
        return table
    return {distribution: lines for distribution, lines in table.items() if distribution not in KUBEADM}


def _lines(table: Table, place: Place, role: Role, node: Node) -> Lines:
    lines = table.get(node.distribution) or table.get(None, ())
    restart = _restart(role)
    words = {
        "path": quote(printable(place.path)),
        "directory": quote(printable(dirname(place.path))),
        "stem": quote(printable(splitext(place.path)[0])),
        "entry": quote(printable(_KIND.sub("", place.entry))),
        "name": role,
        "distribution": node.distribution,
        "service": _service(node),
        "kubelet": _kubelet(node),
        "restart": restart,
    }
    return tuple(line.format_map(words) for line in lines if line != "{restart}" or restart)


def _restart(role: Role) -> str:
    """How to restart a static Pod: the kubelet ends it when its manifest goes."""
    component = RESTARTS.get(role)
    if component is None:
        return ""
    manifest = f"/etc/kubernetes/manifests/{component}.yaml"
    return (
        f"mv {manifest} /root/ && sleep 20 && mv /root/{component}.yaml {manifest}  # reads it only at start"
    )


def _service(node: Node) -> str:
    is_server = node.type is NodeType.CONTROL_PLANE
    match node.distribution:
        case Distribution.K3S:
            return "k3s" if is_server else "k3s-agent"
        case Distribution.RKE2:
            return "rke2-server" if is_server else "rke2-agent"
        case Distribution.K0S:
            return "k0scontroller" if is_server else "k0sworker"
        case _:
            return "kubelet"


def _kubelet(node: Node) -> str:
    """The unit in which the kubelet runs."""
    return "snap.microk8s.daemon-kubelite" if node.distribution is Distribution.MICROK8S else _service(node)
