"""The pure core: Converse and AG-UI, and nothing else. No Django, no boto3, no clock, no randomness."""
