"""Files go with their rows, rows with their conversation, and unsent ones after a day."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from conversations.engine import lifecycle
from conversations.engine.messages import NewMessage
from conversations.models import Attachment, Conversation, delete_unsent, retention
from tests.files import attached
from tests.turns import conversation_of

pytestmark = pytest.mark.django_db(transaction=True)


def stored(folder: Path, file: Attachment) -> int:
    return len(list(folder.glob(f"*/{file.pk.hex}*")))


def test_files_go_with_their_conversation(
    user: User, conversation: Conversation, attachments_folder: Path
) -> None:
    file, other = attached(conversation), attached(conversation_of(user))
    assert stored(attachments_folder, file) == 3
    conversation.delete()
    assert (stored(attachments_folder, file), stored(attachments_folder, other)) == (0, 3)
    assert Attachment.objects.get() == other


def test_files_stay_where_the_deletion_of_their_rows_fails(
    conversation: Conversation, attachments_folder: Path
) -> None:
    file = attached(conversation)
    with transaction.atomic():
        conversation.delete()
        transaction.set_rollback(True)
    assert stored(attachments_folder, file) == 3


def test_what_is_pruned_is_counted(conversation: Conversation) -> None:
    attached(conversation)
    Conversation.objects.update(updated_at=timezone.now() - timedelta(days=100))
    assert retention.count(timezone.now())["attached files"] == 1


def test_what_was_never_sent_goes_after_a_day(conversation: Conversation, attachments_folder: Path) -> None:
    sent, withdrawn, unsent, young = (attached(conversation) for _ in range(4))
    for file in (sent, withdrawn):
        message = NewMessage(id_ := uuid4(), "hello", files=(file.pk,))
        lifecycle.accept(conversation.pk, message, at_once=False)
    lifecycle.withdraw(conversation, id_)
    Attachment.objects.exclude(pk=young.pk).update(created_at=timezone.now() - timedelta(days=2))
    assert delete_unsent(timezone.now() - timedelta(days=1)) == 2
    assert set(Attachment.objects.all()) == {sent, young}
    assert [stored(attachments_folder, file) for file in (sent, withdrawn, unsent, young)] == [3, 0, 0, 3]
