"""The business view of resources: where we can serve, which ports are free, who holds what."""
