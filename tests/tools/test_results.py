"""Pictures that a tool returns."""

import base64

import pytest

from conversations.tools.results import Image, Unsendable, content

PNG = b"\x89PNG" + bytes(20)


def test_a_picture_is_an_image_block() -> None:
    (block,) = content(Image(PNG))
    assert base64.b64decode(block["image"]["source"]["bytes"]) == PNG
    assert block["image"]["format"] == "png"


def test_a_list_with_a_picture_is_a_block_for_each_of_its_members() -> None:
    blocks = content(["Two of them:", Image(PNG), Image(b"x", "jpeg"), {"more": 1}])
    assert [next(iter(block)) for block in blocks] == ["text", "image", "image", "json"]


@pytest.mark.parametrize("data", [b"", bytes(3_750_001)], ids=["empty", "large"])
def test_a_picture_that_no_model_takes_is_not_sent(data: bytes) -> None:
    with pytest.raises(Unsendable):
        content(Image(data))
