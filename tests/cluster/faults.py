"""Something is broken, found, paged, repaired and gone."""

import time
from collections.abc import Callable
from typing import Any

from tests.cluster.conftest import Lab

FOUND_WITHIN = 10
"""Seconds from a fault to its finding."""


def prove_fault(
    lab: Lab,
    section: str,
    node: str,
    check: str,
    path: str,
    *,
    breaking: Callable[[], object],
    repair: Callable[[], object],
) -> None:
    """Break something on a node, see the finding and the page, repair it, see both end."""
    exporter = lab.exporters[node]
    lab.monitoring.await_quiet()
    address = exporter.address()
    about: dict[str, Any] = {"node": node, "check": check, "path": path}
    begun = time.time()
    try:
        breaking()
        _, found = exporter.until(
            check, lambda samples: (check, path) in samples.findings(), seconds=60, address=address
        )
        changed = time.time() - begun
        told = lab.monitoring.await_delivery("firing", begun, **about)
        paged = time.time() - begun
    finally:
        repair()
    assert told.labels["alertname"] == "KubePKIFinding"
    assert check in told.annotations["description"]
    assert node in told.annotations["description"]
    assert told.receiver == ("page" if told.labels["severity"] == "critical" else "ticket")
    exporter.until(
        f"no {check}", lambda samples: (check, path) not in samples.findings(), seconds=90, address=address
    )
    lab.monitoring.await_delivery("resolved", begun, **about)
    lab.monitoring.await_quiet(seconds=90)
    assert found <= FOUND_WITHIN
    lab.evidence.show(
        section,
        f"{check} ({path} on {node}): found {changed:.1f} s after the change began, "
        f"{told.labels['severity']} delivered after {paged:.1f} s, resolved after repair",
    )
