"""Coverage-guided fuzzing: targets with oracles, their seeds, and what runs them (docs/fuzzing.md)."""
