"""Keeps the documentation current."""
