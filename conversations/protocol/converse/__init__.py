"""Bedrock's Converse: the blocks of messages, a stream put together, a history made valid, a request's body."""
