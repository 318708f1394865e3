"""Work for machines: the job queue with its leases, the call ledger and its runner, incidents, the worker loop."""
