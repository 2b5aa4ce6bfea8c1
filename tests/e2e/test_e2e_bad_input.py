"""One broken input never hides the others, and is itself visible: on the scrape of the real program."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from exporter.demo import DemoNode, make_node
from exporter.demo.node import PKI
from exporter.demo.pki import make_leaf
from tests.e2e.hostile import EVIL_NAME, Hostile, things
from tests.e2e.running import INFO, Running, Scrape, running
from tests.e2e.test_e2e_recorded import check_metrics

DIRECTORY = f"/{PKI}/hostile"
CROWD = f"/{PKI}/crowd"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> DemoNode:
    """A healthy node."""
    now = datetime.fromtimestamp(int(time.time()), UTC)
    return make_node(tmp_path_factory.mktemp("host"), now=now)


@pytest.fixture(scope="module")
def healthy(node: DemoNode) -> Scrape:
    """What is to be seen before anything hostile comes."""
    with running(node.root) as program:
        return program.settled()


@pytest.fixture(scope="module")
def hostile(node: DemoNode, healthy: Scrape, tmp_path_factory: pytest.TempPathFactory) -> tuple[Hostile, ...]:
    """All the hostile things, written into the tree."""
    outside = tmp_path_factory.mktemp("outside") / "outside.crt"
    outside.write_bytes(make_leaf(node.ca, "outside", now=node.now).pem)
    node.write("etc/shadow", b"root:secret-of-the-node:1:0:99999:7:::\n")
    directory = node.root / DIRECTORY.lstrip("/")
    directory.mkdir()
    written = tuple(things(node, outside))
    for thing in written:
        thing.write(directory / thing.name)
    crowd = node.root / CROWD.lstrip("/")
    crowd.mkdir()
    for number in range(5_000):
        (crowd / f"{number}.txt").touch()
    (crowd / "alone.crt").write_bytes(make_leaf(node.ca, "alone", now=node.now).pem)
    return written


@pytest.fixture(scope="module")
def program(node: DemoNode, hostile: tuple[Hostile, ...]) -> Iterator[Running]:
    """The exporter on that tree."""
    with running(node.root) as program:
        program.settled()
        yield program


@pytest.fixture(scope="module")
def scrape(program: Running) -> Scrape:
    """What it says, once bad news is settled."""
    return program.scrape()


def shown(thing: Hostile) -> str:
    """Give the path of a thing as a label has it."""
    return f"{DIRECTORY}/{thing.shown or thing.name}"


def test_the_good_ones_are_all_there(healthy: Scrape, scrape: Scrape) -> None:
    """Every certificate of the node, with the labels it had before."""

    def facts(scrape: Scrape) -> set[tuple[frozenset[tuple[str, str]], float]]:
        return {(frozenset(s.labels.items()), s.value) for s in scrape.samples(INFO)}

    assert len(healthy.places) == 21
    assert facts(healthy) <= facts(scrape)
    assert scrape.places >= {(f"{CROWD}/alone.crt", "", "0")}


def test_each_bad_one_is_a_failure_with_its_reason(hostile: tuple[Hostile, ...], scrape: Scrape) -> None:
    """Exactly these, and nothing else on the whole node."""
    assert scrape.failures == {(shown(thing), thing.reason) for thing in hostile if thing.reason}
    counted = Counter(thing.reason for thing in hostile if thing.reason)
    samples = scrape.samples("kubepki_documents_failed")
    assert {s.labels["reason"]: s.value for s in samples if s.value} == counted
    assert {s.labels["state"] for s in scrape.samples("kubepki_document_failure")} == {"unreferenced"}


def test_what_can_be_read_is_shown(hostile: tuple[Hostile, ...], scrape: Scrape) -> None:
    """The good blocks of a broken file, files of strange names, certificates nobody should have issued."""
    counted = Counter(path for path, _, _ in scrape.places if path.startswith(DIRECTORY))

    assert counted == {shown(thing): thing.certificates for thing in hostile if thing.certificates}


def test_nothing_leads_out_of_the_root(program: Running, scrape: Scrape) -> None:
    """Neither a certificate outside nor a foreign file below the root leaks."""
    assert not [s for s in scrape.samples(INFO) if s.labels["subject_cn"] == "outside"]
    assert "secret-of-the-node" not in scrape.text
    assert "secret-of-the-node" not in program.log.read_text(encoding="utf-8")


def test_prometheus_reads_all_of_it(program: Running, scrape: Scrape) -> None:
    """Text and OpenMetrics stay well formed whatever names and subjects say."""
    check_metrics(scrape.text)
    openmetrics = program.ask("/metrics", headers={"Accept": "application/openmetrics-text;version=1.0.0"})
    assert list(parse_openmetrics(openmetrics.body.decode()))  # type: ignore[no-untyped-call]


def test_labels_are_cut_and_visible(scrape: Scrape) -> None:
    """10 KB of subject with control characters become at most 512 printable ones."""
    (info,) = scrape.samples(INFO, path=f"{DIRECTORY}/subject.der")

    assert all(
        len(value) <= 512 and value.isprintable() for s in scrape.series for value in s.labels.values()
    )
    assert info.labels["subject_cn"].startswith(EVIL_NAME[:2])
    assert info.labels["subject_cn"].endswith("x…")


def facts_of(scrape: Scrape, file: str) -> dict[str, str]:
    """Give the labels of the information on a hostile file's only certificate."""
    (info,) = scrape.samples(INFO, path=f"{DIRECTORY}/{file}")
    return info.labels


def test_strange_certificates_are_told_as_they_are(scrape: Scrape) -> None:
    """Serial numbers, algorithms and sizes that RFC 5280 or reason forbid."""
    assert facts_of(scrape, "serial-negative.der")["serial_number"] == "-80"
    assert facts_of(scrape, "serial-zero.der")["serial_number"] == "00"
    assert facts_of(scrape, "md5.der")["signature_algorithm"] == "md5WithRSAEncryption"
    assert facts_of(scrape, "sha1.der")["signature_algorithm"] == "sha1WithRSAEncryption"
    weak = facts_of(scrape, "rsa-512.der")
    assert (weak["key_algorithm"], weak["key_size"]) == ("RSA", "512")


def test_the_ends_of_time_are_exact(scrape: Scrape) -> None:
    """Years 1950 and 9999 are the first of UTCTime and the last of GeneralizedTime."""

    def moment(kind: str, file: str) -> float:
        return scrape.value(f"kubepki_certificate_{kind}_timestamp_seconds", path=f"{DIRECTORY}/{file}")

    assert moment("not_after", "year-1950.crt") == -631152000
    assert (moment("not_before", "years.crt"), moment("not_after", "years.crt")) == (-631152000, 253402300799)


def test_names_are_counted_in_full_and_shown_in_part(scrape: Scrape) -> None:
    """10,000 alternative names cost 64 series."""
    path = f"{DIRECTORY}/sans-10000.crt"

    assert scrape.value("kubepki_certificate_sans", path=path) == 10_000
    assert len(scrape.samples("kubepki_certificate_san_info", path=path)) == 64


def test_no_leftover_is_a_finding(scrape: Scrape) -> None:
    """Nothing that no component uses may alert, however bad it is, but for keys that lie about."""
    assert {check for check, path in scrape.findings if path.startswith((DIRECTORY, CROWD))} <= {
        "private_key_copied",
        "mode_loose",
    }


def test_a_broken_file_in_use_is_said_to_be_in_use(node: DemoNode, tmp_path: Path) -> None:
    """So that exactly these may alert: the apiserver's pair, a CA, a kubeconfig, the kubelet's link."""
    broken = make_node(tmp_path, now=node.now)
    pki = broken.root / PKI
    (pki / "apiserver.crt").write_bytes((pki / "apiserver.crt").read_bytes()[:-200])
    (pki / "etcd/ca.crt").write_bytes(b"no certificate at all\n")
    (pki / "front-proxy-ca.crt").unlink()
    (pki / "front-proxy-ca.crt").mkdir()
    os.truncate(broken.root / "etc/kubernetes/admin.conf", 700)
    client = broken.root / "var/lib/kubelet/pki/kubelet-client-current.pem"
    client.unlink()
    client.symlink_to(client.name)

    with running(broken.root) as program:
        scrape = program.settled()

    assert scrape.failures == {
        (f"/{PKI}/apiserver.crt", "malformed_pem"),
        (f"/{PKI}/etcd/ca.crt", "no_certificate"),
        (f"/{PKI}/front-proxy-ca.crt", "not_regular"),
        ("/etc/kubernetes/admin.conf", "malformed_kubeconfig"),
        ("/var/lib/kubelet/pki/kubelet-client-current.pem", "link_loop"),
    }
    assert {s.labels["state"] for s in scrape.samples("kubepki_document_failure")} == {"in_use"}
    assert len(scrape.samples(INFO, state="in_use")) == 21 - 6
