"""Real packages on top of ours: `scripts/test --downstream` installs them; elsewhere these tests are skipped."""
