"""Finds every certificate a Kubernetes node depends on and says what will break, and when."""

__version__ = "0.1.0"
