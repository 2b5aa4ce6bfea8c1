"""Columns of tables: which field they show, under what name, how wide and in which colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DynamicConfigValue,
    SpecialValueMap,
    SpecialValueMatch,
    Threshold,
    ValueMap,
    ValueMappingResult,
)

RUNBOOKS: Final = "https://github.com/kube-pki-exporter/kube-pki-exporter/blob/main/docs/runbooks"
NODE_UID: Final = "kubernetes-pki-node"
FLEET_UID: Final = "kubernetes-pki-fleet"

RED: Final = "red"
ORANGE: Final = "orange"
YELLOW: Final = "yellow"
GREEN: Final = "green"
BLUE: Final = "blue"
GREY: Final = "#808080"

_DAY: Final = 86400


@dataclass(frozen=True, slots=True)
class Column:
    """A column; *field* is a label, or ``Value`` or ``Value #A`` for the value of a query."""

    field: str
    title: str
    properties: tuple[DynamicConfigValue, ...] = ()
    is_hidden: bool = False


def hidden(label: str) -> Column:
    """Leave out a label that only keeps rows apart."""
    return Column(label, label, is_hidden=True)


def text(label: str, title: str, width: int | None = None) -> Column:
    """Show a label as it is."""
    return Column(label, title, _width(width))


def node(width: int = 150) -> Column:
    """Show the node, with a link to its own dashboard."""
    url = f"/d/{NODE_UID}?${{datasource:queryparam}}&${{cluster:queryparam}}&var-node=${{__value.text}}"
    return Column("node", "Node", (*_width(width), _link("All of ${__value.text}", url, is_new_tab=False)))


def check(width: int = 220) -> Column:
    """Show a check, with a link to its section of the runbook."""
    url = f"{RUNBOOKS}/KubePKIFinding.md#${{__value.text}}"
    return Column("check", "Check", (*_width(width), _link("Runbook of ${__value.text}", url)))


def reason(width: int = 180) -> Column:
    """Show why something could not be read, with a link to the runbook."""
    return Column("reason", "Reason", (*_width(width), _link("Runbook", f"{RUNBOOKS}/KubePKIUnreadable.md")))


def missing_path() -> Column:
    """Show a path where nothing is, with a link to the runbook."""
    return Column("path", "Path", (_link("Runbook", f"{RUNBOOKS}/KubePKIFileMissing.md"),))


def duration(
    field: str, title: str, thresholds: Sequence[Threshold] | None = None, *, absent: str = ""
) -> Column:
    """Show seconds in their two largest units, coloured below 30 and 7 days; *absent* stands for NaN."""
    properties = [*_width(160), _of("unit", "dtdurations"), _of("decimals", 1)]
    properties += _coloured(REMAINING if thresholds is None else thresholds)
    if absent:
        properties.append(_of("mappings", [nothing(absent)]))
    return Column(field, title, tuple(properties))


def moment(field: str, title: str) -> Column:
    """Show milliseconds since 1970 as a date."""
    return Column(field, title, (*_width(170), _of("unit", "dateTimeAsIso")))


def in_unit(unit: str, width: int | None) -> tuple[DynamicConfigValue, ...]:
    """Show a value in a unit of Grafana's, without judging it."""
    return (*_width(width), _of("unit", unit))


def number(field: str, title: str, width: int = 90) -> Column:
    """Show a count."""
    return Column(field, title, (*_width(width), _of("unit", "none"), _of("decimals", 0)))


def words(
    field: str,
    title: str,
    meanings: Mapping[str, tuple[str, str]],
    *,
    width: int = 120,
    absent: str = "",
) -> Column:
    """Show a value as a coloured word: value to word and colour; *absent* stands for NaN."""
    mappings: list[ValueMap | SpecialValueMap] = [mapping(meanings)]
    if absent:
        mappings.append(nothing(absent))
    cell = _of("custom.cellOptions", {"type": "color-background", "mode": "basic"})
    return Column(field, title, (*_width(width), _of("mappings", mappings), cell))


def mapping(meanings: Mapping[str, tuple[str, str]]) -> ValueMap:
    """Map values to words and colours."""
    return ValueMap(
        {
            value: ValueMappingResult(text=word, color=color, index=index)
            for index, (value, (word, color)) in enumerate(meanings.items())
        }
    )


def nothing(word: str) -> SpecialValueMap:
    """Map the absence of a value to a grey word."""
    result = ValueMappingResult(text=word, color=GREY, index=9)
    return SpecialValueMap(
        DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL_AND_NAN, result=result)
    )


def steps(*pairs: tuple[float | None, str]) -> list[Threshold]:
    """List thresholds from the lowest; the first has no lower bound."""
    return [Threshold(value=value, color=color) for value, color in pairs]


URGENCY: Final = {
    "-2": ("not needed", GREY),
    "-1": ("not in use", GREY),
    "0": ("fine", GREEN),
    "1": ("soon", YELLOW),
    "2": ("urgent", ORANGE),
    "3": ("expired", RED),
}
SEVERITY: Final = {"1": ("critical", RED), "2": ("warning", ORANGE), "3": ("info", BLUE)}
SWITCH: Final = {"1": ("on", GREEN), "0": ("off", ORANGE)}
PRESENCE: Final = {"0": ("missing", RED), "1": ("present", GREEN), "2": ("absent, may be", GREY)}
UP: Final = {"1": ("up", GREEN), "0": ("down", ORANGE)}
CLIENT_AUTH: Final = {
    "required": ("required", GREEN),
    "none": ("none", ORANGE),
    "unknown": ("unknown", GREY),
}
PRIVILEGE: Final = {
    "masters": ("masters", RED),
    "cluster-admin": ("cluster-admin", ORANGE),
    "component": ("component", BLUE),
    "node": ("node", GREEN),
    "other": ("other", GREY),
}
REMAINING: Final = steps((None, RED), (0, ORANGE), (7 * _DAY, YELLOW), (30 * _DAY, GREEN))
AUTHORITY_REMAINING: Final = steps(
    (None, RED), (30 * _DAY, ORANGE), (180 * _DAY, YELLOW), (365 * _DAY, GREEN)
)
DUE: Final = steps((None, RED), (0, GREEN))


def _of(identifier: str, value: object) -> DynamicConfigValue:
    return DynamicConfigValue(id_val=identifier, value=value)


def _width(pixels: int | None) -> tuple[DynamicConfigValue, ...]:
    return () if pixels is None else (_of("custom.width", pixels),)


def _coloured(thresholds: Sequence[Threshold]) -> tuple[DynamicConfigValue, ...]:
    return (
        _of("thresholds", {"mode": "absolute", "steps": list(thresholds)}),
        _of("color", {"mode": "thresholds"}),
        _of("custom.cellOptions", {"type": "color-text"}),
    )


def _link(title: str, url: str, *, is_new_tab: bool = True) -> DynamicConfigValue:
    return _of("links", [{"title": title, "url": url, "targetBlank": is_new_tab}])
