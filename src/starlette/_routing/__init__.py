"""Pure routing: path templates (match and build) and the route index."""
