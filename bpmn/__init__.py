"""Diagrams as data: reading, checking and turning them into executable specifications. No database, no Flask."""
