"""Run as a program: a migrated database, static files and the cast, under VAR_DIR."""

from __future__ import annotations

import os

import django
from django.core.management import call_command

PASSWORD = "correct horse battery"
CAST = {"vera": "viewer", "otto": "operator", "mika": "manager", "oscar": None}
"""Who → role."""


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)

    from django.contrib.auth.models import Group, User

    for name, role in CAST.items():
        user = User.objects.create_user(name, password=PASSWORD, first_name=name.title())
        if role:
            user.groups.add(Group.objects.get(name=role))


if __name__ == "__main__":
    main()
