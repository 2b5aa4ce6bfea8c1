"""Metrics as Prometheus reads them: a table of families, written once per change."""

from exporter.exposition.exposition import Body, Exposition
from exporter.exposition.families import FAMILIES, metrics_table
from exporter.exposition.report import CheckRow, Report
from exporter.exposition.status import Status

__all__ = ["FAMILIES", "Body", "CheckRow", "Exposition", "Report", "Status", "metrics_table"]
