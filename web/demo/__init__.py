"""The demo operator 云汀通信 as files: its masters, what reaches which building, and its stock."""
