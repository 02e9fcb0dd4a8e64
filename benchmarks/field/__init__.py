"""The field: the same work served by ours, by upstream and by other frameworks. Run `python -m benchmarks field`."""
