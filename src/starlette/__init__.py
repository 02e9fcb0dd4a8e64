"""The Starlette API for ASGI applications, in an independent implementation."""

__version__ = "1.10.0"
