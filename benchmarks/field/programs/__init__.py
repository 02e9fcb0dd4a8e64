"""One program per framework, as its public documentation shows. Each builds the `app` that $FIELD_KIND names."""
