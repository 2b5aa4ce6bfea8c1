"""A certificate with two hours left pages once, with what to do, and the page ends when it is renewed."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from exporter.demo import DemoNode, make_node
from tests.e2e.running import Running, running
from tests.paging.monitoring import Monitoring, Receiver, eventually

pytestmark = pytest.mark.timeout(600)

SOON, VERY_SOON, EXPIRED = (
    "KubePKICertificateExpiresSoon",
    "KubePKICertificateExpiresVerySoon",
    "KubePKICertificateExpired",
)
QUIET_SECONDS = 9.0
"""Longer than every hurried wait but those of an hour and more."""


@pytest.fixture
def node(tmp_path: Path) -> DemoNode:
    """A healthy node."""
    now = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - real programs ask the real clock
    return make_node(tmp_path / "node", now=now, name="n1")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook."""
    found = Receiver()
    with found.listening():
        yield found


@pytest.fixture
def monitoring(tmp_path: Path, receiver: Receiver) -> Iterator[Monitoring]:
    """Prometheus and Alertmanager, to be started once there is an exporter to scrape."""
    folder = tmp_path / "monitoring"
    folder.mkdir()
    found = Monitoring(folder, receiver)
    try:
        yield found
    finally:
        found.stop()


def expire_in_two_hours(node: DemoNode) -> None:
    """Replace the API server's certificate by one of a year that ends in two hours."""
    end = node.now + timedelta(hours=2)
    node.leaf("apiserver", not_before=end - timedelta(days=365), not_after=end)


def quiet(monitoring: Monitoring, alert: str = "") -> None:
    """Let time pass in which nothing new may be notified, or nothing of one alert."""

    def notified() -> list[tuple[str, str]]:
        found = ((status, each["labels"]["alertname"]) for status, each in monitoring.receiver.notified)
        return [(status, name) for status, name in found if name == (alert or name)]

    before = notified()
    end = time.monotonic() + QUIET_SECONDS
    while time.monotonic() < end:
        assert notified() == before
        time.sleep(0.2)


def watched(monitoring: Monitoring, node: DemoNode, stack: ExitStack) -> Running:
    """Start an exporter and have it scraped; Prometheus takes seconds to find its targets."""
    exporter = stack.enter_context(running(node.root))
    monitoring.targets([("a", exporter.port)])
    monitoring.start("prometheus")
    eventually("it is scraped", monitoring.is_scraped)
    monitoring.start("alertmanager")
    return exporter


def test_a_certificate_pages_once_and_resolves_when_renewed(node: DemoNode, monitoring: Monitoring) -> None:
    """Healthy is silent; very soon notifies and inhibits soon; a new pod and restarts change nothing."""
    receiver = monitoring.receiver
    with ExitStack() as stack:
        first = watched(monitoring, node, stack)
        quiet(monitoring)
        assert receiver.notified == []

        expire_in_two_hours(node)
        (page,) = eventually("the page", lambda: receiver.of(VERY_SOON))
        assert page["labels"] == {
            "alertname": VERY_SOON,
            "cluster": "test",
            "node": "n1",
            "role": "apiserver",
            "path": "/etc/kubernetes/pki/apiserver.crt",
            "index": "0",
            "severity": "critical",
        }
        assert "on node n1" in page["annotations"]["description"]
        assert "expires in 1h 59m" in page["annotations"]["description"]
        assert page["annotations"]["runbook_url"].endswith(f"/{VERY_SOON}.md")
        assert (SOON, "firing") in monitoring.alerts()

        second = stack.enter_context(running(node.root))
        monitoring.targets([("a", first.port), ("b", second.port)])
        quiet(monitoring)
        monitoring.targets([("b", second.port)])
        quiet(monitoring)
        assert receiver.names() == {VERY_SOON}
        for program in ("prometheus", "alertmanager"):
            monitoring.stop(program)
            monitoring.start(program)
            quiet(monitoring, VERY_SOON)

        node.leaf("apiserver")
        eventually("the page ends", lambda: receiver.of(VERY_SOON, "resolved"))
        quiet(monitoring, VERY_SOON)
        assert len(receiver.of(VERY_SOON)) == len(receiver.of(VERY_SOON, "resolved")) == 1


def test_of_nested_conditions_the_worst_notifies(node: DemoNode, monitoring: Monitoring) -> None:
    """Very soon goes before soon, and expired before both, though all of them are true."""
    receiver = monitoring.receiver
    with ExitStack() as stack:
        watched(monitoring, node, stack)
        expire_in_two_hours(node)
        eventually("the page", lambda: receiver.of(VERY_SOON))
        end = node.now - timedelta(hours=1)
        node.leaf("apiserver", not_before=end - timedelta(days=365), not_after=end)
        eventually("the page", lambda: receiver.of(EXPIRED))
        quiet(monitoring)

        firing = {name for name, state in monitoring.alerts() if state == "firing"}
        assert firing >= {SOON, VERY_SOON, EXPIRED}
        assert receiver.names() == {VERY_SOON, EXPIRED}


def test_a_readable_ca_key_pages_with_what_it_means(node: DemoNode, monitoring: Monitoring) -> None:
    """A finding says its check and its meaning, and ends with its repair."""
    key = node.root / "etc/kubernetes/pki/ca.key"
    key.chmod(0o644)
    with ExitStack() as stack:
        watched(monitoring, node, stack)
        (page,) = eventually("the page", lambda: monitoring.receiver.of("KubePKIFinding"))
        assert page["labels"]["severity"] == "critical"
        assert "/etc/kubernetes/pki/ca.key" in page["annotations"]["description"]
        assert "mode_loose" in page["annotations"]["description"]
        assert "Others than its owner can read" in page["annotations"]["description"]

        key.chmod(0o600)
        eventually("it ends", lambda: monitoring.receiver.of("KubePKIFinding", "resolved"))
