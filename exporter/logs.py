"""Structured logs: one line a thing, on standard error."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}


def configure(level: str, form: str) -> None:
    """Send what the program logs to standard error in one of the forms ``logfmt`` and ``json``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines() if form == "json" else _Logfmt())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("exporter").setLevel(level.upper())


class _Fields(logging.Formatter):
    def fields(self, record: logging.LogRecord) -> dict[str, Any]:
        """Time, level and message first, then what the caller added, a traceback last."""
        extra = {key: value for key, value in vars(record).items() if key not in _ORDINARY}
        trace = {"trace": self.formatException(record.exc_info)} if record.exc_info else {}
        return {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **extra,
            **trace,
        }


class _JsonLines(_Fields):
    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self.fields(record), default=str)


class _Logfmt(_Fields):
    def format(self, record: logging.LogRecord) -> str:
        return " ".join(f"{key}={_quoted(str(value))}" for key, value in self.fields(record).items())


def _quoted(text: str) -> str:
    """Quote where a reader of the line could be misled; escapes are JSON's."""
    if text.isprintable() and text.isascii() and text and not set(text) & set(' "=\\'):
        return text
    return json.dumps(text)
