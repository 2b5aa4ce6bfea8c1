"""Which form a client gets."""

import pytest

from exporter.exposition import negotiation

PROMETHEUS_2 = (
    "application/openmetrics-text;version=1.0.0;q=0.75,application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=0.0.4;q=0.25,*/*;q=0.1"
)
PROMETHEUS_3 = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
    "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "is_openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        (PROMETHEUS_2, True),
        (PROMETHEUS_3, True),
        ("application/openmetrics-text", True),
        ("Application/OpenMetrics-Text ; Version=1.0.0 ; Q=1", True),
        ("application/openmetrics-text; version=2.0.0", False),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-text;q=nan", False),
        ("application/openmetrics-text;q=much", False),
        ("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5", False),
        (",;,=;q", False),
    ],
)
def test_openmetrics_goes_to_who_prefers_it(accept: str, is_openmetrics: bool) -> None:
    """Weights are obeyed, so Prometheus' scrape_protocols setting works; nonsense means text."""
    assert negotiation.takes_openmetrics(accept) == is_openmetrics


@pytest.mark.parametrize(
    ("accept_encoding", "is_gzip"),
    [
        ("", False),
        ("gzip", True),
        ("deflate, GZIP;q=0.5", True),
        ("x-gzip", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("br", False),
    ],
)
def test_gzip_goes_to_who_names_it(accept_encoding: str, is_gzip: bool) -> None:
    """A client that says nothing, or refuses gzip, gets plain bytes."""
    assert negotiation.takes_gzip(accept_encoding) == is_gzip
