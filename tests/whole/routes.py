"""The site's addresses."""

import re
from collections.abc import Iterator

from django.urls import URLPattern, URLResolver, get_resolver


def routes(resolver: URLResolver, prefix: str = "", is_admin: bool = False) -> Iterator[tuple[str, bool]]:
    """Every address of the site, and whether it is the admin's."""
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield path, is_admin
        else:
            yield from routes(entry, path, is_admin or entry.app_name == "admin")


ROUTES = [path for path, is_admin in routes(get_resolver()) if not is_admin]

ADMIN = [path for path, is_admin in routes(get_resolver()) if is_admin]


def filled(path: str, pk: object) -> str:
    """An address of the pattern."""
    return "/" + re.sub(r"<[^>]+>", str(pk), path)
