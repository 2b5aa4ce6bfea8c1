"""What recorded nodes really export, under the alerts, for longer than a year."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.tools import require_tool

ROOT = Path(__file__).resolve().parents[2]
RULES = [ROOT / "alerts" / name for name in ("certificates.yaml", "nodes.yaml", "exporter.yaml")]
DAY = 86400
STEP = DAY // 2
DAYS = 370
TARGET = {"job": "kube-pki-exporter", "node": "n1"}

Labels = dict[str, str]
Sample = tuple[str, Labels, float]


@pytest.mark.parametrize(
    ("recorded", "pods"),
    [
        ("kubeadm-1.36-control-plane", 1),
        ("kubeadm-1.36-worker", 2),
        ("k3s-1.36.3", 1),
        ("k0s-1.36.3", 2),
        ("microk8s-1.36", 1),
    ],
)
def test_a_fresh_node_is_quiet_until_something_really_comes_due(
    recorded: str, pods: int, unpacked: Callable[[str], Path], now: datetime, tmp_path: Path
) -> None:
    """Nothing for 300 days, then each certificate that nobody renews fires: once, without a gap, in order."""
    samples = [*exported(unpacked(recorded), pods)]
    steps = range(DAYS * DAY // STEP)
    expected = [due(samples, now.timestamp() + step * STEP) for step in steps]
    case = tmp_path / "simulated.test.yaml"
    case.write_text(yaml.safe_dump(simulation(samples, now.timestamp(), expected)), encoding="utf-8")

    done = subprocess.run(
        [require_tool("promtool", "prometheus"), "test", "rules", case],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, (done.stdout + done.stderr)[:4000]
    assert not any(expected[: 300 * DAY // STEP])
    assert expected[-1]["KubePKICertificateExpired"]


def exported(root: Path, pods: int) -> Iterator[Sample]:
    """The samples of one scan of that tree, as targets with a node label; several pods of a node overlap."""
    done = subprocess.run(
        [sys.executable, "-m", "exporter", "check", "--host-root", root, "-o", "prometheus"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode in {0, 1, 2}, done.stderr
    for family in text_string_to_metric_families(done.stdout):
        for sample in family.samples:
            for pod in range(pods):
                target = TARGET | {"instance": f"10.0.0.{pod}:9795", "pod": f"pod-{pod}"}
                yield sample.name, sample.labels | target, sample.value


def due(samples: list[Sample], time: float) -> Counter[str]:
    """The alerts that the certificates themselves call for, written without looking at the rules."""
    by_name: dict[str, dict[tuple[str, ...], float]] = {}
    certificates: dict[tuple[str, ...], Labels] = {}
    for name, labels, value in samples:
        place = tuple(labels.get(label, "") for label in ("path", "entry", "index"))
        by_name.setdefault(name, {})[place] = value
        if name == "kubepki_certificate_info":
            certificates[place] = labels
    alerts: Counter[str] = Counter()
    for place, labels in certificates.items():
        if labels["state"] != "in_use" or labels["is_ca"] == "true":
            continue
        end = by_name["kubepki_certificate_not_after_timestamp_seconds"][place]
        life = end - by_name["kubepki_certificate_not_before_timestamp_seconds"][place]
        left = end - time
        rotation = by_name.get("kubepki_certificate_rotation_due_timestamp_seconds", {}).get(place)
        is_private = labels["role"] == "kubelet-server-self-signed"
        if rotation is not None:
            # Pending at the first step past the time; held by keep_firing_for at the first past the end.
            alerts["KubePKIKubeletRotationOverdue"] += rotation < time - STEP and left + STEP > 0
        else:
            alerts["KubePKICertificateExpiresSoon"] += left < min(30 * DAY, life / 4)
            alerts["KubePKICertificateExpiresVerySoon"] += left < min(7 * DAY, life / 10) and not is_private
        alerts["KubePKICertificateExpired"] += left <= 0 and not is_private
    return +alerts


def simulation(samples: list[Sample], now: float, expected: list[Counter[str]]) -> dict[str, Any]:
    """A test for promtool, whose clock starts at 0: every timestamp is moved to it."""
    steps = len(expected)
    return {
        "rule_files": [str(path) for path in RULES],
        "evaluation_interval": f"{STEP}s",
        "tests": [
            {
                "interval": f"{STEP}s",
                "input_series": [
                    {"series": series(name, labels), "values": values(name, value, now, steps)}
                    for name, labels, value in samples
                ],
                "promql_expr_test": [
                    {
                        "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": f"{step * STEP}s",
                        "exp_samples": [
                            {"labels": series("", {"alertname": alert}), "value": count}
                            for alert, count in sorted(alerts.items())
                        ],
                    }
                    for step, alerts in enumerate(expected)
                ],
            }
        ],
    }


def series(name: str, labels: Labels) -> str:
    """As PromQL writes it."""
    written = ", ".join(f"{label}={json.dumps(value)}" for label, value in labels.items())
    return f"{name}{{{written}}}"


def values(name: str, value: float, now: float, steps: int) -> str:
    """Constant over the time, but for a scan that goes on."""
    if name == "kubepki_last_scan_timestamp_seconds":
        return f"0+{STEP}x{steps}"
    moved = value - now if name.endswith("_timestamp_seconds") else value
    return f"{moved:.0f}x{steps}"
