"""The wire of ``checkpoints``: the topic of the signed states of all logs, each under its origin."""

from typing import Final

CHECKPOINTS: Final = "checkpoints"
CONSISTENCY: Final = "consistency"  # header: the proof that the log's checkpoint before this one is its beginning
