"""What the pod can do, and what another pod can do to it."""

import json
from pathlib import Path

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.forger import FLAGS, start_forgers

pytestmark = pytest.mark.cluster
SECTION = "What the pod can do"
PROBE = Path(__file__).with_name("probe.py")
PYTHON = "/opt/kube-pki-exporter/bin/python"


@pytest.mark.parametrize("node", ["cp1", "w1"])
def test_container_can_only_read_what_it_declares(lab: Lab, node: str) -> None:
    """No write to the host, no capability, no handle, no token, nothing beyond the declared mounts."""
    lab.cluster.await_ready()
    exporter = lab.exporters[node]
    pod = exporter.pod()
    found = json.loads(exporter.run(PYTHON, "-", given=PROBE.read_text()))
    status = found["status"]
    assert {status[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    assert [path for path, refused in found["writes"].items() if not refused] == []
    assert found["open_by_handle_at"] == "Operation not permitted"
    assert [name for name, refused in found["process"].items() if not refused] == []
    assert found["tokens"] == []
    (container,) = pod["spec"]["containers"]
    declared = {each["mountPath"] for each in container["volumeMounts"]}
    submounts = {point for point, _ in found["mounts"]} - declared
    assert {point for point in submounts if not point.startswith("/host/proc/")} == set()
    assert all(options.split(",")[0] == "ro" for point, options in found["mounts"] if point in declared)
    assert set(found["top"]) == {path.split("/")[2] for path in declared}
    lab.evidence.show(
        SECTION,
        f"{node}: no capability, {len(found['writes'])} writes refused, open_by_handle_at refused, no token, "
        f"only {', '.join(sorted(declared))}; of processes no environment, memory, root or descriptor",
    )


def test_forged_etcd_is_not_believed(lab: Lab) -> None:
    """A pod that looks like etcd, as root or not, is counted and makes no reference and no finding."""
    names = start_forgers(lab.cluster)
    try:
        for node in ("cp1", "w1"):
            exporter = lab.exporters[node]
            exporter.rescan()
            samples, _ = exporter.until(
                "the forgers ignored",
                lambda samples: sum(each.value for each in samples.of("kubepki_processes_ignored")) >= 2,
                seconds=30,
            )
            told = {value for each in samples.all for value in each.labels.values()}
            forged = {flag.partition("=")[2] for flag in FLAGS if "/" in flag}
            assert told & forged == set()
            assert samples.findings() == set()
        assert lab.monitoring.alerts() == set()
    finally:
        lab.cluster.kubectl("delete", "pod", "--now", *names)
    lab.evidence.show(
        SECTION, "a forged etcd in another pod, as root and as uid 12345: counted, no reference, no finding"
    )
