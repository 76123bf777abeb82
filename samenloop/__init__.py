"""Settings and the command line: puts schemas, streams and connectors together."""
