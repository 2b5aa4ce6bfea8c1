"""The table: what is wrong first, then what ends when; for eyes, pipes and hostile text."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from exporter.demo import make_demo, make_node
from exporter.model import Inventory, Node, Place, Severity, State
from exporter.report.document import Assessment, Narrowing, assess
from exporter.report.table import Style, table
from exporter.scan import Picture
from tests.report.test_document import FAILURE, FINDING, MISSING, NOW, picture

TERMINAL = Style(has_bars=True, has_colour=True)


@pytest.fixture
def demo(tmp_path: Path) -> Picture:
    """The demo node."""
    make_demo(tmp_path, now=NOW)
    return picture(tmp_path)


def assessed(looked: Picture, *names: str) -> Assessment:
    """Judge a picture at the moment of the tests."""
    return assess(looked.inventory, looked.findings, now=NOW, narrowing=Narrowing(names=names))


def test_a_healthy_node_is_one_line_and_its_certificates(tmp_path: Path) -> None:
    """And the line says when to look again."""
    make_node(tmp_path, now=NOW)

    lines = table(replace(assessed(picture(tmp_path)), findings=())).splitlines()

    name, _, words = lines[0].partition(": ")
    assert name == "demo-cp1 (kubeadm, control plane)"
    assert words == "all well; 21 certificates in use, the next ends in 1y (admin.conf)"
    assert lines[1] == ""
    assert lines[2].split() == ["NAME", "EXPIRES", "LEFT", "STATE", "ISSUED", "BY", "PATH"]
    assert len(lines) == 3 + 21


def test_the_headline_counts_what_is_wrong() -> None:
    """One and many have their own words."""
    inventory = Inventory(node=Node(), failures=(FAILURE,), references=(MISSING,))
    many = Inventory(
        node=Node(),
        failures=(FAILURE, replace(FAILURE, place=Place("/other"))),
        references=(MISSING, replace(MISSING, path="/d.crt")),
    )

    headlines = [
        table(assess(one, findings, now=NOW)).splitlines()[0]
        for one, findings in ((inventory, (FINDING,)), (many, (FINDING, FINDING)))
    ]

    assert [line.partition(": ")[2] for line in headlines] == [
        "1 file missing, 1 finding, 1 file unreadable; 0 certificates in use",
        "2 files missing, 2 findings, 2 files unreadable; 0 certificates in use",
    ]


def test_nothing_found_is_not_all_well() -> None:
    """On a node that is none."""
    assert "nothing found; 0 certificates in use\n" in table(assess(Inventory(node=Node()), (), now=NOW))


def test_the_sections_come_in_the_order_of_urgency() -> None:
    """Missing files, findings by severity, unreadable files; each with what, why, repair and runbook."""
    info = replace(FINDING, severity=Severity.INFO, check="bootstrap_kubeconfig_left")
    inventory = Inventory(node=Node(), failures=(FAILURE,), references=(MISSING,))

    lines = table(assess(inventory, (info, FINDING), now=NOW)).splitlines()

    assert [line for line in lines if line.isupper()] == ["MISSING", "FINDINGS", "UNREADABLE"]
    assert "  /c.crt: needed by kube-apiserver (tls-cert-file, manifest)" in lines
    checks = [line.split()[:2] for line in lines if line.startswith(("  critical", "  info"))]
    assert checks == [["critical", "mode_loose"], ["info", "bootstrap_kubeconfig_left"]]
    assert "    what  mode 0644" in lines
    assert any(line.startswith("    why   Others than its owner can read") for line in lines)
    assert any(line.startswith("    fix   chmod 600") for line in lines)
    assert any(line.endswith("KubePKIFinding.md#mode_loose") for line in lines)
    assert "  malformed_pem  /b.crt user/x [2] (in_use)" in lines


def test_a_broken_leftover_is_green() -> None:
    """It is shown, but nobody needs to hurry."""
    leftover = replace(FAILURE, state=State.UNREFERENCED)

    shown = table(assess(Inventory(node=Node(), failures=(leftover,)), (), now=NOW), TERMINAL)

    assert "\x1b[32mmalformed_pem\x1b[0m" in shown


def row(shown: str, path: str) -> str:
    """Give the row of that path; the advice above it names it, too."""
    return [line for line in shown.splitlines() if path in line][-1]


def test_the_terminal_has_colour_by_urgency_and_bars(demo: Picture) -> None:
    """Full red bar for what has expired; none where the beginning of a life is not its own; leftovers dim."""
    shown = table(assessed(demo), TERMINAL)

    assert row(shown, "/front-proxy-client.crt").startswith("\x1b[31;1m" + "█" * 12)
    assert row(shown, "/apiserver-kubelet-client.crt").startswith("\x1b[33m" + "█" * 11 + "░")
    assert row(shown, "/scheduler.conf user/").startswith("\x1b[33m" + " " * 12)
    assert row(shown, "apiserver.crt.bak").startswith("\x1b[2m")


def test_bars_without_colour_and_neither(demo: Picture) -> None:
    """Each can be had alone."""
    bars = table(assessed(demo), Style(has_bars=True))
    plain = table(assessed(demo))

    assert "█" in bars
    assert not set("\x1b") & set(bars)
    assert not set("\x1b█░") & set(plain)


def test_a_life_without_length_is_used_up(tmp_path: Path) -> None:
    """NotBefore and notAfter may be the same moment, or the wrong way round."""
    node = make_node(tmp_path, now=NOW)
    node.leaf("apiserver", not_before=NOW, not_after=NOW)

    shown = table(assessed(picture(tmp_path)), TERMINAL)

    assert "█" * 12 in row(shown, "/pki/apiserver.crt")


def test_what_has_all_ended_names_no_next(tmp_path: Path) -> None:
    """The headline does not promise an end that is past."""
    make_node(tmp_path, now=NOW)
    looked = picture(tmp_path)

    shown = table(assess(looked.inventory, (), now=NOW + timedelta(days=9999)))

    assert shown.splitlines()[0].endswith("21 certificates in use")


def test_what_is_not_valid_yet_says_when_it_will_be(tmp_path: Path) -> None:
    """It is counted apart from what is due, and what remains of it says nothing."""
    node = make_node(tmp_path, now=NOW)
    node.leaf("apiserver", not_before=NOW + timedelta(days=2))
    node.leaf("apiserver-etcd-client", not_before=NOW + timedelta(minutes=4))

    shown = table(replace(assessed(picture(tmp_path)), findings=()))

    assert ": 1 certificate not valid yet; 21 certificates in use" in shown.splitlines()[0]
    assert "  apiserver valid from 2026-11-26 12:00 UTC  /etc/kubernetes/pki/apiserver.crt" in shown
    assert "valid from 2026-11-26 12:00 UTC" in row(shown, "/pki/apiserver.crt")
    assert " 1y " in row(shown, "/apiserver-etcd-client.crt")


def test_where_a_block_stands_is_told(tmp_path: Path) -> None:
    """Entry of a kubeconfig, index of a bundle; an issuer that is nowhere is unknown."""
    node = make_node(tmp_path, now=NOW)
    crt = tmp_path / "etc/kubernetes/pki/apiserver.crt"
    node.write("etc/kubernetes/pki/two.crt", crt.read_bytes() * 2, 0o644)
    (tmp_path / "etc/kubernetes/pki/ca.crt").unlink()
    for kubeconfig in (tmp_path / "etc/kubernetes").glob("*.conf"):
        kubeconfig.unlink()

    shown = table(assessed(picture(tmp_path)))

    assert row(shown, "/pki/two.crt [1]").split()[-3:] == ["unknown", "/etc/kubernetes/pki/two.crt", "[1]"]


def test_control_characters_are_shown_wherever_they_come_from() -> None:
    """A name from a kubeconfig, a detail, a setting: none commands the terminal."""
    evil = "\x1b[2J\r\u202e"
    inventory = Inventory(
        node=Node(name=evil),
        failures=(replace(FAILURE, place=Place(f"/{evil}", f"user/{evil}")),),
        references=(replace(MISSING, path=f"/{evil}", setting=evil),),
    )
    finding = replace(FINDING, place=Place(f"/{evil}", evil), detail=evil)

    shown = table(assess(inventory, (finding,), now=NOW))

    assert all(line.isprintable() for line in shown.split("\n"))
    assert shown.count("\\u202e") == 9
