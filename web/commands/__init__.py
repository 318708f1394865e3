"""The command line, one module per theme; `web.cli` puts them together."""
