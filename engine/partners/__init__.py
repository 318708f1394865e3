"""Partner orders (合作方施工单): what we asked other operators to build, how far they are, and what they tell us."""
