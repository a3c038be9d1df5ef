"""Importing this silences standard error for the whole process; only the fork server of the workers does.

The libraries that decode write their complaints straight to it, and a worker that starts while the run is being
stopped would end with a traceback. What a worker has to say is said by the values that it returns.
"""

from __future__ import annotations

import os

_nowhere = os.open(os.devnull, os.O_WRONLY)
os.dup2(_nowhere, 2)
os.close(_nowhere)
