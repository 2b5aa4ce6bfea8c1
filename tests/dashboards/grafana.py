"""What Grafana does with a dashboard before it asks Prometheus."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.dashboards.observed import RATE_INTERVAL, Prometheus

Choice = Mapping[str, str] | Mapping[str, list[str]] | Mapping[str, str | list[str]]
"""The value or values that a person chose for a variable."""

_SPECIAL = re.compile(r"[\\^$*+?.()|\[\]{}/\"]")
_BUILT_IN = {"__rate_interval": RATE_INTERVAL, "__interval": "1s", "__range": "5s"}


@dataclass(frozen=True)
class Query:
    """One query of one panel."""

    panel: str
    kind: str
    letter: str
    expr: str
    is_instant: bool

    @property
    def name(self) -> str:
        """Where it stands, for the message of a failed test."""
        return f"{self.panel} {self.letter}"


@dataclass(frozen=True)
class Board:
    """A dashboard as its JSON says."""

    document: Mapping[str, Any]

    @cached_property
    def panels(self) -> list[Mapping[str, Any]]:
        """Every panel that shows something."""
        return [panel for panel in self.document["panels"] if panel["type"] != "row"]

    @cached_property
    def variables(self) -> Mapping[str, Mapping[str, Any]]:
        """The variables by name."""
        return {each["name"]: each for each in self.document["templating"]["list"]}

    def panel(self, title: str) -> Mapping[str, Any]:
        """Find the panel of a title."""
        (found,) = (panel for panel in self.panels if panel["title"] == title)
        return found

    def queries(self, title: str | None = None) -> Iterator[Query]:
        """List the queries of one panel or of all."""
        for panel in self.panels:
            if title in {None, panel["title"]}:
                for target in panel["targets"]:
                    is_instant = target.get("instant", False)
                    yield Query(panel["title"], panel["type"], target["refId"], target["expr"], is_instant)

    def interpolated(self, expr: str, choice: Choice) -> str:
        """Put values in place of variables, as the Prometheus data source does."""

        def replaced(found: re.Match[str]) -> str:
            name = found[1] or found[2]
            return _BUILT_IN[name] if name in _BUILT_IN else self._written(name, choice)

        return re.sub(r"\$(?:(\w+)|\{(\w+)\})(?![\d])", replaced, _without_groups(expr)).replace("\0", "$")

    def _written(self, name: str, choice: Choice) -> str:
        variable = self.variables[name]
        value = choice.get(name, variable.get("current", {}).get("value", ""))
        if value in ("$__all", ["$__all"]):
            return str(variable["allValue"])
        values = [value] if isinstance(value, str) else value
        escaped = [_SPECIAL.sub(r"\\\\\g<0>", each) for each in values]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def answers(board: Board, prometheus: Prometheus, query: Query, choice: Choice) -> list[Any]:
    """Ask what a panel asks."""
    expr = board.interpolated(query.expr, choice)
    return list(prometheus.instant(expr) if query.is_instant else prometheus.over_time(expr))


def _without_groups(expr: str) -> str:
    """Hide ``$1`` of label_replace, which is no variable."""
    return re.sub(r"\$(?=\d)", "\0", expr)
