"""A question's schema as a form, and what was sent in the form as an answer."""

from typing import Any

from django.http import QueryDict

from conversations.web.questions import fields_of, payload_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "title": "Your name", "description": "As on air", "minLength": 2},
        "mail": {"type": "string", "format": "email"},
        "age": {"type": "integer", "minimum": 0, "default": 30},
        "live": {"type": "boolean", "default": True},
        "sign": {
            "type": "string",
            "enum": ["WKRP", "WZPZ"],
            "enumNames": ["Cincinnati", "Zanesville"],
            "default": "WZPZ",
        },
        "kind": {"type": "string", "oneOf": [{"const": "r", "title": "Rock"}, {"const": "j"}]},
        "days": {"type": "array", "items": {"type": "string", "enum": ["Mon", "Tue"]}},
    },
    "required": ["name"],
}


def test_each_property_is_a_field_of_its_kind_with_its_default() -> None:
    fields = {field.name: field for field in fields_of(SCHEMA)}
    assert [(field.kind, field.input_type, field.value) for field in fields.values()] == [
        ("text", "text", ""),
        ("text", "email", ""),
        ("text", "number", "30"),
        ("checkbox", "text", "on"),
        ("select", "text", "WZPZ"),
        ("select", "text", ""),
        ("several", "text", ""),
    ]
    assert (fields["name"].label, fields["name"].hint, fields["name"].is_required) == (
        "Your name",
        "As on air",
        True,
    )
    assert (fields["name"].attributes, fields["age"].attributes) == ({"minlength": 2}, {"min": 0})
    assert [(one.value, one.label, one.is_chosen) for one in fields["sign"].choices] == [
        ("WKRP", "Cincinnati", False),
        ("WZPZ", "Zanesville", True),
    ]
    assert [one.label for one in fields["kind"].choices] == ["Rock", "j"]


def test_what_was_sent_becomes_an_answer_without_what_was_left_blank() -> None:
    sent = QueryDict("field-name=Les&field-mail=&field-age=41&field-sign=WKRP&field-days=Mon&field-days=Tue")
    assert payload_of(SCHEMA, sent) == {
        "name": "Les",
        "age": 41,
        "live": False,
        "sign": "WKRP",
        "days": ["Mon", "Tue"],
    }
    assert payload_of(SCHEMA, QueryDict("field-age=old&field-live=on"))["age"] == "old"


def test_a_refused_form_keeps_what_was_sent() -> None:
    fields = {field.name: field for field in fields_of(SCHEMA, QueryDict("field-age=old"))}
    assert [fields[name].value for name in ("name", "age", "live", "sign")] == ["", "old", "", ""]


def test_a_schema_of_odd_parts_is_a_form_all_the_same() -> None:
    odd = {"properties": {"a": 3, "b": {"enum": 3, "default": [1]}}, "required": 3}
    assert [(field.name, field.kind) for field in fields_of(odd)] == [("b", "select")]
