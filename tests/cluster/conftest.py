"""One cluster for all tests of this folder, raised once and taken away whatever happens."""

import os
import shutil
import signal
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.cluster import product
from tests.cluster.evidence import Evidence
from tests.cluster.exporters import Exporter
from tests.cluster.lab.build import build
from tests.cluster.lab.cluster import Cluster
from tests.cluster.lab.settings import from_environment
from tests.cluster.monitoring import Monitoring
from tests.cluster.project import BUILT, LOGS

MARKER = "cluster"


@dataclass
class Lab:
    """What the tests have to work with."""

    cluster: Cluster
    monitoring: Monitoring
    evidence: Evidence
    exporters: dict[str, Exporter]
    """The exporter of each node."""


RUNNING: list[Lab] = []
"""The lab while it runs, for the hooks."""
REPORTS: list[Evidence] = []
"""What is to be printed at the end."""


def pytest_configure(config: pytest.Config) -> None:
    """Name the marker, and let a polite end take the cluster away as Ctrl-C does."""
    config.addinivalue_line("markers", f"{MARKER}: needs root and minutes; `make cluster-test` runs it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the cluster alone unless it is asked for by its marker."""
    if MARKER in str(config.option.markexpr):
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        return
    left = [item for item in items if item.get_closest_marker(MARKER)]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A fresh cluster with the product installed as shipped, and with its monitoring."""
    settings = from_environment()
    evidence = Evidence()
    shutil.rmtree(LOGS, ignore_errors=True)
    build(settings)
    built = time.monotonic()
    cluster = Cluster(settings)
    keep = bool(os.environ.get("CLUSTER_TEST_KEEP"))
    if not (keep and cluster.first.alive("kubelet")):
        cluster.down()
    with ExitStack() as ending:
        ending.callback(_end, cluster, evidence, keep=keep)
        monitoring = Monitoring(cluster)
        with cluster.keeping_logs(LOGS / "setup"):
            _install(cluster)
            monitoring.start()
        ending.callback(monitoring.stop)
        exporters = {name: Exporter(cluster, node) for name, node in cluster.nodes.items()}
        lab = Lab(cluster, monitoring, evidence, exporters)
        RUNNING.append(lab)
        evidence.facts |= {
            "Kubernetes": settings.version,
            "nodes": ", ".join(cluster.nodes),
            "Kubernetes built in": f"{built - evidence.begun:.0f} s",
            "cluster up, image built, product installed in": f"{time.monotonic() - built:.0f} s",
        }
        yield lab


def _install(cluster: Cluster) -> None:
    """Raise the cluster while the image is built, and install the product."""
    with ThreadPoolExecutor(1) as pool:
        image = pool.submit(product.build_image, cluster.settings)
        if not cluster.first.alive("kubelet"):
            cluster.up()
    for node in cluster.nodes.values():
        cluster.load(node, image.result())
    product.define_operator_resources(cluster)
    product.install_by_kustomize(cluster)


def _end(cluster: Cluster, evidence: Evidence, *, keep: bool) -> None:
    """Take the cluster away, unless it is to be kept, and write the report."""
    RUNNING.clear()
    ending = time.monotonic()
    if not keep:
        cluster.down()
    evidence.facts["taken away in"] = f"{time.monotonic() - ending:.1f} s"
    evidence.facts["all in"] = f"{time.monotonic() - evidence.begun:.0f} s"
    if not keep:
        assert cluster.leftovers() == []
        evidence.show("End", "no process, namespace, mount, cgroup or interface is left")
    evidence.write(BUILT)
    REPORTS.append(evidence)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Keep the logs of all parts when a test fails, and say where."""
    report = yield
    if report.failed and RUNNING and item.get_closest_marker(MARKER):
        folder = RUNNING[0].cluster.keep_logs(LOGS / item.name)
        (folder / "report.txt").write_text(RUNNING[0].evidence.text())
        report.sections.append(("logs", f"kept in {folder}"))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the report."""
    for evidence in REPORTS:
        terminalreporter.section("cluster report")
        terminalreporter.write(evidence.text())
