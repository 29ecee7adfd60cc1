"""THE OUTSIDE: Databricks' serving API over REST. No Django."""

from .client import WorkspaceClient
from .credentials import Credentials
from .transport import Transport

__all__ = ["Credentials", "Transport", "WorkspaceClient"]
