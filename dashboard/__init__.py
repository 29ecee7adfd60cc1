"""The Django project that hosts Serving Desk."""

import sys

from dashboard.celery import app as celery_app

__all__ = ["celery_app"]

# A thread that reads a list of a thousand holds Python for 5 ms at a time, and one that writes asks
# for it back after each of its thirty statements: with ten that read it held the database for
# 170 ms, now for 60, and as much was read.
sys.setswitchinterval(0.0005)
