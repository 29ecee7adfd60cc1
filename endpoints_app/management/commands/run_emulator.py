"""Runs the local workspace emulator in the foreground."""

from __future__ import annotations

import os
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from endpoints_app.emulator import fleet, server
from endpoints_app.emulator.app import Emulator
from endpoints_app.emulator.auth import (
    DEMO_CLIENT_ID,
    DEMO_CLIENT_SECRET,
    DEMO_TOKEN,
    Credentials,
)
from endpoints_app.emulator.world import World


class Command(BaseCommand):
    help = "Serve a local workspace that answers as Databricks model serving does."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
        parser.add_argument("--endpoints", type=int, default=24)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--time-scale", type=float, default=1.0)
        parser.add_argument("--token", default=os.environ.get("EMULATOR_TOKEN") or DEMO_TOKEN)

    def handle(self, **options: Any) -> None:
        world = World(
            fleet.seeded(options["seed"], options["endpoints"], now=time.time()),
            seed=options["seed"],
            time_scale=options["time_scale"],
        )
        credentials = Credentials(options["token"], DEMO_CLIENT_ID, DEMO_CLIENT_SECRET)
        server.run(
            Emulator(world, credentials),
            host=options["host"],
            port=options["port"],
            say=self._say,
        )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
