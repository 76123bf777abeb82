"""For the auditor: what was sent, held against what the log and the published rules say."""
