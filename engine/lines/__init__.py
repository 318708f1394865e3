"""Lines that work (在网业务): what serves an account now, what it was changed to since, and who has it switched off."""
