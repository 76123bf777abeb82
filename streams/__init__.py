"""The engine: the pure core, and the Faust app that runs it on the log."""
