"""Pure HTTP: bytes and text in, values out. No await, no ASGI, no I/O."""
