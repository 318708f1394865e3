"""The steps from one shape of the database to the next, in `versions/`; run by `engine.store.migrate`."""
