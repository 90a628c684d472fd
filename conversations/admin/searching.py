"""The search of lists whose rows are in the index: words, ids and names."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from conversations.models.search import matching, terms

from .lists import LISTED, USER_NAME
from .pages import ReadOnlyAdmin

WORDS_HELP = 'Words, all of which must be there; "words side by side"; begin* of words. Case and accents do not matter.'


class WordSearch(ReadOnlyAdmin):
    """A list that is searched by the words of its rows' texts."""

    ids: ClassVar[tuple[str, ...]] = ()
    """The columns in which an id is looked up."""

    named_user: ClassVar[str] = ""
    """The column of the user, whose name is looked up."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows that hold the words, or belong to what has this id or name."""
        text = search_term.strip()
        at_most = None if queryset.query.where else LISTED
        return queryset.filter(self._condition(text, at_most)) if text else queryset, False

    def _condition(self, text: str, at_most: int | None) -> Q:
        try:
            pk = UUID(text)
        except ValueError:
            return self._by_words(text, at_most)
        return Q(*((column, pk) for column in self.ids), _connector=Q.OR)

    def _by_words(self, text: str, at_most: int | None) -> Q:
        words = terms(text)
        by_words = matching(self.model, words, at_most) if words else Q(pk__in=())
        return by_words | self.of_user(text)

    def of_user(self, name: str) -> Q:
        """The rows of the user with this name, if there is one."""
        if not self.named_user:
            return Q()
        users = get_user_model()._default_manager.filter(**{USER_NAME: name})
        user = users.values_list("pk", flat=True).first()
        return Q() if user is None else Q((self.named_user, user))
