"""Metrics as text."""
