"""What every adapter must do, against its simulator."""
