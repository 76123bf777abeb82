"""Tamper evidence: Merkle trees over what the topics hold, signed checkpoints of them, proofs, and what was changed since."""
