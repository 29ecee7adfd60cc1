"""Whose log it is, and the words that its lines are filled with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from random import Random

from endpoints_app.emulator import lifecycle, texts
from endpoints_app.emulator.endpoint import ABORTED, FAILED, Config, Endpoint, Entity

LIBRARIES = (
    ("lightgbm", "4.6.0"),
    ("xgboost", "3.0.5"),
    ("scikit-learn", "1.7.2"),
    ("torch", "2.7.1"),
    ("statsmodels", "0.14.5"),
)


def iso(at: float) -> str:
    """2026-11-22T02:21:40.002Z"""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


@dataclass(frozen=True)
class Source:
    """One served entity of one configuration, as its logs tell of it.

    Everything random comes from `key`: the same entity says the same whenever it is read.
    """

    seed: int
    endpoint: Endpoint
    config: Config
    entity: Entity
    scale: float

    @property
    def key(self) -> str:
        return f"{self.seed}/{self.endpoint.name}/{self.config.version}/{self.entity.name}"

    @cached_property
    def random(self) -> Random:
        return Random(self.key)

    @property
    def failed(self) -> bool:
        return self.entity.deployment in (FAILED, ABORTED)

    @property
    def built_at(self) -> float:
        """When its deployment is over, or was."""
        if self.config.ends is not None:
            return self.config.ends
        return self.config.started + lifecycle.duration("update", self.config) * self.scale

    def at(self, share: float) -> float:
        """The time when this share of the deployment is over."""
        return self.config.started + share * (self.built_at - self.config.started)

    @cached_property
    def cause(self) -> str:
        """What went wrong, without the platform's sentences around it."""
        message = " ".join(self.entity.message.split())
        for before in (
            "Container image creation failed: ",
            "Model server failed to load the model: ",
        ):
            message = message.removeprefix(before)
        if message.startswith("Model server restarted"):
            message = message.partition(": ")[2]
        for after in ("build", "service"):
            message = message.removesuffix(f" Please see {after} logs for more information.")
        return message.removesuffix(".") if message.startswith("ERROR") else message

    @cached_property
    def words(self) -> dict[str, str]:
        fields, random = self.entity.fields, Random(f"{self.key}/words")
        library, library_version = random.choice(LIBRARIES)
        model = str(fields.get("entity_name", self.entity.name))
        version = str(fields.get("entity_version", ""))
        return {
            "entity": model,
            "version": version,
            "name": self.entity.name,
            "module": model.rpartition(".")[2],
            "message": " ".join(self.entity.message.split()),
            "cause": self.cause,
            "exception": self.cause if "Error" in self.cause else f"ValueError: {self.cause}",
            "culprit": self._culprit(library),
            "library": library,
            "library_version": library_version,
            "python": "3.12",
            "base": f"{random.randint(14, 17)}.{random.randint(0, 9)}",
            "secret": f"{random.getrandbits(64):016x}",
            "digest": f"{random.getrandbits(256):064x}",
            "source": f"dbfs:/databricks/model-registry/{model}/{version}",
            "size": f"{fields.get('workload_size', '')} {fields.get('workload_type', '')}".strip(),
            "replica": "".join(random.choices("23456789bcdfghjklmnpqrstvwxz", k=5)),
            "seconds": f"{random.uniform(2, 40):.1f}",
            "statement": "import pyarrow.dataset"
            if "No module" not in self.cause
            else f"import {self.cause.partition(chr(39))[2].partition(chr(39))[0]}",
        }

    def told(self, name: str, begin: float, end: float, *, until: float) -> list[str]:
        """The lines of a text that were written between `begin` and `end`, up to `until`."""
        lines = []
        for share, template in texts.script(name):
            at = begin + share * (end - begin)
            if at <= until:
                stamp = f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"
                lines.append(template.substitute(self.words, time=iso(at), stamp=stamp))
        return lines

    def _culprit(self, library: str) -> str:
        """The package that a failed build speaks of."""
        for before in ("found for ", "wheels for "):
            if before in self.cause:
                return self.cause.partition(before)[2].partition(",")[0].split()[0]
        return library
