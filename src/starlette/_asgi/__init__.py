"""ASGI plumbing on anyio: messages, send watching, disconnect races, fused dispatch."""
