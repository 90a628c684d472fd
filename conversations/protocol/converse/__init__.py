"""Bedrock's Converse: content blocks, the assembly of a stream, a valid history, a request's body."""
