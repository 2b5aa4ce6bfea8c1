"""The Alertmanager example: of alerts about one thing exactly one notifies, and it reaches who acts."""

import json
import subprocess
import urllib.request
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tools import require_tool
from tests.waiting import eventually, free_port

EXAMPLE = Path(__file__).resolve().parents[2] / "alerts/alertmanager-example.yaml"
PLACE = {
    "cluster": "prod",
    "node": "n1",
    "role": "apiserver",
    "path": "/etc/kubernetes/pki/apiserver.crt",
    "index": "0",
}
SOON = ("KubePKICertificateExpiresSoon", "warning")
VERY_SOON = ("KubePKICertificateExpiresVerySoon", "critical")
EXPIRED = ("KubePKICertificateExpired", "critical")
OVERDUE = ("KubePKIKubeletRotationOverdue", "critical")
AUTHORITY = "KubePKICertificateAuthorityExpires"
OUTLIVES = ("KubePKICertificateOutlivesAuthority", "warning")

Alert = dict[str, str]


def alert(kind: tuple[str, str], test: str, **labels: str) -> Alert:
    """An alert about one certificate, in a cluster of its test's own."""
    return {"alertname": kind[0], "severity": kind[1]} | PLACE | {"cluster": test} | labels


def authority(severity: str, test: str, fingerprint: str = "c1") -> Alert:
    """An alert about one CA."""
    return {
        "alertname": AUTHORITY,
        "severity": severity,
        "cluster": test,
        "ca_fingerprint": fingerprint,
        "subject": "CN=kubernetes",
    }


def outlives(test: str, fingerprint: str = "c1") -> Alert:
    """The alert that certificates of a CA end with it."""
    return {
        "alertname": OUTLIVES[0],
        "severity": OUTLIVES[1],
        "cluster": test,
        "ca_fingerprint": fingerprint,
    }


@pytest.fixture(scope="module")
def alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Alertmanager with the example configuration."""
    program = require_tool("prometheus-alertmanager", "prometheus-alertmanager")
    address = f"127.0.0.1:{free_port()}"
    process = subprocess.Popen(
        [
            program,
            f"--config.file={EXAMPLE}",
            f"--storage.path={tmp_path_factory.mktemp('alertmanager')}",
            f"--web.listen-address={address}",
            "--cluster.listen-address=",
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://{address}"
        assert eventually(lambda: call(f"{url}/-/ready") is not None, 20)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def call(url: str, body: object = None) -> bytes | None:
    """The answer; None while nobody listens."""
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            read: bytes = answer.read()
            return read
    except OSError:
        return None


def notifying(url: str, test: str, alerts: Iterable[Alert]) -> list[tuple[str, str]]:
    """Post the alerts and tell which of them are not suppressed: name and severity.

    A pair that is known to suppress is posted last; once it does, the others have been judged too.
    """
    control = {"node": "control"}
    posted = [*alerts, alert(EXPIRED, test, **control), alert(SOON, test, **control)]
    assert call(f"{url}/api/v2/alerts", [{"labels": each} for each in posted]) is not None
    seen: list[dict[str, Any]] = []

    def all_are_judged() -> bool:
        seen[:] = json.loads(call(f"{url}/api/v2/alerts?filter=cluster%3D%22{test}%22") or b"[]")
        controlled = [each["status"]["state"] for each in seen if each["labels"].get("node") == "control"]
        return len(seen) == len(posted) and sorted(controlled) == ["active", "suppressed"]

    assert eventually(all_are_judged, 20)
    return sorted(
        (each["labels"]["alertname"], each["labels"]["severity"])
        for each in seen
        if each["status"]["state"] == "active" and each["labels"].get("node") != "control"
    )


@pytest.mark.parametrize(
    ("test", "alerts", "notifies"),
    [
        ("soon", [alert(SOON, "soon")], [SOON]),
        ("verysoon", [alert(SOON, "verysoon"), alert(VERY_SOON, "verysoon")], [VERY_SOON]),
        (
            "expired",
            [alert(SOON, "expired"), alert(VERY_SOON, "expired"), alert(EXPIRED, "expired")],
            [EXPIRED],
        ),
        ("kubelet", [alert(OVERDUE, "kubelet"), alert(EXPIRED, "kubelet")], [EXPIRED]),
        (
            "neighbours",
            [alert(SOON, "neighbours"), alert(VERY_SOON, "neighbours", node="n2")],
            [SOON, VERY_SOON],
        ),
        ("entries", [alert(SOON, "entries", entry="user/a"), alert(VERY_SOON, "entries")], [SOON, VERY_SOON]),
        ("ca-info", [authority("info", "ca-info")], [(AUTHORITY, "info")]),
        (
            "ca-all",
            [authority(severity, "ca-all") for severity in ("info", "warning", "critical")],
            [(AUTHORITY, "critical")],
        ),
        (
            "two-cas",
            [authority("info", "two-cas"), authority("warning", "two-cas", "c2")],
            [(AUTHORITY, "info"), (AUTHORITY, "warning")],
        ),
        (
            "outlives",
            [authority("info", "outlives"), authority("warning", "outlives"), outlives("outlives")],
            [(AUTHORITY, "warning")],
        ),
        (
            "other-ca",
            [authority("warning", "other-ca", "c2"), outlives("other-ca")],
            [(AUTHORITY, "warning"), OUTLIVES],
        ),
        (
            "leaf-of-ca",
            [
                authority("critical", "leaf-of-ca"),
                alert(SOON, "leaf-of-ca", ca_fingerprint="c1"),
                alert(VERY_SOON, "leaf-of-ca", ca_fingerprint="c1"),
                alert(EXPIRED, "leaf-of-ca", ca_fingerprint="c1"),
            ],
            [(AUTHORITY, "critical")],
        ),
        (
            "own-end",
            [authority("critical", "own-end"), alert(VERY_SOON, "own-end")],
            [(AUTHORITY, "critical"), VERY_SOON],
        ),
        (
            "page-over-ticket",
            [
                authority("warning", "page-over-ticket"),
                alert(EXPIRED, "page-over-ticket", ca_fingerprint="c1"),
            ],
            [(AUTHORITY, "warning"), EXPIRED],
        ),
    ],
)
def test_of_alerts_about_one_thing_exactly_one_notifies(
    alertmanager: str, test: str, alerts: list[Alert], notifies: list[tuple[str, str]]
) -> None:
    """The worst of them; what is about something else is left alone."""
    assert notifying(alertmanager, test, alerts) == sorted(notifies)


@pytest.mark.parametrize(
    ("kind", "receiver"),
    [
        (EXPIRED, "pager"),
        (VERY_SOON, "pager"),
        (SOON, "tickets"),
        ((AUTHORITY, "info"), "planning"),
        ((AUTHORITY, "critical"), "pager"),
    ],
)
def test_severity_decides_who_is_told(kind: tuple[str, str], receiver: str) -> None:
    """Critical pages, warning is a ticket, information goes where plans are made."""
    done = subprocess.run(
        [
            require_tool("amtool", "prometheus-alertmanager"),
            "config",
            "routes",
            "test",
            f"--config.file={EXAMPLE}",
            f"alertname={kind[0]}",
            f"severity={kind[1]}",
        ],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == receiver
