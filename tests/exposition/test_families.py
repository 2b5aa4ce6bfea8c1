"""Rules that every family keeps, whatever it prints."""

import re

import pytest

from exporter.exposition import FAMILIES, metrics_table
from exporter.exposition.family import CertificateFamily, Family, Kind, LiveFamily, ReportFamily
from tests.exposition import handmade

TARGET_LABELS = {"node", "cluster", "instance", "job", "namespace", "pod", "container", "service", "endpoint"}
each_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)

AnyFamily = CertificateFamily | ReportFamily | LiveFamily


@each_family
def test_no_label_is_a_target_label(family: AnyFamily) -> None:
    """Such a label would arrive as exported_... in Prometheus."""
    assert TARGET_LABELS.isdisjoint(family.labels)


@each_family
def test_names_are_ours_and_snake_case(family: AnyFamily) -> None:
    """Names carry the prefix, but for those of every process; labels are distinct plain words."""
    assert re.fullmatch(r"(kubepki|process)(_[a-z]+)+", family.name)
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", label) for label in family.labels)
    assert len(set(family.labels)) == len(family.labels)


@each_family
def test_help_is_a_sentence_that_needs_no_escape(family: AnyFamily) -> None:
    """HELP is written as it stands, and into a Markdown table too."""
    assert re.fullmatch(r'[A-Z0-9][^\n"\\|]*\.', family.help)


@each_family
def test_every_family_is_shown_by_the_handmade_inventory(family: AnyFamily) -> None:
    """The golden text covers the whole table."""
    if isinstance(family, LiveFamily):
        assert list(family.samples(handmade.STATUS))
    elif isinstance(family, ReportFamily):
        assert family.lines(handmade.REPORT)
    else:
        assert any(family.lines(occurrence) for occurrence in handmade.INVENTORY.occurrences)


def test_names_are_distinct() -> None:
    """Neither two families nor two OpenMetrics families have one name."""
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    assert len({family.stem for family in FAMILIES}) == len(FAMILIES)


def test_timestamps_of_a_certificate_have_one_label_set() -> None:
    """Arithmetic between the three needs no matching clause."""
    by_name = {family.name: family.labels for family in FAMILIES}
    ends = ("not_after", "not_before", "effective_not_after")
    labels = {by_name[f"kubepki_certificate_{end}_timestamp_seconds"] for end in ends}
    assert labels == {("path", "entry", "index", "role", "is_ca", "state")}


def test_the_suffix_decides_the_type() -> None:
    """A family is a counter by _total, an info by _info, else a gauge."""
    kinds = {family.name: family.kind for family in FAMILIES}
    assert kinds["kubepki_scans_total"] is Kind.COUNTER
    assert kinds["kubepki_certificate_info"] is Kind.INFO
    assert kinds["kubepki_finding"] is Kind.GAUGE


def test_a_sample_needs_exactly_the_labels_of_its_family() -> None:
    """A function that forgets a label is found at once."""
    family: Family[None] = Family("kubepki_x", "X.", ("a", "b"), lambda _: [(("1",), 1)])
    with pytest.raises(ValueError, match="shorter"):
        family.lines(None)


def test_of_equal_labels_the_first_sample_stands() -> None:
    """Two samples of one label set would void the whole scrape."""
    family: Family[None] = Family("kubepki_x", "X.", ("a",), lambda _: [(("1",), 1), (("1",), 2)])
    assert family.lines(None) == b'kubepki_x{a="1"} 1\n'


def test_the_table_of_metrics_lists_every_family_in_order() -> None:
    """What the documentation shows comes from the code."""
    rows = metrics_table().splitlines()
    assert rows[:2] == ["| Metric | Type | Labels | Meaning |", "|---|---|---|---|"]
    assert [row.split("`")[1] for row in rows[2:]] == [family.name for family in FAMILIES]
