"""Crews in the field: who can do what where, and who gets the next task."""
