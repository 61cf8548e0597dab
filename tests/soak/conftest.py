"""What long tests share with the short ones."""

from tests.faults.conftest import safe

__all__ = ["safe"]
