"""AG-UI: the events of a record, the messages that they add up to, and the times at which they happened."""
