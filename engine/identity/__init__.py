"""People, their roles and areas, sessions and tokens; and the one place that says who may do and see what."""
