"""Starts the program."""

import sys

from exporter.cli import run


def main() -> int:
    """Run the command line."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
