"""Files of master data that belong to no layer below: which process an order type starts."""
