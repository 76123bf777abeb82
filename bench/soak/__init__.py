"""The soak: a steady stream of mutations for as long as wanted; memory must stay flat, lag bounded, the result exact."""
