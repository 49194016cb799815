"""Whose call is this: exchanges come in from traffic, tasks with their totals go out."""
