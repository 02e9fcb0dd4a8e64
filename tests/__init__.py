"""The tests of Asterism. The folders mirror `src/`."""
