"""Settings are checked once, and a refusal says where and what is allowed."""

from pathlib import Path

import pytest

from exporter.address import ListenAddress
from exporter.model import Role, Search
from exporter.settings import Settings, SettingsError, duration, load, override, read_flag, search


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5m", 300),
        ("1h30m", 5400),
        ("90s", 90),
        ("2w", 1209600),
        ("500ms", 0.5),
        ("36500d", 3153600000),
    ],
)
def test_durations_are_prometheus(text: str, seconds: float) -> None:
    """A duration is written as in Prometheus."""
    assert duration(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "5", "m", "5 m", "-5m", "5m3", "1.5h", "five", "²s", "36501d", "9" * 5000 + "s"]
)
def test_other_durations_are_refused_with_an_example(text: str) -> None:
    """The refusal shows what would be right, also for one too long for any clock."""
    with pytest.raises(SettingsError, match=r"5m or 1h30m"):
        duration(text)


def test_a_pattern_may_carry_a_role() -> None:
    """PATTERN=ROLE names the role; an equal sign in a path stays in the path."""
    assert search("/opt/*.crt=etcd-server") == Search(
        pattern="/opt/*.crt", role=Role.ETCD_SERVER, is_operators=True
    )
    assert search("/opt/a=b.crt") == Search(pattern="/opt/a=b.crt", is_operators=True)


def test_a_relative_pattern_is_refused() -> None:
    """Nobody can tell what a relative pattern is relative to in a pod."""
    with pytest.raises(SettingsError, match="no absolute path"):
        search("certs/*.crt")


def test_a_file_sets_every_key(tmp_path: Path) -> None:
    """Each key of the file arrives with its type."""
    file = tmp_path / "config.yaml"
    file.write_text(
        "host_root: /host\nlisten: '[::]:9795'\ninterval: 1m\nmatch_keys: false\nmax_file_size: 2MiB\n"
        "max_files: 10\nweb_config_file: web.yaml\nweb_open_details: true\nlog_level: debug\n"
        "log_format: json\nnode_name: n1\nwatch:\n- /a/*.crt\n- pattern: /b\n  role: ca\n"
    )

    assert load(str(file)) == Settings(
        host_root="/host",
        listen=ListenAddress("::", 9795),
        interval=60,
        match_keys=False,
        max_file_size=2 << 20,
        max_files=10,
        web_config_file="web.yaml",
        web_open_details=True,
        log_level="debug",
        log_format="json",
        node_name="n1",
        watch=(
            Search(pattern="/a/*.crt", is_operators=True),
            Search(pattern="/b", role=Role.CA, is_operators=True),
        ),
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("colour: red", "unknown key 'colour'; allowed: host_root, listen"),
        ("interval: soon", "interval: 'soon' is no duration"),
        ("interval: 10ms", "shorter than 1s"),
        ("listen: 9795", "listen: '9795' is no address; allowed: HOST:PORT"),
        ("listen: ::1:9795", "is no address"),
        ("listen: localhost:99999", "is no address"),
        ("listen: '[::1:9795'", "is no address"),
        ("listen: ':009795'", "is no address"),
        ("listen: ':²'", "is no address"),
        ("max_files: 0", "no positive number"),
        ("max_files: 1000001", "no positive number up to 1000000"),
        ("max_file_size: 1TB", "no size"),
        ("max_file_size: 0KiB", "no size"),
        ("max_file_size: 1025MiB", "up to 1024MiB"),
        ("max_file_size: " + "9" * 5000, "up to 1024MiB"),
        ("interval: 2026-13-45", "no duration"),
        ("interval: !!timestamp x", "no duration"),
        ("match_keys: 'no'", "not true or false"),
        ("log_level: loud", "not one of debug, info, warning, error"),
        ("host_root: [a]", "is no text"),
        ("watch: /a", "no list of patterns"),
        ("watch: [5]", "neither a pattern nor a mapping"),
        ("watch: [{pattern: /a, role: king}]", "unknown role 'king'; allowed: ca, etcd-ca"),
        ("watch: [{pattern: /a, rule: ca}]", "neither a pattern nor a mapping"),
        ("- a", "must hold keys and values"),
        ("watch: [{pattern: /a, role: [ca]}]", "unknown role ['ca']"),
        ("{", "expected node content\n  in it, line 2, column 1"),
        ("[" * 20_000, "cannot be read: "),
        ("[" * 500 + "]" * 500, "nested too deeply"),
        ("? [a]\n: b", "a key that is no text"),
    ],
)
def test_a_bad_file_is_refused_by_file_key_and_what_is_allowed(
    tmp_path: Path, text: str, complaint: str
) -> None:
    """The operator sees at start what is wrong and where."""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(SettingsError) as refused:
        load(str(file))

    assert str(file) in str(refused.value)
    assert complaint in str(refused.value)


def test_an_absent_file_is_refused_and_an_empty_one_is_not(tmp_path: Path) -> None:
    """A file that was named must be there."""
    for text in ("", "# nothing yet\n", "---\n", "{}\n"):
        (tmp_path / "empty.yaml").write_text(text)
        assert load(str(tmp_path / "empty.yaml")) == Settings()
    with pytest.raises(SettingsError, match="cannot be read"):
        load(str(tmp_path / "absent.yaml"))


def test_flags_win_and_patterns_add_up() -> None:
    """A flag that was not given leaves the file's value."""
    file = Settings(interval=60, listen=ListenAddress("", 1), watch=(search("/a"),))

    merged = override(file, {"interval": 5.0, "listen": None, "watch": (search("/b"),), "output": "x"})

    assert merged == Settings(interval=5, listen=ListenAddress("", 1), watch=(search("/a"), search("/b")))


def test_flags_are_read_as_the_file_is() -> None:
    """One reader serves both."""
    assert read_flag("interval", "5m") == 300
    assert read_flag("max_files", "7") == 7
    with pytest.raises(SettingsError):
        read_flag("log_format", "xml")
