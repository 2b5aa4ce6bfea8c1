"""The chart makes what the overlay makes."""

import pytest

from tests.cluster import product
from tests.cluster.conftest import Lab

pytestmark = pytest.mark.cluster


def test_chart_shows_the_same_and_pages_nobody(lab: Lab) -> None:
    """Installed by Helm instead, every node shows the same certificates, no finding and no alert."""
    before = {name: exporter.scrape().fingerprints() for name, exporter in lab.exporters.items()}
    product.uninstall_by_kustomize(lab.cluster)
    product.install_by_helm(lab.cluster)
    lab.monitoring.allow_discovery()
    lab.monitoring.await_quiet(seconds=120)
    for name, exporter in lab.exporters.items():
        samples = exporter.scrape()
        assert samples.fingerprints() == before[name]
        assert samples.findings() == set()
    nodes = {labels["node"] for labels, _ in lab.monitoring.query("kubepki_node_info")}
    assert nodes == set(lab.cluster.nodes)
    lab.evidence.show(
        "Helm", "the chart in place of the overlay: the same certificates, no finding, no alert"
    )
