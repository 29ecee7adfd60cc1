"""The door for web servers."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

try:
    application = get_wsgi_application()
except ImproperlyConfigured as e:
    sys.stderr.write(f"{e}\n")
    sys.exit(3)  # to gunicorn: this will not get better, end; any other code starts a new worker

from django.urls import get_resolver

from endpoints_app.services import clients  # its models need a set-up Django

clients.warm()
get_resolver().url_patterns  # imports all views, for which the first visitor would wait  # noqa: B018
