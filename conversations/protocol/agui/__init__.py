"""AG-UI: the events of a record, what they come to in a snapshot, and when they happened."""
