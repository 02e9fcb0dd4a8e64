"""Typed endpoints measured against FastAPI on its own core, and against the same endpoints written by hand.

    python -m benchmarks.api            # under a minute
    python -m benchmarks.api --json

The first run installs FastAPI into an environment of its own.
"""
