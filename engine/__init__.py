"""The order engine: orders, the process runtime, jobs, resources and the store. Knows no screen and no network device."""
