"""Serve the shop at http://127.0.0.1:8000; the page of its documentation is http://127.0.0.1:8000/docs."""

from __future__ import annotations

import uvicorn

if __name__ == "__main__":
    uvicorn.run("examples.orders.app:app")
