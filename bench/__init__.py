"""Measures the budgets."""
