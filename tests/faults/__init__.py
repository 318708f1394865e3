"""Kill-and-count tests: whatever happens to our processes, every order ends, and nothing happens twice outside."""
