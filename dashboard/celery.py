"""The Celery application: broker without results, JSON messages, ids as arguments."""

import logging
import os
import warnings
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

# Celery warns root of messages that can run code. Ours are JSON.
warnings.filterwarnings("ignore", message="(?s).*superuser privileges", module="celery.platforms")

app = Celery("serving-desk")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
def _worker_waits(conf: Any = None, **kwargs: object) -> None:
    """A worker blocks on Redis by design; the short patience of pages would cut its reads."""
    conf.broker_transport_options = {"socket_connect_timeout": 5, "socket_timeout": 30}


@beat_init.connect
def _beat_waits(sender: Any = None, **kwargs: object) -> None:
    sender.app.conf.broker_transport_options = {"socket_connect_timeout": 2, "socket_timeout": 5}
    logging.getLogger("celery.beat").addFilter(_in_one_line)


def _in_one_line(record: logging.LogRecord) -> bool:
    """While Redis is down beat would print two stacks for each tick: a hundred lines a second."""
    if record.exc_info:
        record.msg, record.args, record.exc_info = "%s", (record.exc_info[1],), None
    return True
