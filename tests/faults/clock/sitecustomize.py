"""Sets the clock of the Python process that finds this on its path off by ``TEST_CLOCK_SHIFT`` seconds."""

import os
import time

_SHIFT = float(os.environ["TEST_CLOCK_SHIFT"])
_time, _time_ns = time.time, time.time_ns

time.time = lambda: _time() + _SHIFT
time.time_ns = lambda: _time_ns() + int(_SHIFT * 1e9)
