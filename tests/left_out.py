"""The last line of `make test`: what was not run, and how to run it."""

import sys

from tests.needs import CHROMIUM, POSTGRESQL

lacking = [need.how for need in (CHROMIUM, POSTGRESQL) if not need.there]
sys.stdout.write(
    "Left out: faults, fuzzing, browser journeys, accessibility and PostgreSQL; `make test-all` "
    f"adds them{', after ' + ' and '.join(lacking) if lacking else ''}.\n"
)
