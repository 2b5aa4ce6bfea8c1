"""The exporter of a node itself."""

from grafana_foundation_sdk.builders.stat import Panel as Tile
from grafana_foundation_sdk.builders.table import Panel as Grid
from grafana_foundation_sdk.builders.timeseries import Panel as Graph

from dashboards import columns, panels
from dashboards.columns import BLUE, GREEN, ORANGE, RED, Column, steps
from dashboards.queries import TARGET, select


def tiles() -> list[Tile]:
    """Tell whether the exporter is up to date."""
    age = f"time() - max({select('kubepki_last_scan_timestamp_seconds')})"
    return [
        panels.label_tile(
            "Version",
            "The version of the exporter on this node; two during an update.",
            f"group by (version) ({select('kubepki_build_info')})",
            "version",
        ).span(6),
        panels.tile(
            "Last scan",
            "How long ago the last scan ended. By default one is made every 5 minutes at least.",
            {"Last scan": age},
            {"Last scan": steps((None, GREEN), (600, ORANGE), (900, RED))},
        )
        .span(6)
        .unit("dtdurations")
        .decimals(1),
        panels.tile(
            "Watch",
            "Whether changes of files are seen at once; off: by a scan every 30 seconds, until they are.",
            {"Watch": f"max({select('kubepki_watch_up')})"},
            {"Watch": steps((None, ORANGE), (1, GREEN))},
        )
        .span(6)
        .mappings([columns.mapping(columns.SWITCH)]),
        panels.tile(
            "Watched directories",
            "How many directories are watched.",
            {"Watched directories": f"max({select('kubepki_watched_directories')})"},
            {"Watched directories": steps((None, ORANGE), (1, BLUE))},
        ).span(6),
    ]


def graphs() -> list[Graph]:
    """Show what the exporter did and what it costs."""

    def own(metric: str) -> str:
        return f"{select(metric)} and on ({TARGET}) {select('kubepki_build_info')}"

    increase = f"increase({select('kubepki_scans_total')}[$__rate_interval])"
    busy = f"rate({select('process_cpu_seconds_total')}[$__rate_interval])"
    return [
        panels.graph(
            "Scans",
            "How many scans were made, and what triggered them.",
            {"{{trigger}}": f"sum by (trigger) ({increase})"},
            "none",
        ),
        panels.graph(
            "Duration of a scan",
            "How long the last scan took, and each of its sources.",
            {
                "scan": f"max({select('kubepki_scan_duration_seconds')})",
                "{{source}}": f"max by (source) ({select('kubepki_source_read_duration_seconds')})",
            },
            "s",
        ),
        panels.graph(
            "Memory",
            "Resident memory of the exporter.",
            {"{{instance}}": f"max by (instance) ({own('process_resident_memory_bytes')})"},
            "bytes",
        ).span(4),
        panels.graph(
            "Processor",
            "How much of a core the exporter uses.",
            {"{{instance}}": f"max by (instance) ({busy} and on ({TARGET}) {select('kubepki_build_info')})"},
            "percentunit",
        ).span(4),
    ]


def sources() -> Grid:
    """List where the last scan looked."""

    def of(metric: str) -> str:
        return f"max by (source) ({select(metric)})"

    success = select("kubepki_source_last_success_timestamp_seconds")
    never = f"{select('kubepki_source_up')} * NaN"
    return panels.grid(
        "Sources",
        "Where the last scan looked, whether that worked, and how many documents were there. Without the"
        " host's /proc the processes are down, and the configuration alone tells who uses which file.",
        [
            of("kubepki_source_up"),
            of("kubepki_source_documents"),
            of("kubepki_source_read_duration_seconds"),
            f"max by (source) ({success} * 1000 or {never})",
        ],
        [
            columns.text("source", "Source", 240),
            columns.words("Value #A", "State", columns.UP, width=100),
            columns.number("Value #B", "Documents", 120),
            Column("Value #C", "Duration", columns.in_unit("s", 140)),
            Column("Value #D", "Last success", columns.in_unit("dateTimeAsIso", None)),
        ],
        sort="Source",
    ).height(6)
