"""Keeps programs up until it is told to end, then ends all of them.

What `make run` needs and no more: a program that dies is started again, and a line says so. Each
has a process group of its own, so that Ctrl-C reaches only this process, which ends the groups.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

from dashboard.programs import Programs, with_its_parent

PULSE = 0.1
GRACE = 8.0  # seconds between asking and killing
LONG_ENOUGH = 10.0  # a program that lived so long is started again at once
LONGEST_PAUSE = 15.0
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Kept:
    """One program: its process, its log, and when it is to be started again."""

    def __init__(self, name: str, command: list[str], *, directory: Path, log: Path) -> None:
        self.name = name
        self.log = log
        self._command = with_its_parent(command)
        self._directory = directory
        self._pause = 0.0
        self.start_at = 0.0
        self.process: subprocess.Popen[bytes] | None = None
        if log.exists():
            log.replace(log.with_suffix(".log.1"))

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - our own command lines
                self._command,
                cwd=self._directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        self._started = time.monotonic()

    def died(self) -> str:
        """How it ended, if it did since the last question; it is due again after a pause that
        grows while it keeps dying young."""
        if self.process is None or self.process.poll() is None:
            return ""
        code = self.process.returncode
        self.signal(signal.SIGKILL)  # what is left of its group would hold its port
        self.process = None
        now = time.monotonic()
        lived = now - self._started
        self._pause = 0.0 if lived > LONG_ENOUGH else min(self._pause * 2 + 1, LONGEST_PAUSE)
        self.start_at = now + self._pause
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    def signal(self, number: signal.Signals) -> None:
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass


def keep(waves: list[Programs], *, directory: Path, logs: Path, pulse: Callable[[], None]) -> None:
    """Starts the waves in their order and ends them in the reverse one: a worker that misses its
    Redis ends late. Returns after SIGINT, SIGTERM or SIGHUP, with every program ended; `pulse` is
    called ten times a second in between."""
    asked: list[int] = []
    for number in ENDS:
        signal.signal(number, lambda number, _: asked.append(number))
    logs.mkdir(exist_ok=True, mode=0o700)
    kept = [
        [
            Kept(name, command, directory=directory, log=logs / f"{name}.log")
            for name, command in wave.items()
        ]
        for wave in waves
    ]
    try:
        while not asked:
            for program in chain.from_iterable(kept):
                _look_after(program)
            pulse()
            time.sleep(PULSE)
    finally:
        for wave in reversed(kept):
            _end(wave, asked)


def _look_after(program: Kept) -> None:
    if how := program.died():
        say(f"{program.name} ended ({how}) and is started again; {program.log} may say why.")
    if program.process is None and time.monotonic() >= program.start_at:
        program.start()


def _end(wave: list[Kept], asked: list[int]) -> None:
    """Asks first; a second Ctrl-C, or the end of patience, kills what is left."""
    deadline = time.monotonic() + GRACE
    for program in wave:
        program.signal(signal.SIGTERM)
    while any(program.process and program.process.poll() is None for program in wave):
        if time.monotonic() > deadline or len(asked) > 1:
            break
        time.sleep(PULSE / 2)
    for program in wave:
        program.signal(signal.SIGKILL)
        if program.process is not None:
            program.process.wait()


def say(text: str) -> None:
    """To standard output, should somebody still read it."""
    try:
        os.write(1, f"{text}\n".encode())
    except OSError:
        pass
