"""Systems outside ours: network, CRM, and their simulators. Each module implements `engine.ports.Adapter`."""
