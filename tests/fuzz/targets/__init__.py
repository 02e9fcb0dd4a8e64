"""The targets by theme. A target is a function of bytes that raises only when something is wrong."""
