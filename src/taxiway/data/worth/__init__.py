"""Which defect of a table to repair first, and what a model gains by it."""
