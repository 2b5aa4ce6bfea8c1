"""Recorded nodes, and what may happen to them."""
