"""The batteries of Asterism. Each module stands alone and uses only public `starlette` names."""

__version__ = "0.1.0"
