"""The benchmark: the product unchanged, on a workload whose result is checked, next to a floor in the same run."""
