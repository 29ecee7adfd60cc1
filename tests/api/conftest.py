"""The same fleet as for the pages."""

from tests.views.conftest import (
    _quick,
    ada,
    as_oscar,
    as_vera,
    fleet,
    root,
)

__all__ = ["_quick", "ada", "as_oscar", "as_vera", "fleet", "root"]
