"""What is refused, with which words and exit code, before anything is looked at."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from exporter import __version__

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = (sys.executable, "-m", "exporter")


def program(
    *arguments: str | Path, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the program as a person does, from a shell."""
    return subprocess.run(
        [*PROGRAM, *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        timeout=60,
    )


def assert_refused(run: subprocess.CompletedProcess[str], words: Iterable[str]) -> None:
    """The exit code is 3, and the message says what is wrong and what is allowed, in plain words."""
    assert (run.returncode, run.stdout) == (3, "")
    assert "Traceback" not in run.stderr
    assert "<" not in run.stderr
    for word in words:
        assert word in run.stderr


@pytest.mark.parametrize("command", ["node", "check"])
@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--nothing"], ["unrecognized arguments", "--nothing"]),
        (["--host", "/"], ["unrecognized arguments", "--host"]),
        (["--watch", "relative/*.crt"], ["--watch", "relative/*.crt", "absolute"]),
        (["--log-level", "loud"], ["--log-level", "loud", "debug, info, warning, error"]),
        (["--log-format", "xml"], ["--log-format", "xml", "logfmt, json"]),
        (["--host-root", "/no/such/root"], ["no such directory", "/no/such/root"]),
        (["--host-root", ""], ["no such directory", "''"]),
        (["--host-root", "/no/such/root", "--check-config"], ["no such directory", "/no/such/root"]),
        (["--config", "/no/such/file"], ["/no/such/file", "cannot be read"]),
    ],
)
def test_bad_flags_are_refused(command: str, flags: list[str], words: list[str]) -> None:
    """By both commands that look at a node."""
    assert_refused(program(command, *flags), words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["COMMAND"]),
        (["watch"], ["watch", "node", "check", "demo"]),
        (["node", "--listen", "9795"], ["--listen", "9795", "HOST:PORT"]),
        (["node", "--listen", "127.0.0.1:70000"], ["--listen", "70000"]),
        (["node", "--listen", "[::1:9795", "--check-config"], ["--listen", "[::1:9795", "[IPV6]:PORT"]),
        (["node", "--listen", ":009795"], ["--listen", ":009795", "HOST:PORT"]),
        (["node", "--interval", "5"], ["--interval", "'5'", "5m"]),
        (["node", "--interval", "0s"], ["--interval"]),
        (["node", "--web.config.file", "/no/such/web.yml"], ["/no/such/web.yml"]),
        (["check", "--listen", ":9795"], ["--listen"]),
        (["check", "-o", "xml"], ["xml", "table", "json", "prometheus"]),
        (["check", "--role", "apiservre"], ["apiservre", "apiserver"]),
        (["check", "--out", "/tmp/x"], ["unrecognized arguments", "--out"]),
        (["node", "--web.config", "web.yml"], ["unrecognized arguments", "--web.config"]),
        (["check", "--warn", "soon"], ["--warn", "soon"]),
        (["check", "--critical", "7"], ["--critical", "'7'"]),
        (["check", "--warn", "99999999999999d"], ["--warn", "36500d"]),
        (["node", "--interval", "20000w"], ["--interval", "36500d"]),
        (["demo"], ["DIR"]),
    ],
)
def test_each_command_refuses_what_it_cannot_use(arguments: list[str], words: list[str]) -> None:
    """With the usage, the value and what is allowed."""
    assert_refused(program(*arguments), words)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("intervall: 5m\n", ["unknown key 'intervall'", "allowed: host_root", "interval"]),
        ("interval: often\n", ["interval", "often", "5m"]),
        ("watch: [relative]\n", ["watch", "relative"]),
        ("- a list\n", ["keys and values"]),
        ("interval: [\n", ["cannot be read"]),
        ("max_files: 0\n", ["max_files"]),
    ],
)
@pytest.mark.parametrize("command", ["node", "check"])
def test_a_bad_configuration_is_refused(command: str, text: str, words: list[str], tmp_path: Path) -> None:
    """With file, key and what is allowed, with and without ``--check-config``."""
    config = tmp_path / "config.yml"
    config.write_text(text, encoding="utf-8")

    for flags in (["--check-config"], []):
        assert_refused(program(command, "--config", config, *flags), [str(config), *words])


@pytest.mark.parametrize("command", ["node", "check"])
def test_check_config_says_that_a_good_one_is_good(command: str, tmp_path: Path) -> None:
    """And ends, without a look at the node."""
    config = tmp_path / "config.yml"
    config.write_text(
        "interval: 1m\nlisten: ':9795'\nwatch: [/opt/*.crt, {pattern: /srv/ca.pem, role: ca}]\n"
        f"max_file_size: 2MiB\nhost_root: {tmp_path}\n",
        encoding="utf-8",
    )

    run = program(command, "--check-config", "--config", config)

    assert (run.returncode, run.stdout, run.stderr) == (0, "the configuration is good\n", "")


def test_check_config_looks_at_the_web_configuration_too(tmp_path: Path) -> None:
    """One of its keys is unknown."""
    web = tmp_path / "web.yml"
    web.write_text("tls_server_configuration: {}\n", encoding="utf-8")

    run = program("node", "--check-config", "--web.config.file", web)

    assert_refused(run, [str(web), "tls_server_configuration", "tls_server_config"])


def test_an_address_in_use_is_refused(tmp_path: Path) -> None:
    """With the address and the reason, and not as a traceback."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = program("node", "--host-root", tmp_path, "--listen", f"127.0.0.1:{port}")

    assert_refused(run, ["127.0.0.1", str(port), "in use"])


@pytest.mark.parametrize("command", ["node", "check"])
def test_an_interrupt_ends_it_without_a_word(command: str, tmp_path: Path) -> None:
    """Ctrl-C, here while it waits for its configuration file, is 130 as in any shell."""
    config = tmp_path / "config.yml"
    os.mkfifo(config)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever runs the tests may ignore it
    try:
        process = subprocess.Popen(
            [*PROGRAM, command, "--config", config], stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
    finally:
        signal.signal(signal.SIGINT, before)
    with config.open("w", encoding="utf-8"):  # waits for the program to open it
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert process.stderr
    assert process.stderr.read() == ""
    process.stderr.close()


def test_the_version_is_told() -> None:
    """For a bug report."""
    run = program("--version")

    assert (run.returncode, run.stdout) == (0, f"kube-pki-exporter {__version__}\n")


@pytest.mark.parametrize("command", ["node", "check", "demo"])
def test_each_command_explains_itself(command: str) -> None:
    """With help for every flag."""
    run = program(command, "--help")

    assert (run.returncode, run.stderr) == (0, "")
    assert "usage: kube-pki-exporter" in run.stdout
    assert all(line.split(None, 1)[1:] for line in run.stdout.splitlines() if line.startswith("  -"))


def test_demo_writes_into_a_new_and_an_empty_directory(tmp_path: Path) -> None:
    """And says how to look at it."""
    for directory in (tmp_path / "new" / "deep", tmp_path / "empty"):
        if directory.name == "empty":
            directory.mkdir()
        run = program("demo", directory)
        assert (run.returncode, run.stderr) == (0, "")
        assert f"check --host-root {directory}" in run.stdout
        assert (directory / "etc/kubernetes/pki/apiserver.crt").is_file()


@pytest.mark.parametrize("kind", ["full", "file"])
def test_demo_writes_into_nothing_else(kind: str, tmp_path: Path) -> None:
    """Whatever is there stays as it is."""
    target = tmp_path / "target"
    kept = target / "kept" if kind == "full" else target
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("mine", encoding="utf-8")

    assert_refused(program("demo", target), ["not an empty directory", str(target)])

    assert [path.name for path in tmp_path.rglob("*")] == ["target", *(["kept"] if kind == "full" else [])]
    assert kept.read_text(encoding="utf-8") == "mine"


def test_demo_says_why_it_cannot_write(tmp_path: Path) -> None:
    """A parent that is a file, for one."""
    (tmp_path / "file").touch()

    assert_refused(program("demo", tmp_path / "file" / "below"), [str(tmp_path / "file")])


def test_the_installed_command_is_the_program() -> None:
    """``pip install`` gives it that name."""
    command = shutil.which("kube-pki-exporter", path=str(Path(sys.executable).parent))
    assert command
    run = subprocess.run([command, "--version"], check=True, capture_output=True, text=True)
    assert run.stdout == program("--version").stdout
