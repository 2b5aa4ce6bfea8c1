"""``check`` on real trees: exit code, table, JSON, Prometheus text, and what goes wrong around it."""

import contextlib
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from exporter.demo import DemoNode, make_demo, make_node
from exporter.demo.node import PKI
from exporter.demo.pki import make_ca, make_leaf

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = (sys.executable, "-m", "exporter", "check")
SCHEMA = json.loads((ROOT / "docs/inventory.schema.json").read_text(encoding="utf-8"))
DAY = timedelta(days=1)
RECORDED = sorted(path.name.removesuffix(".tar.gz") for path in (ROOT / "tests/nodes").glob("*.tar.gz"))
PATH = re.compile(r'[{,]path="([^"]*)"')
is_root = pytest.mark.skipif(os.geteuid() != 0, reason="its files must belong to root: run as root")


def check(
    root: Path, *arguments: str | Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run ``check`` with its output in a pipe."""
    return subprocess.run(
        [*PROGRAM, "--host-root", root, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        timeout=60,
    )


def document(root: Path, *arguments: str) -> dict[str, Any]:
    """Run ``check -o json`` and read what it says."""
    said: dict[str, Any] = json.loads(check(root, "-o", "json", *arguments).stdout)
    return said


@pytest.fixture
def now() -> datetime:
    """This moment: the program has a clock of its own."""
    return datetime.fromtimestamp(int(datetime.now(UTC).timestamp()), UTC)  # noqa: TID251 - the outermost shell


@pytest.fixture
def node(tmp_path: Path, now: datetime) -> DemoNode:
    """A healthy node."""
    return make_node(tmp_path / "host", now=now)


@pytest.fixture
def demo(tmp_path: Path, now: datetime) -> DemoNode:
    """The node that ``demo`` writes."""
    return make_demo(tmp_path / "demo", now=now)


@is_root
def test_a_healthy_node_is_0(node: DemoNode) -> None:
    """Fresh from ``kubeadm init`` there is nothing to say."""
    run = check(node.root)

    assert (run.returncode, run.stderr) == (0, "")
    assert "all well; 21 certificates in use" in run.stdout.splitlines()[0]


@is_root
def test_something_to_look_at_is_1(node: DemoNode) -> None:
    """A certificate within ``--warn``, a finding, and an unreadable file in use, each for itself."""
    node.leaf("front-proxy-client", not_before=node.now - 345 * DAY, not_after=node.now + 20 * DAY)
    assert check(node.root).returncode == 1

    node.leaf("front-proxy-client")
    (node.root / PKI / "apiserver.key").chmod(0o644)
    assert check(node.root).returncode == 1

    (node.root / PKI / "apiserver.key").chmod(0o600)
    node.write(
        "etc/kubernetes/super-admin.conf",
        b"kind: Config\nusers: [{name: a, user: {client-certificate-data: '!'}}]",
    )
    assert check(node.root).returncode == 1


@is_root
@pytest.mark.parametrize("case", ["critical", "expired", "early", "missing"])
def test_what_breaks_is_2(case: str, node: DemoNode) -> None:
    """Within ``--critical``, expired, not valid yet, or required and not there."""
    if case == "missing":
        (node.root / PKI / "apiserver.crt").unlink()
    elif case == "early":
        node.leaf("apiserver", not_before=node.now + DAY)
    else:
        left = 3 * DAY if case == "critical" else -DAY
        node.leaf("apiserver", not_before=node.now - 362 * DAY, not_after=node.now + left)

    assert check(node.root).returncode == 2


def test_no_such_root_is_3(tmp_path: Path) -> None:
    """And a root without anything of Kubernetes is no healthy node."""
    for root, words in ((tmp_path / "nothing", "no such directory"), (tmp_path, "no certificate below")):
        run = check(root)
        assert run.returncode == 3
        assert words in run.stderr


def test_a_name_that_nothing_has_is_3(node: DemoNode) -> None:
    """A typing error in a cron job must not read as all well."""
    run = check(node.root, "--name", "apiservre")

    assert run.returncode == 3
    assert "no certificate named apiservre" in run.stderr


@is_root
def test_the_thresholds_move(node: DemoNode) -> None:
    """``--warn`` and ``--critical`` up to their shares of a life: a quarter and a tenth."""
    node.leaf("apiserver", not_before=node.now - 300 * DAY, not_after=node.now + 65 * DAY)

    assert check(node.root).returncode == 0
    assert check(node.root, "--warn", "60d").returncode == 0
    assert check(node.root, "--warn", "70d").returncode == 1
    assert check(node.root, "--warn", "70d", "--critical", "66d").returncode == 1
    node.leaf("apiserver", not_before=node.now - 340 * DAY, not_after=node.now + 25 * DAY)
    assert check(node.root, "--critical", "26d").returncode == 2
    assert check(node.root, "--warn", "1d", "--critical", "1d").returncode == 0


@pytest.mark.parametrize(
    ("flags", "roles"),
    [
        (["--name", "etcd-server"], {"etcd-server"}),
        (["--name", "etcd-*"], {"etcd-server", "etcd-peer", "etcd-ca", "etcd-healthcheck-client"}),
        (
            ["--name", "/etc/kubernetes/pki/etcd/*"],
            {"etcd-server", "etcd-peer", "etcd-ca", "etcd-healthcheck-client"},
        ),
        (["--role", "ca"], {"ca"}),
        (["--role", "ca", "--role", "etcd-ca"], {"ca", "etcd-ca"}),
        (["--role", "ca", "--name", "*.conf"], {"ca"}),
        (["--name", "apiserver", "--name", "admin.conf"], {"apiserver", "admin.conf"}),
    ],
)
def test_names_and_roles_narrow(flags: list[str], roles: set[str], node: DemoNode) -> None:
    """To certificates by kubeadm's name, by path and by role; several of one flag add."""
    assert {found["role"] for found in document(node.root, *flags)["certificates"]} == roles


def test_what_is_narrowed_away_does_not_count(demo: DemoNode) -> None:
    """One expired certificate of another component is another's page."""
    assert check(demo.root).returncode == 2
    found = document(demo.root, "--name", "admin.conf")

    assert (found["status"], found["findings"], found["failures"]) == ("ok", [], [])
    assert check(demo.root, "--name", "admin.conf").returncode == 0
    assert check(demo.root, "--name", "front-proxy-client").returncode == 2


def test_series_are_narrowed_as_the_exit_code_is(demo: DemoNode) -> None:
    """One expired certificate of another component is not in the file either; the node is."""

    def series(*flags: str) -> list[str]:
        return check(demo.root, "-o", "prometheus", *flags).stdout.splitlines()

    def paths(lines: list[str], *families: str) -> set[str]:
        return {found[1] for line in lines if line.startswith(families) and (found := PATH.search(line))}

    judged = ("kubepki_certificate_", "kubepki_finding{", "kubepki_document_failure{", "kubepki_reference_")
    whole, narrow = series(), series("--name", "admin.conf")

    assert paths(narrow, *judged) == {"/etc/kubernetes/admin.conf"} < paths(whole, *judged)
    assert paths(series("--role", "ca"), "kubepki_certificate_info{") >= {f"/{PKI}/ca.crt"}
    assert not [line for line in narrow if line.startswith("kubepki_check_findings{") and line[-2:] != " 0"]
    assert [line for line in whole if line.startswith("kubepki_check_findings{") and line[-2:] != " 0"]
    assert paths(narrow, "kubepki_trust_anchor_info{") == paths(whole, "kubepki_trust_anchor_info{")


@pytest.mark.parametrize(("variable", "name"), [("", "configured"), ("from-pod", "from-pod")])
def test_the_environment_names_the_node_unless_empty(
    variable: str, name: str, node: DemoNode, tmp_path: Path
) -> None:
    """An empty ``NODE_NAME`` is as good as none, and leaves the name of the file."""
    config = tmp_path / "config.yml"
    config.write_text("node_name: configured\n", encoding="utf-8")

    run = check(node.root, "-o", "json", "--config", config, environment={"NODE_NAME": variable})

    assert json.loads(run.stdout)["node"]["name"] == name


def test_the_demo_has_what_it_promises(demo: DemoNode) -> None:
    """Healthy, expiring, expired, superseded, left over and broken items."""
    found = document(demo.root)
    statuses = {
        certificate["name"]: certificate["status"]
        for certificate in found["certificates"]
        if certificate["state"] == "in_use"
    }

    assert {name: status for name, status in statuses.items() if status != "ok"} == {
        "front-proxy-client": "critical",
        "apiserver-etcd-client": "critical",
        "apiserver-kubelet-client": "warning",
        "scheduler.conf": "warning",
    }
    states = [certificate["state"] for certificate in found["certificates"]]
    assert (states.count("in_use"), states.count("superseded"), states.count("unreferenced")) == (20, 3, 1)
    assert [(failure["path"], failure["reason"]) for failure in found["failures"]] == [
        (f"/{PKI}/etcd/healthcheck-client.crt", "malformed_pem")
    ]
    assert {(finding["check"], finding["path"]) for finding in found["findings"]} >= {
        ("key_mismatched", f"/{PKI}/etcd/peer.crt"),
        ("mode_loose", f"/{PKI}/ca.key"),
    }
    assert found["status"] == "critical"


def validated(said: dict[str, Any]) -> dict[str, Any]:
    """Give a document that its published schema takes."""
    Draft202012Validator.check_schema(SCHEMA)
    Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(said)
    return said


def test_json_follows_its_schema(demo: DemoNode) -> None:
    """With certificates, findings, failures and missing files."""
    (demo.root / PKI / "apiserver.crt").unlink()
    found = validated(document(demo.root))

    assert all(found[part] for part in ("certificates", "findings", "failures", "missing"))
    ends = [certificate["effective_not_after"] for certificate in found["certificates"]]
    assert ends == sorted(ends)


@pytest.mark.parametrize("recorded", RECORDED)
def test_json_of_each_recorded_node_follows_its_schema(
    recorded: str, unpacked: Callable[[str], Path]
) -> None:
    """Whatever the distribution."""
    assert validated(document(unpacked(recorded)))["certificates"]


def test_every_property_is_described_and_every_value_has_a_property(demo: DemoNode) -> None:
    """The schema is the documentation: nothing is written that it does not know."""
    (demo.root / PKI / "apiserver.crt").unlink()
    strict = json.loads(json.dumps(SCHEMA))
    for schema in (strict, *strict["$defs"].values(), strict["properties"]["node"]):
        if "properties" in schema:
            schema["additionalProperties"] = False
            assert set(schema["required"]) == set(schema["properties"])

    Draft202012Validator(strict).validate(document(demo.root))


def test_the_table_in_a_pipe_is_plain(demo: DemoNode) -> None:
    """No colour, no bar; what is wrong comes first, then each certificate in a row of its own."""
    out = check(demo.root).stdout
    headings = [line for line in out.splitlines() if line.isupper() or line.startswith("NAME ")]

    assert "\x1b" not in out
    assert "█" not in out
    assert [heading.split()[0] for heading in headings] == ["DUE", "FINDINGS", "UNREADABLE", "NAME"]
    assert len(out.split("NAME ")[1].splitlines()) == 1 + 24


def on_terminal(root: Path, environment: dict[str, str]) -> str:
    """Run ``check`` with a terminal for its output."""
    ours, its = pty.openpty()
    process = subprocess.Popen(
        [*PROGRAM, "--host-root", root],
        stdout=its,
        cwd=ROOT,
        env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, "TERM": "xterm", **environment},
    )
    os.close(its)
    shown = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal with EIO
        while select.select([ours], [], [], 30)[0] and (read := os.read(ours, 65536)):
            shown += read
    os.close(ours)
    process.wait(30)
    return shown.decode()


def test_the_table_on_a_terminal_has_colour_and_bars(demo: DemoNode) -> None:
    """Red is what breaks; a bar tells the share of life used, but not where its beginning is the CA's."""
    out = on_terminal(demo.root, {})
    rows = re.sub(r"\x1b\[[0-9;]*m", "", out).splitlines()

    assert "\x1b[31;1m" in out
    rows = rows[next(number for number, line in enumerate(rows) if "LIFE USED" in line) :]
    expired = next(line for line in rows if "front-proxy-client.crt" in line)
    assert expired.startswith("█" * 12 + "  front-proxy-client")
    fresh = next(line for line in rows if line.startswith("░" * 12 + "  apiserver "))
    assert fresh
    unreliable = next(line for line in rows if " scheduler.conf " in line)
    assert unreliable.startswith(" " * 14 + "scheduler.conf")


def test_colour_can_be_switched_off(demo: DemoNode) -> None:
    """https://no-color.org: any value that is not empty; a dumb terminal has neither colour nor bars."""
    assert "\x1b" not in (plain := on_terminal(demo.root, {"NO_COLOR": "1"}))
    assert "█" in plain
    assert "\x1b" in on_terminal(demo.root, {"NO_COLOR": ""})
    assert not set("\x1b█") & set(on_terminal(demo.root, {"TERM": "dumb"}))


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_any_encoding_of_the_terminal_will_do(encoding: str, node: DemoNode) -> None:
    """A letter that it lacks is escaped."""
    node.write("etc/kubernetes/pki/☃.crt", make_leaf(node.ca, "x", now=node.now).pem)

    run = check(node.root, environment={"PYTHONIOENCODING": encoding})

    assert run.stderr == ""
    assert r"/etc/kubernetes/pki/\u2603.crt" in run.stdout


EVIL = "\x1b[2J\x1b]0;owned\x07\u202e\r\x9b"


def test_hostile_text_cannot_command_the_terminal(node: DemoNode) -> None:
    """Neither a file's name nor a kubeconfig's user, be it shown as a certificate, failure or finding."""
    good = make_leaf(node.ca, "x", now=node.now)
    name = EVIL.replace("/", "")
    node.write(f"{PKI}/{name}.crt", good.pem)
    node.write(f"{PKI}/bad-{name}.crt", good.pem[:200])
    text = (node.root / "etc/kubernetes/admin.conf").read_text(encoding="utf-8")
    user = json.dumps(f"user-{EVIL}")
    node.write(
        "etc/kubernetes/evil.conf",
        text.replace("- name: kubernetes-admin", f"- name: {user}").encode(),
        0o644,
    )
    node.write(
        "etc/kubernetes/bad.conf",
        f"kind: Config\nusers: [{{name: {user}, user: {{client-certificate-data: '!'}}}}]\n".encode(),
    )

    run = check(node.root)

    assert run.stderr == ""
    assert all(line.isprintable() for line in run.stdout.split("\n"))
    assert run.stdout.count(r"\x1b[2J") >= 4
    validated(document(node.root))


def test_prometheus_text_is_written_in_one_step(demo: DemoNode, tmp_path: Path) -> None:
    """For the textfile collector: whole or not at all, readable by its user, and nothing left beside it."""
    target = tmp_path / "textfile" / "kubepki.prom"
    target.parent.mkdir()
    target.write_text("before\n", encoding="utf-8")
    with target.open(encoding="utf-8") as before:
        run = check(demo.root, "-o", "prometheus", "--output", target)
        kept = before.read()

    assert (run.returncode, run.stdout, run.stderr) == (2, "", "")
    assert kept == "before\n"
    assert target.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in target.parent.iterdir()] == ["kubepki.prom"]
    text = target.read_text(encoding="utf-8")
    assert text.count("\nkubepki_certificate_not_after_timestamp_seconds{") == 24
    assert "process_" not in text
    if shutil.which("promtool"):
        linted = subprocess.run(
            ["promtool", "check", "metrics"], input=text, check=False, capture_output=True, text=True
        )
        assert (linted.returncode, linted.stderr) == (0, "")


@pytest.mark.parametrize("output_format", ["table", "json", "prometheus"])
def test_a_file_has_what_a_pipe_gets(output_format: str, demo: DemoNode, tmp_path: Path) -> None:
    """But for the moment it was made."""
    target = tmp_path / "out"
    check(demo.root, "-o", output_format, "--output", target)
    piped = check(demo.root, "-o", output_format).stdout

    def timeless(text: str) -> list[str]:
        return [line for line in text.splitlines() if not re.search(r"generated_at|duration|last_", line)]

    assert timeless(target.read_text(encoding="utf-8")) == timeless(piped)


def test_a_link_stays_and_a_pipe_is_written_to(node: DemoNode, tmp_path: Path) -> None:
    """``--output`` replaces only a file: never a link, let alone a device."""
    real, name = tmp_path / "real", tmp_path / "link"
    name.symlink_to(real)
    check(node.root, "-o", "json", "--output", name)
    assert name.is_symlink()
    assert json.loads(real.read_text(encoding="utf-8"))["schema_version"] == 1

    run = check(node.root, "-o", "json", "--output", "/dev/stdout")
    assert json.loads(run.stdout)["schema_version"] == 1
    assert Path("/dev/stdout").is_symlink()


@pytest.mark.parametrize("target", ["nowhere/out", "", "file/out"])
def test_an_output_that_cannot_be_written_is_3(target: str, node: DemoNode, tmp_path: Path) -> None:
    """With the path and why; a directory is none to write to."""
    (tmp_path / "file").touch()
    path = tmp_path / target

    run = check(node.root, "--output", path)

    assert (run.returncode, run.stdout) == (3, "")
    assert run.stderr.startswith(f"kube-pki-exporter: {path}: ")
    assert len(run.stderr.splitlines()) == 1


def test_a_full_disk_behind_standard_output_is_3(node: DemoNode) -> None:
    """What nobody got to read is no check."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        run = subprocess.run(
            [*PROGRAM, "--host-root", node.root],
            check=False,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    assert (run.returncode, run.stderr) == (
        3, "kube-pki-exporter: standard output: No space left on device\n",
    )  # fmt: skip


@pytest.mark.parametrize("redirection", [">&-", ">&- 2>&-"])
def test_a_closed_standard_output_is_3(redirection: str, node: DemoNode, tmp_path: Path) -> None:
    """A file will do without it."""
    target = tmp_path / "out"

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {redirection}', "sh", *PROGRAM, "--host-root", node.root, *arguments],
            check=False,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    assert run().returncode == 3
    assert "Traceback" not in (written := run("--output", target)).stderr
    assert written.returncode != 3
    assert "certificates in use" in target.read_text(encoding="utf-8")


def test_a_reader_that_has_seen_enough_is_no_error(demo: DemoNode) -> None:
    """``check | head -1`` keeps the exit code of the node."""
    ours, its = os.pipe()
    os.close(ours)
    run = subprocess.run(
        [*PROGRAM, "--host-root", demo.root],
        check=False,
        stdout=its,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    os.close(its)

    assert (run.returncode, run.stderr) == (2, "")


def test_watched_files_are_checked_too(node: DemoNode) -> None:
    """With the role that the operator gives them."""
    node.write(
        "opt/other.pem", make_leaf(node.ca, "x", now=node.now, life=DAY, not_before=node.now - DAY).pem
    )

    found = document(
        node.root, "--watch", "/opt/*.pem=tls", "--watch", "/opt/*.pem=apiserver", "--name", "/opt/*"
    )

    assert [(c["path"], c["role"], c["state"]) for c in found["certificates"]] == [
        ("/opt/other.pem", "apiserver", "in_use")
    ]


@is_root
@pytest.mark.parametrize("role", ["", "=kubelet-server"])
def test_a_watched_certificate_counts_whatever_its_flag(role: str, node: DemoNode) -> None:
    """``openssl req -x509`` makes a CA of everything; an old CA in a bundle is somebody's purpose."""
    old = make_ca("x", now=node.now, not_before=node.now - 9 * DAY, not_after=node.now - DAY)
    node.write("opt/x.pem", old.pem, 0o644)
    node.write("opt/bundle.pem", old.pem + make_ca("y", now=node.now).pem, 0o644)

    assert check(node.root, "--watch", f"/opt/x.pem{role}", "--name", "/opt/*").returncode == 2
    assert check(node.root, "--watch", "/opt/bundle.pem", "--name", "/opt/*").returncode == 0


@is_root
def test_an_expired_signer_counts_though_it_has_issued_nothing(node: DemoNode) -> None:
    """The next CSR would be signed by it."""
    old = make_ca("signer", now=node.now, not_before=node.now - 9 * DAY, not_after=node.now - DAY)
    node.write(f"{PKI}/signer.crt", old.pem, 0o644)
    assert check(node.root, "--name", "*/signer.crt").returncode == 0

    replace_flag(node, "kube-controller-manager", "cluster-signing-cert-file", f"/{PKI}/signer.crt")
    assert check(node.root, "--name", "*/signer.crt").returncode == 2


@is_root
def test_an_expired_certificate_around_a_service_account_key_is_well(node: DemoNode) -> None:
    """Only its public key is read; where it serves too, its end counts."""
    old = make_leaf(node.ca, "sa", now=node.now, not_before=node.now - 9 * DAY, not_after=node.now - DAY)
    node.write(f"{PKI}/tokens.crt", old.pem, 0o644)
    replace_flag(node, "kube-apiserver", "service-account-key-file", f"/{PKI}/tokens.crt")
    assert check(node.root, "--name", "tokens.crt").returncode == 0

    assert check(node.root, "--name", "tokens.crt", "--watch", f"/{PKI}/tokens.crt").returncode == 2


def replace_flag(node: DemoNode, component: str, flag: str, value: str) -> None:
    """Give a flag in a static Pod's manifest another value."""
    path = f"etc/kubernetes/manifests/{component}.yaml"
    text = (node.root / path).read_text(encoding="utf-8")
    node.write(path, re.sub(rf"--{flag}=[^\s\"]+", f"--{flag}={value}", text).encode())


def test_keys_can_be_left_alone(demo: DemoNode) -> None:
    """With ``--no-match-keys`` no key is opened, so a mismatch is not seen."""
    checks = {finding["check"] for finding in document(demo.root, "--no-match-keys")["findings"]}

    assert "key_mismatched" not in checks
