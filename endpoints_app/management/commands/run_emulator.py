"""Runs the local workspace emulator in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from endpoints_app.emulator import budgets, fleet, server
from endpoints_app.emulator.app import Emulator, Options
from endpoints_app.emulator.auth import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    DEMO_TOKEN,
    Credentials,
)
from endpoints_app.emulator.companies import NAMES
from endpoints_app.emulator.state import UnreadableState


class Command(BaseCommand):
    help = "Serve a local workspace that answers as Databricks model serving does."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        env = os.environ.get
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
        parser.add_argument("--endpoints", type=int, default=24, help="up to 10000")
        parser.add_argument("--seed", type=int, default=0, help="same seed, same fleet")
        parser.add_argument("--fleet", choices=NAMES, help="whose; the seed chooses otherwise")
        parser.add_argument(
            "--time-scale", type=float, default=1.0, help="0.1: changes take a tenth of their time"
        )
        parser.add_argument("--state", type=Path, help="file that keeps the world over restarts")
        parser.add_argument(
            "--policies",
            action="store_true",
            help="say which budget policies there are, as BUDGET_POLICY_NAMES takes it, and end",
        )
        parser.add_argument("--token", default=env("EMULATOR_TOKEN") or DEMO_TOKEN)
        parser.add_argument("--client-id", default=env("EMULATOR_CLIENT_ID") or DEMO_CLIENT_ID)
        parser.add_argument(
            "--client-secret", default=env("EMULATOR_CLIENT_SECRET") or DEMO_CLIENT_SECRET
        )

    def handle(self, **options: Any) -> None:
        if options["policies"]:
            named = budgets.names(options["fleet"] or fleet.company_for(options["seed"]))
            for policy, name in named.items():
                self._say(f"{policy}={name}")
            return
        try:
            emulator = Emulator(
                Options(
                    endpoints=options["endpoints"],
                    seed=options["seed"],
                    company=options["fleet"],
                    time_scale=options["time_scale"],
                ),
                Credentials(options["token"], options["client_id"], options["client_secret"]),
                state=options["state"],
            )
        except (ValueError, UnreadableState) as error:
            raise CommandError(str(error)) from error
        server.run(emulator, host=options["host"], port=options["port"], say=self._say)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
