"""The alerts: valid, tested case by case, named as the runbooks are, and built on metrics that exist."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.exposition import FAMILIES
from tests.tools import require_tool

ROOT = Path(__file__).resolve().parents[2]
RULES = sorted((ROOT / "alerts").glob("[!a]*.yaml"))
CASES = sorted(Path(__file__).parent.glob("*.test.yaml"))
RUNBOOKS = ROOT / "docs/runbooks"
BASE = "https://github.com/kube-pki-exporter/kube-pki-exporter/blob/main/docs/runbooks"

TARGET = {"cluster", "node", "job", "instance", "pod"}


def rules() -> Iterator[dict[str, Any]]:
    """Every rule of every file."""
    for path in RULES:
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


ALERTS = [rule for rule in rules() if "alert" in rule]
NAMES = sorted({rule["alert"] for rule in ALERTS})


def promtool(*arguments: str | Path) -> None:
    """Run promtool and show what it says when it objects."""
    done = subprocess.run(
        [require_tool("promtool", "prometheus"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rule_files_are_valid() -> None:
    """Prometheus loads them."""
    promtool("check", "rules", *RULES)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_the_alerts_fire_when_they_should_and_say_what_they_should(case: Path) -> None:
    """Prometheus' own unit tests, with the exact text."""
    promtool("test", "rules", case)


@pytest.mark.parametrize("alert", NAMES)
def test_every_alert_has_a_firing_and_a_quiet_case(alert: str) -> None:
    """An alert that was never seen to be silent is half tested."""
    expected = [
        {each["exp_labels"]["severity"] for each in case.get("exp_alerts", [])}
        for path in CASES
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == alert
    ]

    assert set().union(*expected) == {rule["labels"]["severity"] for rule in ALERTS if rule["alert"] == alert}
    assert set() in expected


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: f"{rule['alert']}-{rule['labels']['severity']}")
def test_an_alert_says_what_and_where_to_read_on(rule: dict[str, Any]) -> None:
    """A constant summary, a description with the place, and a runbook of the alert's name."""
    annotations = rule["annotations"]

    assert rule["labels"]["severity"] in {"info", "warning", "critical"}
    assert len(annotations["summary"]) < 60
    assert "{{" not in annotations["summary"]
    assert annotations["runbook_url"] == f"{BASE}/{rule['alert']}.md"
    assert "description" in annotations
    assert "keep_firing_for" in rule


def test_alerts_and_runbooks_belong_together() -> None:
    """A page per alert and no page without one."""
    pages = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}

    assert pages == set(NAMES)


@pytest.mark.parametrize("page", sorted(RUNBOOKS.glob("KubePKI*.md")), ids=lambda path: path.stem)
def test_a_runbook_says_what_to_do(page: Path) -> None:
    """The same parts in every page, so that a tired reader finds them."""
    text = page.read_text(encoding="utf-8")
    parts = (
        "## What it means",
        "## What breaks",
        "## How to confirm",
        "## How to repair",
        "## How to avoid it",
    )

    assert [part for part in parts if part not in text] == []
    assert page.stem in (RUNBOOKS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "page", [*sorted(RUNBOOKS.glob("*.md")), ROOT / "alerts/README.md"], ids=lambda path: path.stem
)
def test_a_link_between_runbooks_leads_somewhere(page: Path) -> None:
    """At night nobody looks for a section that was renamed."""
    for target, anchor in re.findall(r"\]\(([^)#:]+)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        linked = page.parent / target
        assert linked.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}, anchor


def test_the_rules_ask_for_metrics_and_labels_that_exist() -> None:
    """A rule over a metric that nobody exports is silent for ever."""
    exported = {family.name for family in FAMILIES}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    text = "\n".join(rule["expr"] for rule in rules())

    assert set(re.findall(r"\bkubepki_[a-z_]+", text)) <= exported
    assert set(re.findall(r"\bkubepki:[a-z_]+", text)) <= recorded


def test_the_rules_ask_for_labels_that_exist() -> None:
    """A selector on a label that nobody sets matches nothing, or everything."""
    labels = {family.name: set(family.labels) | TARGET for family in FAMILIES}
    made = {"ca_fingerprint", "threshold", "breaks"}
    known = set().union(*labels.values()) | made

    for rule in rules():
        text = "\n".join((rule["expr"], *rule.get("annotations", {}).values()))
        for metric, selector in re.findall(r"\b(kubepki_[a-z_]+)\{([^}]*)\}", text):
            asked = set(re.findall(r"([a-z_]+) ?(?:=|!=|=~|!~)[\"'%]", selector))
            assert asked <= labels[metric], metric
        for listed in re.findall(r"\b(?:by|on|ignoring|group_left) ?\(([^)]*)\)", text):
            assert {label.strip() for label in listed.split(",") if label.strip()} <= known, listed
        for label in re.findall(r"\$labels\.([a-z_]+)", text):
            assert label in known, label


def test_no_rule_tells_problems_apart_by_pod_or_instance() -> None:
    """A replaced pod neither resolves nor repeats a page."""
    for rule in ALERTS:
        described = rule["annotations"]["description"]
        assert not re.search(r"\$labels\.(instance|pod|state)\b", described), rule["alert"]
