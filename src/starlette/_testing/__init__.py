"""What `starlette.testclient` is made of, without the HTTP library: event loops, exchanges, WebSocket queues."""
