"""The name by which the user called this program: messages say with it what to call next."""

import os
import sys
from pathlib import Path


def called() -> str:
    """``./run`` or as else the script ``run`` was called; the program's own name for whoever calls it without."""
    return os.environ.get("SAMENLOOP_CALLED_AS") or Path(sys.argv[0]).name
