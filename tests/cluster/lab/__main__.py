"""Raise a cluster to play with, and take it away."""

import argparse
import json
import sys
from dataclasses import replace

from tests.cluster.lab.build import build
from tests.cluster.lab.cluster import Cluster
from tests.cluster.lab.settings import from_environment
from tests.cluster.lab.waiting import CommandError


def _cluster() -> Cluster:
    """The cluster of the environment; one that runs keeps what it was made with."""
    settings = from_environment()
    kept = settings.home / "settings.json"
    return Cluster(replace(settings, **json.loads(kept.read_text())) if kept.exists() else settings)


def main() -> int:
    """Run one command."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="binaries and images; what is there is skipped")
    commands.add_parser(
        "up", help="raise the cluster, wait until every node is Ready; what fails stays to be looked at"
    )
    commands.add_parser("down", help="end and remove everything but the cache")
    commands.add_parser("approve", help="approve pending requests for kubelet serving certificates")
    commands.add_parser("logs", help="copy all logs into a folder").add_argument("folder")
    commands.add_parser("kubectl", help="run kubectl as administrator")
    inside = commands.add_parser("node", help="run a command in a node's namespaces")
    inside.add_argument("name")
    given, arguments = parser.parse_known_args()
    given.arguments = arguments
    cluster = _cluster()
    try:
        return _run(cluster, given)
    except CommandError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _run(cluster: Cluster, given: argparse.Namespace) -> int:
    match given.command:
        case "build":
            build(cluster.settings)
        case "up":
            build(cluster.settings)
            with cluster.keeping_logs(cluster.settings.home.with_name("logs")):
                cluster.up()
        case "down":
            cluster.down()
        case "approve":
            cluster.approve_serving()
        case "logs":
            cluster.keep_logs(given.folder)
        case "kubectl":
            sys.stdout.write(cluster.kubectl(*given.arguments))
        case _:
            done = cluster.nodes[given.name].attempt(*given.arguments, seconds=3600)
            sys.stdout.write(done.stdout)
            sys.stderr.write(done.stderr)
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
