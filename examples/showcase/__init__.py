"""The showcase: one small application that uses what the framework has. Run: `uvicorn examples.showcase.app:app`."""
