"""Alerts and their runbooks."""
