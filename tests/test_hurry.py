"""Only waiting times change."""

from pathlib import Path

import pytest
import yaml

from tests.cluster.monitoring import FACTOR
from tests.cluster.project import PROJECT
from tests.hurry import hurried_route, hurried_rules, shorter

SHIPPED = sorted((PROJECT / "alerts").glob("*.yaml"))


@pytest.mark.parametrize(("shipped", "hurried"), [("10m", "5000ms"), ("1h", "30000ms"), ("1h30m", "45000ms")])
def test_duration_is_divided(shipped: str, hurried: str) -> None:
    """Every unit counts, alone and joined."""
    assert FACTOR == 120
    assert shorter(shipped, FACTOR) == hurried


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_nothing_else_changes(path: Path) -> None:
    """Without their waiting times the hurried documents equal the shipped ones."""
    shipped = yaml.safe_load(path.read_text())
    if "groups" in shipped:
        hurried = hurried_rules(shipped, FACTOR)
        pairs = [
            (old, new)
            for before, after in zip(shipped["groups"], hurried["groups"], strict=True)
            for old, new in zip(before["rules"], after["rules"], strict=True)
        ]
    else:
        pairs = [(shipped["route"], hurried_route(shipped["route"], FACTOR))]
    for old, new in pairs:
        assert old.keys() == new.keys()
        changed = {key for key in old if old[key] != new[key]}
        assert changed <= {
            "for",
            "keep_firing_for",
            "group_wait",
            "group_interval",
            "repeat_interval",
            "routes",
        }
