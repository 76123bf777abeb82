"""The pure core: periods, timelines, rules, the difference to what was sent, and ``step``. No I/O, no clock, no randomness."""
