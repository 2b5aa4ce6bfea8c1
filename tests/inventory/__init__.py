"""Roles, states and issuers."""
