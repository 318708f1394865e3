"""Service tasks: which operation, on which target, with which key, and how its result enters the process."""
