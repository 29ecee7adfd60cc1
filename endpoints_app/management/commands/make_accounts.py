"""Make the accounts to sign in with: the embedded default's three, and the one asked for."""

from __future__ import annotations

import os
import secrets
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError

from endpoints_app.domain.roles import Role


class Command(BaseCommand):
    help = (
        "One account per role with a generated password (embedded default only), and the "
        "superuser named by DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD."
    )

    def handle(self, **options: Any) -> None:
        username = os.environ.get("DJANGO_SUPERUSER_USERNAME", "").strip()
        password = os.environ.get("DJANGO_SUPERUSER_PASSWORD", "")
        if bool(username) != bool(password):
            raise CommandError(
                "DJANGO_SUPERUSER_USERNAME and DJANGO_SUPERUSER_PASSWORD must be set together."
            )
        if username:
            self._superuser(username, password)
        if settings.EMBEDDED:
            self._one_per_role(but=username)

    def _superuser(self, username: str, password: str) -> None:
        user, _ = get_user_model().objects.get_or_create(username=username)
        user.is_staff = user.is_superuser = user.is_active = True
        if not user.check_password(password):
            user.set_password(password)
        user.save()
        user.groups.set(Group.objects.filter(name__in=[role.value for role in Role]))

    def _one_per_role(self, but: str) -> None:
        """Kept in VAR_DIR/accounts.txt, which only its owner can read, to be printed at each
        start; a password changed in the dashboard is no longer the printed one."""
        path = settings.VAR_DIR / "accounts.txt"
        lines = path.read_text().splitlines() if path.exists() else []
        known = {line.split()[0]: line.split()[1] for line in lines if len(line.split()) >= 2}
        roles = [role for role in Role if role.value != but]
        for role in roles:
            user, made = get_user_model().objects.get_or_create(username=role.value)
            if made or role.value not in known:
                known[role.value] = secrets.token_urlsafe(9)
                user.set_password(known[role.value])
                user.save()
                user.groups.set([Group.objects.get(name=role.value)])
        path.touch(mode=0o600)
        path.write_text("".join(f"{role.value:<10}{known[role.value]}\n" for role in roles))
