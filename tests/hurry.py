"""The shipped rules and routes with shorter waiting times, by one factor; nothing else about them changes."""

import re
from collections.abc import Mapping
from typing import Any

RULE_WAITS = ("for", "keep_firing_for")
ROUTE_WAITS = ("group_wait", "group_interval", "repeat_interval")
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}

Document = Mapping[str, Any]


def shorter(duration: str, factor: int) -> str:
    """Divide a Prometheus duration by the factor; at least a millisecond stays."""
    parts = re.findall(r"(\d+)(ms|[smhdw])", duration)
    return f"{max(sum(int(number) * UNITS[unit] for number, unit in parts) // factor, 1)}ms"


def _hurried(found: Document, waits: tuple[str, ...], factor: int) -> dict[str, Any]:
    return {key: shorter(value, factor) if key in waits else value for key, value in found.items()}


def hurried_rules(rules: Document, factor: int) -> dict[str, Any]:
    """Shorten how long a condition must hold, and how long its alert stays."""
    return {
        "groups": [
            {**group, "rules": [_hurried(rule, RULE_WAITS, factor) for rule in group["rules"]]}
            for group in rules["groups"]
        ]
    }


def hurried_route(route: Document, factor: int) -> dict[str, Any]:
    """Shorten how long Alertmanager gathers alerts, and when it repeats itself."""
    hurried = _hurried(route, ROUTE_WAITS, factor)
    if "routes" in route:
        hurried["routes"] = [hurried_route(each, factor) for each in route["routes"]]
    return hurried
