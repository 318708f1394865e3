"""Trouble tickets: fault reports as TMF621 knows them, what belongs together (mass faults, planned work), and alarms."""
