"""Texts that a user keeps: prompts, and presets of instructions."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models


class Prompt(models.Model):
    """A text that a user keeps to write again, by `/name`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="prompts")
    name = models.CharField(
        max_length=32,
        validators=[RegexValidator(r"^[\w-]+\Z", "A name has letters, digits, - and _ only.")],
    )
    text = models.TextField()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "name"], name="one_prompt_a_name")]

    def __str__(self) -> str:
        return f"/{self.name}"


class Preset(models.Model):
    """Instructions that a user keeps, to be chosen in any conversation."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="presets")
    name = models.CharField(max_length=60)
    text = models.TextField()

    class Meta:
        ordering: ClassVar = ["name"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["user", "name"], name="one_preset_a_name")]

    def __str__(self) -> str:
        return self.name
