"""AG-UI: the events of a record, when they happened, and the messages that they add up to."""
