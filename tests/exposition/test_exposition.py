"""The exposition as a whole: golden text, validity, and every form that a client may ask for."""

import gzip
import os
import re
import shutil
import subprocess
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import takewhile
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from exporter.exposition import Exposition, Status
from tests.exposition import handmade

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
GOLDEN = {"": "golden.txt", OPENMETRICS: "golden.openmetrics.txt"}
PARSERS: dict[str, Callable[[str], Iterable[Metric]]] = {"": parse_text, OPENMETRICS: parse_openmetrics}
PROMTOOL = shutil.which("promtool")

Samples = Counter[tuple[str, frozenset[tuple[str, str]], float]]


@pytest.fixture(scope="module")
def exposition() -> Exposition:
    """The inventory made by hand."""
    return Exposition(handmade.REPORT)


def plain(exposition: Exposition, accept: str = "", status: Status = handmade.STATUS) -> str:
    """What a client without compression gets."""
    return exposition.body(accept, "", status).content.decode()


def samples(families: list[Metric]) -> Samples:
    """The samples, by what tells them apart."""
    return Counter(
        (sample.name, frozenset(sample.labels.items()), sample.value)
        for family in families
        for sample in family.samples
    )


def check_metrics(text: bytes) -> "subprocess.CompletedProcess[str]":
    """Let Prometheus' own linter read it."""
    if PROMTOOL is None:
        message = "promtool is missing: apt-get install prometheus"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(message)
    return subprocess.run(
        [PROMTOOL, "check", "metrics"],
        input=text.decode(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("accept", GOLDEN)
def test_every_family_reads_as_recorded(accept: str, exposition: Exposition, tmp_path: Path) -> None:
    """The text is byte for byte the golden file; the Python version apart."""
    text = plain(exposition, accept)
    text = re.sub(r'python_version="[^"]*"', 'python_version="3"', text)
    golden = Path(__file__).parent / GOLDEN[accept]
    actual = tmp_path / golden.name
    actual.write_text(text)
    assert text == golden.read_text(), f"if the change is meant: cp {actual} {golden}"


def test_openmetrics_ends_with_eof_and_text_has_none(exposition: Exposition) -> None:
    """OpenMetrics 1.0 demands the end mark, once."""
    assert plain(exposition, OPENMETRICS).endswith("# EOF\n")
    assert plain(exposition, OPENMETRICS).count("# EOF") == 1
    assert "# EOF" not in plain(exposition)


@pytest.mark.parametrize("accept", PARSERS)
def test_both_formats_parse(accept: str, exposition: Exposition) -> None:
    """The reference parsers accept the text, the strict OpenMetrics one too."""
    assert samples(list(PARSERS[accept](plain(exposition, accept))))


def test_both_formats_carry_the_same_samples(exposition: Exposition) -> None:
    """Only headers differ between the formats."""
    text = samples(list(PARSERS[""](plain(exposition))))
    openmetrics = samples(list(PARSERS[OPENMETRICS](plain(exposition, OPENMETRICS))))
    assert text == openmetrics


def test_promtool_finds_nothing_to_say(exposition: Exposition) -> None:
    """The text with the process families passes the linter of Prometheus without a remark."""
    result = check_metrics(exposition.body("", "", handmade.STATUS).content)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("accept", GOLDEN)
def test_gzip_carries_the_same_text(accept: str, exposition: Exposition) -> None:
    """The compressed answer unpacks to the plain one."""
    body = exposition.body(accept, "gzip", handmade.STATUS)
    assert body.encoding == "gzip"
    unpacked = gzip.decompress(body.content).decode()
    assert unpacked == plain(exposition, accept)


def test_gzip_is_one_member(exposition: Exposition) -> None:
    """curl and browsers stop after the first member of a gzip file and would lose the live part."""
    unpacked = zlib.decompressobj(16 + zlib.MAX_WBITS)
    text = unpacked.decompress(exposition.body("", "gzip", handmade.STATUS).content).decode()
    assert "kubepki_build_info" in text
    assert unpacked.eof
    assert not unpacked.unused_data


def test_the_large_part_is_packed_once(exposition: Exposition) -> None:
    """A second scrape begins with the same compressed bytes, the live part alone is new."""
    first = exposition.body("", "gzip", handmade.STATUS).content
    second = exposition.body("", "gzip", replace(handmade.STATUS, interval=60)).content
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
    assert shared > len(first) // 2
    assert first[shared:] != second[shared:]


def test_packed_text_follows_an_update(exposition: Exposition) -> None:
    """What was compressed before is handed out again only while the inventory prints the same."""
    quiet = Status(command="check")
    exposition.body("", "gzip", quiet)
    same = exposition.updated(handmade.REPORT).body("", "gzip", quiet)
    changed = exposition.updated(replace(handmade.REPORT, findings=())).body("", "gzip", quiet)
    assert b"kubepki_finding{" in gzip.decompress(same.content)
    assert b"kubepki_finding{" not in gzip.decompress(changed.content)


def test_content_types_name_format_and_version(exposition: Exposition) -> None:
    """Prometheus 3 refuses a scrape whose content type it does not know."""
    body = exposition.body("", "", handmade.STATUS)
    assert body.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert body.encoding == ""
    openmetrics = exposition.body(OPENMETRICS, "", handmade.STATUS)
    assert openmetrics.content_type == "application/openmetrics-text; version=1.0.0; charset=utf-8"


def test_a_text_file_leaves_the_process_out(exposition: Exposition) -> None:
    """node_exporter has process_* of its own and refuses a second."""
    text = exposition.textfile(handmade.STATUS).decode()
    assert "process_" not in text.replace("kubepki_processes_ignored", "").replace('"processes"', "")
    assert "process_resident_memory_bytes" in plain(exposition)


def test_what_is_not_known_has_no_sample(exposition: Exposition) -> None:
    """A command without loop, watch and web configuration prints none of their families."""
    text = exposition.textfile(Status(command="check")).decode()
    for absent in ("kubepki_watch", "kubepki_web_config", "kubepki_scan", "kubepki_source"):
        assert absent not in text
    assert "NaN" not in text
