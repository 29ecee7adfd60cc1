"""The Django project that hosts Serving Desk."""

from dashboard.celery import app as celery_app

__all__ = ["celery_app"]
