"""What the product costs, measured beside plain SpiffWorkflow in the same run: `python -m tests.bench`."""
