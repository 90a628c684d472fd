"""The catalogue of models: what is offered, in which order, and what holds of a model."""

from decimal import Decimal
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from conversations.models import Model, forget_rows, learn

pytestmark = pytest.mark.django_db
PRICES = {kind: Decimal(3) for kind in ("input", "output", "cacheRead", "cacheWrite")}


@pytest.fixture(autouse=True)
def three_models(settings: Settings) -> None:
    settings.GATEWAY_MODELS = ["one", "two", "three"]
    settings.GATEWAY_PRICES = {"two": PRICES, "gone": PRICES}
    Model.make_rows()


def edit(model_id: str, **values: Any) -> None:
    row = Model.objects.get(model_id=model_id)
    for name, value in values.items():
        setattr(row, name, value)
    row.save()


def offered() -> list[str]:
    return [row.model_id for row in Model.offered()]


def test_each_model_that_the_settings_name_has_a_row_and_rows_stay_when_they_name_others(
    settings: Settings,
) -> None:
    edit("one", name="First")
    settings.GATEWAY_MODELS = ["four"]
    Model.make_rows()
    rows = dict(Model.objects.values_list("model_id", "name"))
    assert rows == {"one": "First", "two": "", "three": "", "gone": "", "four": ""}
    assert offered() == ["four"]


@pytest.mark.parametrize(
    ("positions", "order"),
    [
        ({}, ["one", "two", "three"]),
        ({"three": 1}, ["three", "one", "two"]),
        ({"one": 3}, ["two", "three", "one"]),
        ({"one": 2}, ["two", "one", "three"]),
        ({"one": 7, "two": 7, "three": 7}, ["three", "two", "one"]),
        ({"one": 3, "two": 2, "three": 1}, ["three", "two", "one"]),
    ],
)
def test_models_are_offered_in_the_order_of_the_setting_unless_staff_chose_another(
    positions: dict[str, int], order: list[str]
) -> None:
    for model_id, position in positions.items():
        edit(model_id, position=position)
    assert offered() == order


def test_a_model_that_is_not_enabled_is_not_offered() -> None:
    edit("two", enabled=False)
    assert offered() == ["one", "three"]


def test_a_model_without_a_row_is_what_its_id_says() -> None:
    model = Model.of("us.meta.llama3-1-70b-instruct-v1:0")
    assert (str(model), model.pk, model.prices) == ("us.meta.llama3-1-70b-instruct-v1:0", None, None)
    assert (model.capabilities.takes_tools_streaming, model.capabilities.context_window) == (False, 128_000)
    assert model.capabilities.most_output_tokens is None


def test_what_a_refusal_taught_comes_before_an_edit_and_that_before_the_id() -> None:
    claude = "anthropic.claude-3-haiku-20240307-v1:0"
    assert Model.of(claude).capabilities.most_output_tokens == 4_096
    Model.objects.create(model_id=claude, most_output_tokens=2_000, takes_pictures=False)
    assert Model.of(claude).capabilities.most_output_tokens == 2_000
    learn(claude, "The maximum is 1500.", most_output_tokens=1_500)
    assert Model.of(claude).capabilities.most_output_tokens == 1_500
    assert Model.of(claude).capabilities.takes_pictures is False


def test_a_fact_is_learned_once_with_its_time_and_cause() -> None:
    learn("one", "I take no pictures.", takes_pictures=False)
    first = Model.objects.get(model_id="one").learned
    learn("one", "No pictures!", takes_pictures=False)
    learn("one", "No tools.", takes_tools=False)
    learned = Model.objects.get(model_id="one").learned
    assert learned["takes_pictures"] == first["takes_pictures"]
    assert (first["takes_pictures"]["value"], first["takes_pictures"]["why"]) == (
        False,
        "I take no pictures.",
    )
    assert first["takes_pictures"]["at"].endswith("+00:00")
    assert list(learned) == ["takes_pictures", "takes_tools"]


def test_a_model_that_no_setting_names_can_teach_too_but_only_what_is_a_fact() -> None:
    learn("other", takes_system=False)
    assert Model.of("other").capabilities.takes_system is False
    with pytest.raises(TypeError):
        learn("other", takes_sugar=True)


def test_the_setting_seeds_the_prices_and_an_edit_wins() -> None:
    assert Model.of("two").prices == PRICES
    edit("two", output_price=Decimal("15.5"))
    assert Model.of("two").prices == PRICES | {"output": Decimal("15.5")}
    edit("one", input_price=Decimal(1))
    assert Model.of("one").prices is None
    edit("one", output_price=Decimal(2), cache_read_price=Decimal(0))
    assert Model.of("one").prices == {"input": 1, "output": 2, "cacheRead": 0, "cacheWrite": 1}


def test_a_process_reads_the_catalogue_once_in_two_seconds_and_then_sees_what_another_changed(
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("conversations.models.catalogue.FRESH_SECONDS", 2)
    monkeypatch.setattr("time.monotonic", lambda: now)
    now = 100.0
    forget_rows()
    with django_assert_num_queries(1):
        offered(), Model.of("one"), Model.of("another")
    Model.objects.filter(model_id="one").update(learned={"takes_tools": {"value": False}})
    assert Model.of("one").capabilities.takes_tools is None
    now = 102.0
    assert Model.of("one").capabilities.takes_tools is False
