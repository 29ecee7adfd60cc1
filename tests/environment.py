"""The environment of the tests, set before the settings are read (`-p tests.environment`).

Nothing of the developer's own reaches them: no workspace, no token, no Redis.
"""

import atexit
import os
import shutil
import tempfile

for name in list(os.environ):
    if name.startswith(("DATABRICKS_", "WORKSPACE", "ARM_", "DJANGO_SUPERUSER_")):
        del os.environ[name]

var_dir = tempfile.mkdtemp(prefix="desk-test-")
atexit.register(shutil.rmtree, var_dir, ignore_errors=True)

os.environ |= {
    "EMBEDDED": "on",
    "HTTPS": "off",
    "DEBUG": "off",
    "DEMO": "off",
    "SECRET_KEY": "for the tests alone " * 4,
    "VAR_DIR": var_dir,
    # Nobody listens there: what needs a Redis starts its own.
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "CACHE_URL": "",
    "LOG_LEVEL": "WARNING",
}
os.environ.setdefault("TEST_DATABASE_URL", "")
if os.environ["TEST_DATABASE_URL"]:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
else:
    os.environ.pop("DATABASE_URL", None)
