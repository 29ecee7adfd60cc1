"""The fleet a workspace starts with: named endpoints first, then as many more as are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

from endpoints_app.emulator.companies import NAMES, Company, Part, load
from endpoints_app.emulator.endpoint import Endpoint
from endpoints_app.emulator.roles import ROLES, Maker

MOST = 10_000

# Out of a hundred further endpoints. Most are well: a console must keep the others visible.
_SHARES = {
    "ready": 47,
    "idle": 15,
    "stopped": 9,
    "ready_split": 7,
    "ready_gpu": 6,
    "agent": 4,
    "update_failed": 3,
    "stopped_gpu": 2,
    "throughput": 2,
    "build_failed": 1,
    "feature_spec": 1,
    "first_deployment": 1,
    "no_config": 1,
    "updating": 1,
}


def company_for(seed: int) -> str:
    """Neighbouring seeds are different companies, so that two workspaces do not look alike."""
    return NAMES[seed % len(NAMES)]


def seeded(
    seed: int, count: int, *, now: float, scale: float = 1.0, company: str | None = None
) -> list[Endpoint]:
    """`count` endpoints, the same for the same arguments; `scale` shortens what is under way."""
    if not 0 <= count <= MOST:
        raise ValueError(f"A fleet has 0 to {MOST} endpoints, not {count}.")
    chosen = load(company or company_for(seed))
    return [
        ROLES[part.role](Maker(part, chosen, seed=seed, now=now, scale=scale))
        for part in islice(_parts(chosen, seed), count)
    ]


def _parts(company: Company, seed: int) -> Iterator[Part]:
    yield from company.parts
    taken = {part.name for part in company.parts}
    random = Random(f"{seed}/fleet")
    names = [
        (subject, task, suffix)
        for suffix in company.suffixes
        for subject in company.subjects
        for task in company.tasks
    ]
    random.shuffle(names)
    roles = random.choices(list(_SHARES), weights=list(_SHARES.values()), k=len(names))
    for (subject, task, suffix), role in zip(names, roles, strict=True):
        name = f"{subject}-{task}{suffix}"
        if name not in taken:
            yield Part(
                role=role,
                name=name,
                model=f"{subject}_{task}".replace("-", "_"),
                version=random.randint(1, 60),
                team=random.choice(company.teams),
                tier=random.choice((1, 2, 2, 3, 3)),
                about=f"{task.capitalize()} for {subject.replace('-', ' ')} data.",
            )
