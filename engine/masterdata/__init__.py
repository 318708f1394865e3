"""Master data that is shipped as files and edited as rows: reason codes, tiers, kinds of resources."""
