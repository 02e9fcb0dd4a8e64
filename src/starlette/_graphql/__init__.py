"""What is behind `starlette.graphql`: requests, limits and the page (pure), the engine, and the two transports."""
