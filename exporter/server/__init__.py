"""Hands the rendered bytes out over HTTP or HTTPS: the only place that listens."""

from exporter.server.listener import Server
from exporter.server.request import Application, Request, Response
from exporter.server.routes import Page, Routes
from exporter.server.web_config import WebConfig
from exporter.server.web_values import ConfigurationError

__all__ = [
    "Application",
    "ConfigurationError",
    "Page",
    "Request",
    "Response",
    "Routes",
    "Server",
    "WebConfig",
]
