"""Here, too, every test fails where our code blocks asyncio's event loop."""

from tests.starlette.conftest import blocking_calls, detector

__all__ = ["blocking_calls", "detector"]
