"""Rendering anew only what changed, over any change and any text."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.exposition import Exposition, Report
from exporter.exposition.rendering import NOTHING, render
from exporter.model import (
    Authority,
    Certificate,
    Finding,
    Fingerprint,
    Inventory,
    KubeletSettings,
    Listener,
    Node,
    Occurrence,
    Place,
    PlacedFailure,
    Reading,
    Reference,
    ServiceAccountKey,
    SpkiHash,
    SubjectAlternativeName,
    TrustAnchor,
)
from tests.exposition import handmade
from tests.exposition.handmade import certificate, occurrence
from tests.exposition.test_exposition import OPENMETRICS, check_metrics, plain

CERTIFICATES = tuple(certificate(f"c{n}", fingerprint=f"{n:02x}" * 32) for n in range(3))
few = st.builds(
    lambda number, which: occurrence(f"/pki/{number}.crt", CERTIFICATES[which]),
    st.integers(0, 6),
    st.integers(0, 2),
)
inventories = st.lists(st.lists(few, max_size=8), min_size=2, max_size=4)

texts = st.text(st.characters() | st.sampled_from('\\"\n\r\0\u202e\udcff…'), max_size=20) | st.just("é" * 600)
counts = st.integers(0, 9)
clock = st.floats(0, 4e9)
times = st.datetimes().map(lambda naive: naive.replace(tzinfo=handmade.START.tzinfo, microsecond=0))
places = st.builds(Place, texts, texts, counts)
sans = st.builds(SubjectAlternativeName, texts, texts)
certificates = st.builds(
    Certificate,
    **dict.fromkeys(("subject", "subject_cn", "issuer", "issuer_cn", "serial_number"), texts),
    **dict.fromkeys(("key_algorithm", "signature_algorithm"), texts),
    fingerprint=texts.map(Fingerprint),
    spki_sha256=texts.map(SpkiHash),
    organizations=st.lists(texts, max_size=3).map(tuple),
    sans=st.lists(sans, max_size=3).map(tuple),
    not_before=times,
    not_after=times,
    extended_key_usage=st.none(),
)
occurrences = st.builds(
    Occurrence,
    place=places,
    certificate=certificates,
    issuers=st.lists(st.builds(Authority, texts.map(Fingerprint)), max_size=2).map(tuple),
    issuer_fingerprint=st.none() | texts.map(Fingerprint),
    effective_not_after=times,
    rotation_due=st.none() | times,
)
nodes = st.builds(
    Node,
    name=texts,
    kubelet=st.builds(KubeletSettings, rotate_certificates=st.booleans()),
    listeners=st.lists(
        st.builds(Listener, url=texts, listener=texts, transport=texts, client_auth=texts), max_size=3
    ).map(tuple),
    processes_ignored=st.dictionaries(texts, counts, max_size=3),
    component_starts=st.dictionaries(texts, clock, max_size=3),
)


def tuples(element: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """Few of them, some twice."""
    return st.lists(element, max_size=3).map(lambda some: (*some, *some[:1]))


reports = st.builds(
    Report,
    inventory=st.builds(
        Inventory,
        node=nodes,
        occurrences=tuples(occurrences),
        failures=tuples(st.builds(PlacedFailure, place=places)),
        references=tuples(st.builds(Reference, component=texts, setting=texts, path=texts)),
        trust_anchors=tuples(
            st.builds(
                TrustAnchor, component=texts, setting=texts, path=texts, entry=texts, certificate=certificates
            )
        ),
        service_account_keys=tuples(
            st.builds(ServiceAccountKey, path=texts, component=texts, spki_sha256=texts.map(SpkiHash))
        ),
        superseded=st.dictionaries(texts, counts, max_size=3),
        last_changes=st.dictionaries(texts, clock, max_size=3),
        files=st.just({}),
        directories=st.just({}),
        readings=st.just(()),
    ),
    findings=tuples(st.builds(Finding, check=texts, place=places, detail=texts)),
    checks=tuples(st.builds(handmade.Row, name=texts, meaning=texts, cites=texts)),
)
readings = st.builds(Reading, source=texts, documents=counts, seconds=clock, last_success=clock)


@given(inventories)
def test_an_update_prints_what_a_fresh_start_prints(steps: list[list[Occurrence]]) -> None:
    """Whatever appears, disappears, moves or changes, taking lines over makes no difference."""
    rendering = NOTHING
    for step in steps:
        report = replace(handmade.REPORT, inventory=replace(handmade.INVENTORY, occurrences=tuple(step)))
        rendering = render(report, rendering)
        assert rendering == render(report, NOTHING)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(reports, tuples(readings))
def test_no_text_breaks_the_exposition(report: Report, read: tuple[Reading, ...]) -> None:
    """Arbitrary text in every field: both formats parse, and no two samples have one label set."""
    exposition = Exposition(report)
    status = replace(handmade.STATUS, readings=read)
    for accept, parse in (("", parse_text), (OPENMETRICS, parse_openmetrics)):
        text = plain(exposition, accept, status)
        series = [line.rpartition(" ")[0] for line in text.split("\n") if line and not line.startswith("#")]
        assert len(set(series)) == len(series)
        assert sum(len(family.samples) for family in parse(text)) == len(series)


HOSTILE = (
    "/etc/kubernetes/pki/new\nline.crt",
    '/etc/kubernetes/pki/quote".crt',
    "/etc/kubernetes/pki/back\\slash.crt",
    "/etc/kubernetes/pki/bad-\udcff\udcfe.crt",
    "/etc/kubernetes/pki/\x1b[2J\r\0\u202e.crt",
    "/etc/kubernetes/pki/" + "long" * 200,
    "/etc/kubernetes/pki/" + "long" * 200 + "er",
)


@pytest.fixture(scope="module")
def hostile() -> Exposition:
    """Certificates whose file names and subjects are attacks."""
    found = tuple(
        occurrence(
            path,
            certificate(
                path,
                subject=f"CN={path * 100}",
                fingerprint=f"{n:02x}" * 32,
                sans=(SubjectAlternativeName("dns", path),) * 2,
            ),
        )
        for n, path in enumerate(HOSTILE)
    )
    return Exposition(replace(handmade.REPORT, inventory=replace(handmade.INVENTORY, occurrences=found)))


def test_promtool_takes_hostile_names(hostile: Exposition) -> None:
    """Prometheus reads every one of the attacks as text."""
    result = check_metrics(hostile.body("", "", handmade.STATUS).content)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_hostile_names_keep_their_series(hostile: Exposition) -> None:
    """Each file has its own series, also those that differ behind the cut or in an invisible byte."""
    families = {family.name: family.samples for family in parse_text(plain(hostile))}
    paths = [sample.labels["path"] for sample in families["kubepki_certificate_info"]]
    assert len(set(paths)) == len(HOSTILE)
    assert paths[3] == "/etc/kubernetes/pki/bad-\\xff\\xfe.crt"
    assert all(path.isprintable() for path in paths)


def test_names_past_the_limit_are_counted() -> None:
    """10,000 subject alternative names cost 64 series and are all in the count."""
    many = tuple(SubjectAlternativeName("dns", f"host-{n}.example.org") for n in range(10_000))
    found = occurrence("/a.crt", certificate("many", sans=many))
    inventory = replace(handmade.INVENTORY, occurrences=(found,))
    text = plain(Exposition(replace(handmade.REPORT, inventory=inventory)))
    assert text.count("kubepki_certificate_san_info{") == 64
    assert 'kubepki_certificate_sans{path="/a.crt",entry="",index="0",role="other"} 10000\n' in text


def test_years_at_the_edge_are_plain_numbers() -> None:
    """1950 and 9999 are times like any other."""
    first, last = (datetime(year, 1, 1, tzinfo=UTC) for year in (1950, 9999))
    found = occurrence("/a.crt", replace(certificate(), not_before=first, not_after=last))
    inventory = replace(handmade.INVENTORY, occurrences=(found,))
    text = plain(Exposition(replace(handmade.REPORT, inventory=inventory)))
    assert 'kubepki_certificate_not_before_timestamp_seconds{path="/a.crt"' in text
    assert 'is_ca="false",state="in_use"} -631152000\n' in text
    assert 'is_ca="false",state="in_use"} 253370764800\n' in text


def test_two_findings_of_one_check_in_a_place_are_one_series() -> None:
    """Several details are one objection, and the count agrees with the series."""
    twice = (handmade.FINDING, replace(handmade.FINDING, detail="0666"))
    unknown = replace(handmade.FINDING, check="unlisted")
    text = plain(Exposition(replace(handmade.REPORT, findings=(*twice, unknown))))
    assert text.count("kubepki_finding{") == 2
    assert 'kubepki_check_findings{check="mode_loose",severity="warning"} 1\n' in text
    assert 'kubepki_check_findings{check="key_weak",severity="info"} 0\n' in text
    assert 'kubepki_check_findings{check="unlisted",severity="warning"} 1\n' in text


def test_one_change_takes_over_all_other_lines() -> None:
    """A renewed certificate changes its own lines and leaves those around it."""
    found = tuple(occurrence(f"/pki/{n}.crt", CERTIFICATES[0]) for n in range(5))
    inventory = replace(handmade.INVENTORY, occurrences=found)
    first = Exposition(replace(handmade.REPORT, inventory=inventory))
    later = replace(CERTIFICATES[1], not_after=handmade.START + timedelta(days=1))
    renewed = (*found[:2], replace(found[2], certificate=later), *found[3:])
    second = first.updated(replace(handmade.REPORT, inventory=replace(inventory, occurrences=renewed)))
    pairs = zip(plain(first).splitlines(), plain(second).splitlines(), strict=True)
    changed = {old for old, new in pairs if old != new and not old.startswith("process_")}
    assert changed
    assert all('path="/pki/2.crt"' in line for line in changed)
