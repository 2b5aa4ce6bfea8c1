"""Dashboards and their queries."""
