"""Screens, HTTP interfaces, the command line, and the composition root that names concrete classes together."""
