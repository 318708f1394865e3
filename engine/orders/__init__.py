"""Service orders: taking them in, their numbers, their derived states, notes and cancellation."""
