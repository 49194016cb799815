"""Decisions, all of them pure functions over frozen values."""
