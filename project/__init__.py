"""The site: settings, addresses and the server round the `conversations` app."""
