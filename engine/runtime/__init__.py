"""The process kernel: the only user of SpiffWorkflow's workflow classes. It knows no telecom word."""
