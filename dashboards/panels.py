"""Panels in the one style that both dashboards share."""

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders.barchart import Panel as Bars
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    TableSortByFieldState,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Tile
from grafana_foundation_sdk.builders.table import Panel as Grid
from grafana_foundation_sdk.builders.timeseries import Panel as Graph
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from dashboards.columns import BLUE, GREEN, Column, steps

SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
WIDTH: Final = 24
"""Columns of Grafana's grid."""


def tile(
    title: str,
    description: str,
    queries: Mapping[str, str],
    thresholds: Mapping[str, Sequence[Threshold]],
) -> Tile:
    """Show one number for each query, under its legend; several stand side by side."""
    panel = (
        Tile()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(4)
        .height(4)
        .unit("none")
        .decimals(0)
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.BACKGROUND)
        .orientation(VizOrientation.VERTICAL)
        .text_mode(BigValueTextMode.VALUE if len(queries) == 1 else BigValueTextMode.VALUE_AND_NAME)
        .reduce_options(ReduceDataOptions().values(False).calcs(["lastNotNull"]).fields(""))
        .thresholds(_thresholds(next(iter(thresholds.values()))))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
    )
    for letter, (legend, expr) in zip("ABCDEF", queries.items(), strict=False):
        panel.with_target(_instant(letter, expr).format(PromQueryFormat.TIME_SERIES).legend_format(legend))
        if len(queries) > 1:
            value = {"mode": "absolute", "steps": list(thresholds[legend])}
            panel.override_by_name(legend, [DynamicConfigValue(id_val="thresholds", value=value)])
    return panel


def label_tile(title: str, description: str, query: str, label: str) -> Tile:
    """Show the value of a label instead of a number."""
    legend = f"{{{{{label}}}}}"
    panel = tile(title, description, {legend: query}, {legend: steps((None, BLUE))})
    return panel.text_mode(BigValueTextMode.NAME)


def grid(
    title: str,
    description: str,
    queries: Sequence[str],
    columns: Sequence[Column],
    *,
    sort: str,
    empty: str = "No data",
) -> Grid:
    """Show a row for each set of labels with the values of all queries, which share their labels.

    *sort* names a column; every query must give a value for each row, NaN where there is none.
    """
    panel = (
        Grid()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(WIDTH)
        .height(8)
        .no_value(empty)
        .color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color("text"))
        .thresholds(_thresholds(steps((None, GREEN))))
        .show_header(True)
        .sort_by([TableSortByFieldState().display_name(sort).desc(False)])
    )
    for letter, query in zip("ABCDEF", queries, strict=False):
        panel.with_target(_instant(letter, query).format(PromQueryFormat.TABLE))
    if len(queries) > 1:
        panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    panel.with_transformation(_organized(columns, len(queries)))
    panel.override_by_regexp("/.*/", [DynamicConfigValue(id_val="custom.filterable", value=True)])
    for column in columns:
        if column.properties and not column.is_hidden:
            panel.override_by_name(column.title, list(column.properties))
    return panel


def horizon(title: str, description: str, query: str) -> Bars:
    """Show a stacked bar for each ``week``, a colour for each ``role``."""
    matrix = {"rowField": "week", "columnField": "role", "valueField": "Value", "emptyValue": "null"}
    return (
        Bars()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(WIDTH)
        .height(9)
        .unit("none")
        .decimals(0)
        .min(0)
        .no_value("No certificates")
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .thresholds(_thresholds(steps((None, GREEN))))
        .with_target(_instant("A", query).format(PromQueryFormat.TABLE))
        .with_transformation(
            DataTransformerConfig(id_val="sortBy", options={"fields": {}, "sort": [{"field": "week"}]})
        )
        .with_transformation(DataTransformerConfig(id_val="groupingToMatrix", options=matrix))
        .stacking(StackingMode.NORMAL)
        .x_tick_label_rotation(-45)
        .x_field("week\\role")
        .fill_opacity(80)
        .legend(_legend(LegendPlacement.RIGHT))
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )


def graph(title: str, description: str, queries: Mapping[str, str], unit: str) -> Graph:
    """Show what happened over the chosen time."""
    panel = (
        Graph()
        .title(title)
        .description(description)
        .datasource(SOURCE)
        .span(8)
        .height(8)
        .unit(unit)
        .min(0)
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .thresholds(_thresholds(steps((None, GREEN))))
        .fill_opacity(10)
        .legend(_legend(LegendPlacement.BOTTOM))
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )
    for letter, (legend, expr) in zip("ABCDEF", queries.items(), strict=False):
        panel.with_target(_query(letter, expr).range().legend_format(legend))
    return panel


def _query(letter: str, expr: str) -> Dataquery:
    return Dataquery().ref_id(letter).expr(expr).datasource(SOURCE).editor_mode(QueryEditorMode.CODE)


def _instant(letter: str, expr: str) -> Dataquery:
    return _query(letter, expr).instant()


def _thresholds(thresholds: Sequence[Threshold]) -> ThresholdsConfig:
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(list(thresholds))


def _legend(placement: LegendPlacement) -> VizLegendOptions:
    return VizLegendOptions().display_mode(LegendDisplayMode.LIST).placement(placement).show_legend(True)


def _organized(columns: Sequence[Column], queries: int) -> DataTransformerConfig:
    shown = {column.field: column.title for column in columns if not column.is_hidden}
    values = {f"Value #{letter}" for letter in "ABCDEF"[:queries]} if queries > 1 else {"Value"}
    hidden = {"Time", *values, *(column.field for column in columns)} - shown.keys()
    return DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": dict.fromkeys(sorted(hidden), True),
            "indexByName": {field: index for index, field in enumerate(shown)},
            "renameByName": shown,
        },
    )
