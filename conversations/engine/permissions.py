"""Tools that need a permission, which is looked up anew each time."""

from collections.abc import Iterable

from django.contrib.auth import get_user_model

from conversations.tools import registry

ERROR = "not_permitted"
REFUSAL = "Not run: the user has no permission to use this tool."


def are_needed(names: Iterable[str]) -> bool:
    """Whether any tool of these names needs a permission, so that the database has to be asked."""
    return any(tool.permission for name in names if (tool := registry.get(name)))


def lacking(user: int | str, names: Iterable[str] | None = None) -> frozenset[str]:
    """The tools for which the user with this key has no permission, among all or those named."""
    tools = [tool for name in (registry.names() if names is None else names) if (tool := registry.get(name))]
    needed = {tool.name: tool.permission for tool in tools if tool.permission}
    if not needed:
        return frozenset()
    # A row that was read before remembers the permissions of then.
    row = get_user_model()._default_manager.filter(pk=user).first()
    return frozenset(
        name for name, permission in needed.items() if row is None or not row.has_perm(permission)
    )
