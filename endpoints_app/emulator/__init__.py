"""A local workspace: a WSGI server that answers as Databricks model serving does.

`manage.py run_emulator` runs it as a process, `serving()` in a thread of a test. It shares no
code with our own client: an emulator that reused our parser would agree with our mistakes.
"""

from endpoints_app.emulator.server import Running, serving

__all__ = ["Running", "serving"]
