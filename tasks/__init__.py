"""What people and service steps do: the worklist, field crews, and the binding of service tasks to operations."""
