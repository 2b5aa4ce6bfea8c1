"""Write the dashboards as JSON; ``--check`` names those that are not as the code has them."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards.board import document
from dashboards.fleet import fleet
from dashboards.node import node

HERE = Path(__file__).resolve().parent


def generated() -> Mapping[Path, str]:
    """Map every file to what it should hold."""
    documents = (document(fleet()), document(node()))
    return {
        HERE / f"{each['uid']}.json": json.dumps(each, cls=JSONEncoder, indent=2, ensure_ascii=False) + "\n"
        for each in documents
    }


def main() -> int:
    """Write the files, or say which differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is stale")
    is_check = parser.parse_args().check
    stale = [
        path for path, text in generated().items() if not path.is_file() or path.read_text("utf-8") != text
    ]
    for path in stale:
        if not is_check:
            path.write_text(generated()[path], "utf-8")
        sys.stdout.write(f"{'stale' if is_check else 'written'}: {path.name}\n")
    return 1 if stale and is_check else 0


if __name__ == "__main__":
    sys.exit(main())
