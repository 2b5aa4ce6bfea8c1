"""What key panels say, compared with the certificates on disk."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.dashboards.grafana import Board, Choice, answers
from tests.dashboards.observed import Fleet
from tests.dashboards.on_disk import (
    Located,
    authorities,
    certificate_at,
    leaves_in_use,
    life,
    monday,
    remaining,
)

pytestmark = pytest.mark.xdist_group("dashboards")

KUBEADM: dict[str, list[str]] = {"node": ["broken", "stuck"]}
"""The recorded node grows old; what is due there depends on the day."""
DAY = timedelta(days=1)


def test_what_expires_next_is_the_truth_for_every_certificate(fleet: Fleet, fleet_board: Board) -> None:
    """Each row has the end and the subject that its file has, and the first is the first to end."""
    urgency, left, end = _values(fleet, fleet_board, "What expires next", {})

    assert len(end) > 60
    for labels, milliseconds in end.items():
        row = dict(labels)
        place = Located(row["path"], row.get("entry", ""), int(row["index"]))
        certificate = certificate_at(fleet.trees[row["node"]], place)
        assert datetime.fromtimestamp(milliseconds / 1000, UTC) == certificate.not_valid_after_utc, row
        assert row["subject"] == certificate.subject.rfc4514_string(), row
        assert row["issuer"] == certificate.issuer.rfc4514_string(), row
        assert abs(left[labels] - remaining(certificate, fleet.made).total_seconds()) < 60, row
    first = dict(min((value, sorted(labels)) for labels, value in left.items())[1])
    assert first["path"] == "/etc/kubernetes/pki/front-proxy-client.crt"
    assert urgency[frozenset(first.items())] == 3


def test_tiles_count_what_is_on_disk(fleet: Fleet, fleet_board: Board) -> None:
    """Expired, below 7 and below 30 days are what the files say, each certificate in one of them."""
    expired = urgent = soon = 0
    for node in KUBEADM["node"]:
        for place, certificate in leaves_in_use(fleet.trees[node]).items():
            left, whole = remaining(certificate, fleet.made), life(certificate)
            if "kubelet" in place.path and place.path.endswith("-current.pem"):
                urgent += whole - left > 0.9 * whole
            elif left <= timedelta():
                expired += 1
            elif left < min(7 * DAY, 0.1 * whole):
                urgent += 1
            elif left < min(30 * DAY, 0.25 * whole):
                soon += 1

    assert (expired, urgent, soon) == (1, 2, 3)
    assert _numbers(fleet, fleet_board, "Expired", KUBEADM) == [expired]
    assert _numbers(fleet, fleet_board, "< 7 days", KUBEADM) == [urgent]
    assert _numbers(fleet, fleet_board, "< 30 days", KUBEADM) == [soon]


def test_each_ca_is_one_row_however_many_files_hold_it(fleet: Fleet, fleet_board: Board) -> None:
    """The table has a row for each fingerprint, two of one name are two rows; an old one troubles nobody."""
    everyone = {*authorities(fleet.trees["broken"]), *authorities(fleet.trees["stuck"])}
    left, _, nodes, issued = _values(fleet, fleet_board, "Certificate authorities", KUBEADM)

    assert Counter(dict(labels)["fingerprint"] for labels in left) == Counter(everyone)
    assert len([labels for labels in left if ("subject", "CN=kubernetes") in labels]) == 2
    assert set(nodes.values()) == {1}
    idle = {dict(labels)["subject"] for labels, count in issued.items() if not count}
    assert idle == {"CN=old", "CN=kube-etcd-peer"}
    assert _numbers(fleet, fleet_board, "CAs by remaining life", KUBEADM) == [0, 0, 0, len(everyone) - 2]


def test_the_horizon_puts_each_certificate_in_its_week(fleet: Fleet, fleet_board: Board) -> None:
    """The bars of all roles together are the ends on disk, by the Monday of their week."""
    truth = Counter(
        monday(certificate)
        for node in KUBEADM["node"]
        for certificate in leaves_in_use(fleet.trees[node]).values()
    )
    (bars,) = _values(fleet, fleet_board, "Horizon: expiries per week and role", KUBEADM)
    counted: Counter[str] = Counter()
    for labels, value in bars.items():
        counted[dict(labels)["week"]] += int(value)

    assert counted == truth


def test_a_kubelet_that_stopped_rotating_stands_out(fleet: Fleet, fleet_board: Board) -> None:
    """Its client certificate is overdue and still valid; a node without rotation has no due time."""
    rotates, _, due, left, _, _ = (
        {dict(labels)["node"]: value for labels, value in each.items()}
        for each in _values(fleet, fleet_board, "Kubelet rotation", {})
    )

    assert due["stuck"] < 0 < left["stuck"] < (26 * DAY).total_seconds()
    assert due["broken"] > 0
    assert rotates["broken"] == 1
    assert due["k3s"] != due["k3s"]


def test_findings_and_failures_are_those_of_the_broken_node(fleet: Fleet, fleet_board: Board) -> None:
    """Two pods of one node do not count twice, and the first finding is critical."""
    (findings,) = _values(fleet, fleet_board, "Findings", KUBEADM)
    checks = {(dict(labels)["node"], dict(labels)["check"]) for labels in findings}
    (failures,) = _values(fleet, fleet_board, "Unreadable files", KUBEADM)
    (missing,) = _values(fleet, fleet_board, "Missing files", KUBEADM)

    assert {("broken", "key_mismatched"), ("broken", "key_missing"), ("broken", "mode_loose")} <= checks
    assert min(findings.values()) == 1
    assert [dict(labels)["path"] for labels in failures] == [
        "/etc/kubernetes/pki/etcd/healthcheck-client.crt"
    ]
    assert {dict(labels)["path"] for labels in missing} == {"/etc/kubernetes/pki/front-proxy-client.key"}
    assert _numbers(fleet, fleet_board, "Unreadable or missing", KUBEADM) == [1, 1]
    assert _numbers(fleet, fleet_board, "Nodes", {}) == [3, 0]


def test_the_next_expiry_of_a_node_is_the_soonest_on_its_disk(fleet: Fleet, node_board: Board) -> None:
    """What has expired is past; the next is the least that remains."""
    for node in KUBEADM["node"]:
        leaves = leaves_in_use(fleet.trees[node]).values()
        soonest = min(left for each in leaves if (left := remaining(each, fleet.made)) > timedelta())
        (shown,) = _numbers(fleet, node_board, "Next expiry", {"node": node})
        assert abs(shown - soonest.total_seconds()) < 60


def _values(fleet: Fleet, board: Board, title: str, choice: Choice) -> list[dict[frozenset[Any], float]]:
    return [
        {
            frozenset(series.labels.items()): series.value
            for series in answers(board, fleet.prometheus, query, choice)
        }
        for query in board.queries(title)
    ]


def _numbers(fleet: Fleet, board: Board, title: str, choice: Choice) -> list[float]:
    return [value for each in _values(fleet, board, title, choice) for value in each.values()]
