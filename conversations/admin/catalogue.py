"""The catalogue of models, which staff edit."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import BooleanField, Case, IntegerField, OrderBy, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from conversations.conf import settings
from conversations.models import FACTS, PRICE_COLUMNS, Model
from conversations.protocol.text import visible

if TYPE_CHECKING:
    Admin = admin.ModelAdmin[Model]
    Form = forms.ModelForm[Model]
else:
    Admin, Form = admin.ModelAdmin, forms.ModelForm

UNKNOWN = "Not known: it is tried."
UNSENT = "Not known: none are sent."
ON_KNOWLEDGE = frozenset({"takes_cache_points"})
"""Abilities that count only if they are known."""

BY_ID = "As its id says."


class CatalogueForm(Form):
    """A model's facts in force. Only a changed field becomes an edit, which replaces what was learned."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        row = self.instance
        for name in FACTS:
            fact = getattr(row.capabilities, name)
            if name in self.fields:
                is_choice = isinstance(self.fields[name], forms.BooleanField)
                self.initial[name] = _is_taken(name, fact) if is_choice else fact
                origin = _origin(row, name, fact, is_choice=is_choice)
                self.fields[name].help_text = f"{self.fields[name].help_text} {origin}".strip()
        for kind, column in PRICE_COLUMNS.items():
            own = getattr(row, column)
            self.initial[column] = (row.prices or {}).get(kind) if own is None else own

    def clean(self) -> dict[str, Any]:
        """The values that were changed; the others stay as they are stored."""
        values = super().clean() or self.cleaned_data
        changed = {*self.changed_data}
        row = self.instance
        row.learned = {name: fact for name, fact in row.learned.items() if name not in changed}
        unchanged = {*FACTS, *PRICE_COLUMNS.values()} - changed
        return {name: value for name, value in values.items() if name not in unchanged}


def _is_taken(name: str, fact: bool | None) -> bool:
    return fact is True if name in ON_KNOWLEDGE else fact is not False


def _origin(row: Model, name: str, fact: Any, *, is_choice: bool) -> str:
    """Where a fact comes from, unless staff have set it."""
    if name in row.learned:
        return f"Learned on {_day(row.learned[name])}."
    if getattr(row, name) is not None:
        return ""
    if fact is not None:
        return BY_ID
    unknown = UNSENT if name in ON_KNOWLEDGE else UNKNOWN
    return unknown if is_choice else ""


def _day(fact: dict[str, Any]) -> str:
    return datetime.fromisoformat(fact["at"]).strftime("%Y-%m-%d %H:%M UTC")


@admin.register(Model)
class CatalogueAdmin(Admin):
    """Models: name, order, whether they are offered, what they take and cost."""

    form = CatalogueForm
    formfield_overrides: ClassVar = {BooleanField: {"form_class": forms.BooleanField}}
    change_form_template = "admin/change_form.html"
    change_list_template = "admin/change_list.html"
    list_display = ("own_name", "model_id", "position", "enabled", "is_offered", "learned_facts")
    list_editable = ("position", "enabled")
    search_fields = ("name", "model_id")
    actions = ("forget_learned",)
    sortable_by = ()
    readonly_fields = ("model_id", "learned_facts")
    fieldsets = (
        (None, {"fields": ("model_id", "name", "enabled", "position", "learned_facts")}),
        ("What it takes", {"fields": FACTS}),
        ("Prices of a million tokens", {"fields": tuple(PRICE_COLUMNS.values())}),
    )

    @admin.display(description="name")
    def own_name(self, row: Model) -> str:
        """Its name for people."""
        return str(row)

    @admin.display(description="offered", boolean=True)
    def is_offered(self, row: Model) -> bool:
        """Whether people can choose it."""
        return row.enabled and row.model_id in settings.GATEWAY_MODELS

    @admin.display(description="learned from refusals")
    def learned_facts(self, row: Model) -> SafeString | str:
        """What refusals taught, when, and their words."""
        facts = (
            (_title(name), _value(fact), _day(fact), _why(fact))
            for name, fact in row.learned.items()
            if name in FACTS
        )
        items = format_html_join("", "<li>{}: {}, on {}{}</li>", facts)
        return format_html("<ul>{}</ul>", items) if items else "-"

    @admin.action(description="Forget what was learned", permissions=["change"])
    def forget_learned(self, request: HttpRequest, queryset: QuerySet[Model]) -> None:
        """Lets edits and ids hold again, until a refusal teaches anew."""
        rows = [row for row in queryset if row.learned]
        for row in rows:
            row.learned = {}
            row.save(update_fields=["learned"])
            self.log_change(request, row, "Forgot what was learned.")
        self.message_user(request, f"Forgot what was learned of models: {len(rows)}.", messages.SUCCESS)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """The rows, with one for each model that the settings name."""
        Model.make_rows()
        return super().get_queryset(request)

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        """The order in which models are offered, then those that no setting names."""
        named = [When(model_id=name, then=place) for place, name in enumerate(settings.GATEWAY_MODELS, 1)]
        place = Case(*named, default=Value(None), output_field=IntegerField())
        return [OrderBy(Coalesce("position", place), nulls_last=True), "model_id"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Rows come from the settings, and from what is learned."""
        return False


def _title(name: str) -> str:
    field: Any = Model._meta.get_field(name)
    return str(capfirst(field.verbose_name))


def _value(fact: dict[str, Any]) -> str:
    value = fact["value"]
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _why(fact: dict[str, Any]) -> str:
    return visible(f": {fact['why']}") if fact.get("why") else ""
