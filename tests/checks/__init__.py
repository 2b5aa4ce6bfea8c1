"""Checks, one by one."""
