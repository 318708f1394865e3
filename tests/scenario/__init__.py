"""Whole orders with a virtual clock."""
