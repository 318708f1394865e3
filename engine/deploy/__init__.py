"""Diagrams in service: uploads, versions, and which process an order item starts."""
