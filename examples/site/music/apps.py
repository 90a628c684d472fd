import logging

from django.apps import AppConfig


class MusicConfig(AppConfig):
    name = "music"

    def ready(self):
        from conversations.signals import turn_ended

        turn_ended.connect(log_turn)


def log_turn(turn, **facts):
    logging.getLogger(__name__).warning("Turn %s of %s is %s", turn.number, turn.user, turn.status)
