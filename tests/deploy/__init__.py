"""Manifests, chart and image."""
