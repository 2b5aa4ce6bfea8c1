"""What an assessment keeps, how it counts, and what its document says."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exporter.demo import make_demo, make_node
from exporter.host import Host
from exporter.model import (
    Finding,
    Inventory,
    Node,
    Origin,
    Part,
    Place,
    PlacedFailure,
    Reason,
    Reference,
    Requirement,
    Role,
    Severity,
    State,
)
from exporter.report.document import Narrowing, assess, document, name_of
from exporter.report.page import render_page
from exporter.report.verdict import Urgency
from exporter.report.view import view_of
from exporter.scan import Picture, Scanner
from exporter.settings import Settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
FINDING = Finding(
    check="mode_loose",
    severity=Severity.CRITICAL,
    place=Place("/a.key"),
    role=Role.APISERVER,
    state=State.IN_USE,
    detail="mode 0644",
)
FAILURE = PlacedFailure(
    place=Place("/b.crt", "user/x", 2), role=Role.OTHER, state=State.IN_USE, reason=Reason.MALFORMED_PEM
)
MISSING = Reference(
    component="kube-apiserver",
    setting="tls-cert-file",
    part=Part.CERTIFICATE,
    role=Role.APISERVER,
    path="/c.crt",
    origin=Origin.MANIFEST,
    requirement=Requirement.REQUIRED,
)


def picture(root: Path) -> Picture:
    """Look at a tree twice, so that bad news is settled; its clock stands still."""
    moments = iter((NOW.timestamp(), NOW.timestamp() + 2))
    moment = next(moments)
    scanner = Scanner(settings=Settings(host_root=str(root)), host=Host(str(root)), monotonic=lambda: moment)
    scanner.scan()
    moment = next(moments)
    return scanner.scan().picture


@pytest.fixture
def demo(tmp_path: Path) -> Picture:
    """The demo node."""
    make_demo(tmp_path, now=NOW)
    return picture(tmp_path)


@pytest.mark.parametrize(
    ("path", "role", "entry", "name"),
    [
        ("/pki/server.crt", Role.ETCD_SERVER, "", "etcd-server"),
        ("/opt/tls.pem", Role.OTHER, "", "tls.pem"),
        ("/etc/kubernetes/dev.conf", Role.KUBECONFIG_USER, "user/dev", "dev.conf#user/dev"),
    ],
)
def test_names_are_kubeadms_or_the_files(path: str, role: Role, entry: str, name: str) -> None:
    """A role that says little is no name."""
    assert name_of(path, role, entry) == name


@pytest.mark.parametrize(
    ("narrowing", "is_kept"),
    [
        (Narrowing(), True),
        (Narrowing(names=("apiserver",)), True),
        (Narrowing(names=("/etc/*",)), True),
        (Narrowing(names=("etcd", "api*")), True),
        (Narrowing(names=("api",)), False),
        (Narrowing(roles=("apiserver", "ca")), True),
        (Narrowing(roles=("ca",)), False),
        (Narrowing(names=("apiserver",), roles=("ca",)), False),
    ],
)
def test_narrowing_is_by_name_or_path_and_role(narrowing: Narrowing, is_kept: bool) -> None:
    """Globs of one kind add, the two kinds restrict each other."""
    assert narrowing.keeps("/etc/kubernetes/pki/apiserver.crt", Role.APISERVER) is is_kept


@pytest.mark.parametrize(
    ("inventory", "findings", "urgency"),
    [
        (Inventory(node=Node()), (), Urgency.OK),
        (Inventory(node=Node()), (FINDING,), Urgency.WARNING),
        (Inventory(node=Node(), failures=(FAILURE,)), (), Urgency.WARNING),
        (Inventory(node=Node(), failures=(replace(FAILURE, state=State.UNREFERENCED),)), (), Urgency.OK),
        (Inventory(node=Node(), references=(MISSING,)), (), Urgency.CRITICAL),
    ],
)
def test_what_is_wrong_beside_expiry_counts(
    inventory: Inventory, findings: tuple[Finding, ...], urgency: Urgency
) -> None:
    """A finding is to be looked at, a missing file breaks its component, a broken leftover is nothing."""
    assessment = assess(inventory, findings, now=NOW)

    assert assessment.urgency is urgency
    assert assessment.is_empty is not bool(findings or inventory.failures or inventory.references)


def test_everything_is_narrowed() -> None:
    """Findings, failures and missing files as well as certificates."""
    inventory = Inventory(node=Node(), failures=(FAILURE,), references=(MISSING,))

    kept = [
        assess(inventory, (FINDING,), now=NOW, narrowing=Narrowing(names=(name,)))
        for name in ("/a.key", "/b.crt", "/c.crt", "/d")
    ]

    assert [len(one.findings) for one in kept] == [1, 0, 0, 0]
    assert [len(one.failures) for one in kept] == [0, 1, 0, 0]
    assert [len(one.missing) for one in kept] == [0, 0, 1, 0]
    assert [one.is_empty for one in kept] == [False, False, False, True]


def test_a_life_that_begins_with_its_ca_is_unreliable(tmp_path: Path) -> None:
    """The kubeconfigs of kubeadm, three years after their CA; nothing else on the node."""
    make_node(tmp_path, now=NOW, born=NOW - timedelta(days=1095))
    looked = picture(tmp_path)

    unreliable = assess(looked.inventory, looked.findings, now=NOW).unreliable_lifetimes

    assert {place.path for place in unreliable} == {
        f"/etc/kubernetes/{name}.conf" for name in ("admin", "super-admin", "controller-manager", "scheduler")
    }
    assert all(place.entry.startswith("user/") for place in unreliable)


def found(said: dict[str, Any], name: str) -> dict[str, Any]:
    """Give the first certificate of that name."""
    certificate: dict[str, Any] = next(one for one in said["certificates"] if one["name"] == name)
    return certificate


def test_the_document_says_what_the_inventory_knows(demo: Picture) -> None:
    """In the order of expiry, with times in UTC, and as JSON can hold it."""
    said = document(assess(demo.inventory, demo.findings, now=NOW))

    assert json.loads(json.dumps(said)) == said
    assert (said["schema_version"], said["generated_at"], said["status"]) == (
        1,
        "2026-11-24T12:00:00Z",
        "critical",
    )
    assert said["node"] == {"name": "demo-cp1", "distribution": "kubeadm", "type": "control_plane"}
    ends = [certificate["effective_not_after"] for certificate in said["certificates"]]
    assert ends == sorted(ends)
    server = found(said, "apiserver-etcd-client")
    assert (server["status"], server["not_after"], server["rotation_due"]) == (
        "critical",
        "2026-11-28T12:00:00Z",
        None,
    )
    assert found(said, "etcd-peer")["sans"][0] == {"type": "dns", "value": "demo-cp1"}
    kubelet = next(c for c in said["certificates"] if c["path"].endswith("client-current.pem"))
    assert kubelet["rotation_due"] == "2027-10-18T23:59:30Z"
    assert found(said, "admin.conf")["lifetime_is_unreliable"] is True


def test_the_document_lists_what_is_wrong() -> None:
    """Findings with runbook, failures with reason, missing files with who needs them."""
    inventory = Inventory(node=Node(), failures=(FAILURE,), references=(MISSING,))

    said = document(assess(inventory, (FINDING,), now=NOW))

    finding = said["findings"][0]
    assert (finding["check"], finding["severity"], finding["detail"]) == (
        "mode_loose",
        "critical",
        "mode 0644",
    )
    assert finding["runbook"].endswith("/KubePKIFinding.md#mode_loose")
    assert said["failures"] == [
        {
            "path": "/b.crt",
            "entry": "user/x",
            "index": 2,
            "reason": "malformed_pem",
            "role": "other",
            "state": "in_use",
        }
    ]
    assert said["missing"] == [
        {
            "path": "/c.crt",
            "role": "apiserver",
            "component": "kube-apiserver",
            "setting": "tls-cert-file",
            "origin": "manifest",
        }
    ]


def test_recorded_nodes_are_all_well(unpacked: Callable[[str], Path]) -> None:
    """At the moment of their recording."""
    for recorded in ("kubeadm-1.36-control-plane", "kubeadm-1.36-worker"):
        looked = picture(unpacked(recorded))
        certificates = assess(looked.inventory, (), now=NOW)
        assert certificates.urgency is Urgency.OK


def test_only_a_kubeconfig_begins_with_its_ca(tmp_path: Path) -> None:
    """On a fresh node a leaf file can begin in the second of its CA, and its beginning is still its own."""
    make_node(tmp_path, now=NOW, born=NOW)
    looked = picture(tmp_path)

    assessment = assess(looked.inventory, looked.findings, now=NOW)

    assert all(place.entry.startswith("user/") for place in assessment.unreliable_lifetimes)
    view = view_of(replace(assessment, failures=(FAILURE,), missing=(MISSING,), findings=(FINDING,)))
    assert {row.place for row in view.rows if row.has_unreliable_lifetime} == assessment.unreliable_lifetimes
    assert (view.failures[0].detail, view.failures[0].severity) == ("malformed pem", Severity.WARNING)
    assert view.missing[0].detail == "kube-apiserver is configured to use it (tls-cert-file)"
    assert view.findings[0].runbook.endswith("KubePKIFinding.md#mode_loose")
    assert "missing" in render_page(assessment)[0]
