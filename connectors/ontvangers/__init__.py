"""The side of the ontvangers: following a topic of signals, and what stands on it."""
