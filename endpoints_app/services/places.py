"""How many threads of a web process may wait at once for somebody else; the others serve pages.

A process has four (`dashboard/programs.py`): three that wait leave one, whatever hangs.
"""

from __future__ import annotations

import threading
from typing import Final

AT_ONCE: Final = 2

SHORT: Final = threading.BoundedSemaphore(AT_ONCE)
"""For what a panel asks a workspace: seconds."""

LONG: Final = threading.BoundedSemaphore(1)
"""For a model's answer, the whole of a log, a validator: up to half a minute."""
