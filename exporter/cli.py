"""The command line: three jobs, one set of common flags."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from exporter import __version__
from exporter.commands.check import UNUSABLE, CheckOptions, check
from exporter.model import Role
from exporter.report.document import Narrowing
from exporter.report.verdict import Thresholds
from exporter.settings import Settings, SettingsError, duration, load, override, read_flag, search

INTERRUPTED = 130
"""The exit code after Ctrl-C, as shells have it: 128 and the number of SIGINT."""


class _Parser(argparse.ArgumentParser):
    """A parser of whole words, whose refusal has the exit code of a check that could not be made."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - the settings are argparse's
        super().__init__(**settings, allow_abbrev=False)

    def error(self, message: str) -> Any:  # noqa: ANN401 - the signature is argparse's
        self.print_usage(sys.stderr)
        self.exit(UNUSABLE, f"{self.prog}: error: {message}\n")


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for and return the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.run
    try:
        return command(options)
    except SettingsError as error:
        print(f"kube-pki-exporter: {error}", file=sys.stderr)
        return UNUSABLE
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="kube-pki-exporter",
        description="Finds every certificate a Kubernetes node depends on and says what breaks, and when.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    node = commands.add_parser("node", help="watch this node and serve /metrics and a page")
    _add_common(node)
    _add_serving(node)
    node.set_defaults(run=_run_node)

    once = commands.add_parser("check", help="scan once, print what is wrong and what expires, and exit")
    _add_common(once)
    _add_check(once)
    once.set_defaults(run=_run_check)

    demo = commands.add_parser("demo", help="write a throwaway kubeadm-shaped node tree to look at")
    demo.add_argument("directory", metavar="DIR", type=Path, help="a new or empty directory")
    demo.set_defaults(run=_run_demo)
    return parser


def _setting(name: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:  # noqa: ANN401 - each setting has its own type
        try:
            return read_flag(name, text)
        except SettingsError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _reader(parse: Callable[[str], Any]) -> Callable[[str], Any]:
    def read(text: str) -> Any:  # noqa: ANN401 - as above
        try:
            return parse(text)
        except SettingsError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def _add_common(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--host-root", metavar="DIR", help="the tree to look at; links are resolved inside it (default /)")
    add("--config", metavar="FILE", help="YAML file with further settings; flags win")
    add(
        "--watch",
        metavar="PATTERN[=ROLE]",
        action="append",
        type=_reader(search),
        help="a further file, directory or glob below the host root; may be repeated",
    )
    add(
        "--no-match-keys",
        dest="match_keys",
        action="store_const",
        const=False,
        help="never open private keys, so that no key is compared with its certificate",
    )
    add("--log-level", type=_setting("log_level"), metavar="LEVEL", help="debug, info, warning or error")
    add("--log-format", type=_setting("log_format"), metavar="FORMAT", help="logfmt or json")
    add("--check-config", action="store_true", help="check flags and files, say so and exit")


def _add_serving(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--listen", type=_setting("listen"), metavar="ADDR", help="HOST:PORT (default 127.0.0.1:9795)")
    add(
        "--interval",
        type=_setting("interval"),
        metavar="DURATION",
        help="between scans that no change asked for (default 5m)",
    )
    add(
        "--web.config.file",
        dest="web_config_file",
        metavar="FILE",
        help="TLS and authentication, in the format of Prometheus' exporter-toolkit",
    )
    add(
        "--web.open-details",
        dest="web_open_details",
        action="store_const",
        const=True,
        help="show the page and the inventory on any address without authentication",
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("-o", dest="output_format", choices=("table", "json", "prometheus"), default="table")
    add("--output", metavar="FILE", default="", help="write there, in one step, instead of standard output")
    add("--name", metavar="GLOB", action="append", default=[], help="only certificates of that name or path")
    add(
        "--role",
        metavar="ROLE",
        action="append",
        default=[],
        choices=[*map(str, Role)],
        help="only that role",
    )
    add("--warn", metavar="DURATION", type=_reader(duration), default=duration("30d"), help="default 30d")
    add("--critical", metavar="DURATION", type=_reader(duration), default=duration("7d"), help="default 7d")


def _settings(options: argparse.Namespace) -> Settings:
    """Flags over the file; the environment says nothing but the name that Kubernetes gave the node."""
    settings = load(options.config) if options.config else Settings()
    settings = override(settings, {"node_name": os.environ.get("NODE_NAME") or None, **vars(options)})
    if not (settings.host_root and Path(settings.host_root).is_dir()):
        message = f"no such directory: {settings.host_root!r}"
        raise SettingsError(message)
    return settings


def _run_node(options: argparse.Namespace) -> int:
    from exporter.commands.node import check_node, serve_node  # noqa: PLC0415 - ``check`` needs no server

    settings = _settings(options)
    return check_node(settings) if options.check_config else serve_node(settings)


def _run_check(options: argparse.Namespace) -> int:
    settings = _settings(options)
    if options.check_config:
        print("the configuration is good")
        return 0
    return check(
        settings,
        CheckOptions(
            output_format=options.output_format,
            output=options.output,
            narrowing=Narrowing(names=tuple(options.name), roles=tuple(options.role)),
            thresholds=Thresholds(
                warn=timedelta(seconds=options.warn), critical=timedelta(seconds=options.critical)
            ),
        ),
    )


def _run_demo(options: argparse.Namespace) -> int:
    from exporter.demo import make_demo  # noqa: PLC0415 - signing code that nothing else needs

    directory: Path = options.directory
    try:
        if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
            print(f"kube-pki-exporter: {str(directory)!r} is not an empty directory", file=sys.stderr)
            return UNUSABLE
        make_demo(directory, now=datetime.fromtimestamp(int(time.time()), UTC))
    except OSError as error:
        print(f"kube-pki-exporter: {error.filename}: {error.strerror}", file=sys.stderr)
        return UNUSABLE
    print(f"wrote a demo node to {directory}; to look at it:")
    print(f"  kube-pki-exporter check --host-root {directory}")
    return 0
