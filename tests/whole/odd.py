"""Frames of every wrong shape, chosen at random from a seed."""

import json
import random
import struct
from typing import Any, NamedTuple
from uuid import UUID

NASTY = ["", " ", "\0", "\ud800", "\udfff\ud800", "\u202e\u2066", "é", "😀", "a" * 300, "__proto__", "../../etc/passwd",
         "<script>", "%00", "{user}", "NaN", "-1", "1e999", "\r\n\r\n", "\x7f\x80", "\ufeff", "\u2028"]  # fmt: skip
NUMBERS = [0, -1, 1, 2**31, 2**63, -(2**64), 10**400, 1.5, -0.0, 1e308, float("nan"), float("inf")]


class Odd(NamedTuple):
    """A frame, and whether it has to be refused (None: perhaps)."""

    text: str | None
    data: bytes | None
    refused: bool | None


class Frames:
    """A source of wrong frames that says the same again for the same seed."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def frame(self) -> Odd:
        """The next one."""
        cheap = [
            self.no_json,
            self.cut,
            self.no_object,
            self.binary,
            self.unknown,
            self.bad_ack,
            self.ack,
            self.deep,
        ]
        return self.chance.choice([*cheap, *cheap, self.message, self.later])()

    def value(self, depth: int = 0) -> Any:
        """Any JSON value."""
        makers = [
            lambda: self.chance.choice(NASTY), lambda: self.chance.choice(NUMBERS), lambda: None, lambda: True,
            lambda: "".join(chr(self.chance.randrange(0x3000)) for _ in range(self.chance.randrange(20))),
        ]  # fmt: skip
        if depth < 4:
            makers += [
                lambda: [self.value(depth + 1) for _ in range(self.chance.randrange(4))],
                lambda: {
                    self.chance.choice(NASTY): self.value(depth + 1) for _ in range(self.chance.randrange(4))
                },
            ]
        return self.chance.choice(makers)()

    def no_json(self) -> Odd:
        return Odd(self.chance.choice(NASTY) + self.chance.choice(["", "}", "{", "'", ",", "\\"]), None, True)

    def cut(self) -> Odd:
        whole = json.dumps({"type": "message", "id": str(self.uuid()), "text": self.value()})
        at = self.chance.randrange(len(whole) - 1)
        return Odd(whole[:at] + self.chance.choice(["", "\0", "]"]), None, True)

    def no_object(self) -> Odd:
        value = self.value()
        return Odd(json.dumps(value if not isinstance(value, dict) else [value]), None, True)

    def binary(self) -> Odd:
        return Odd(None, self.chance.randbytes(self.chance.randrange(1, 200)), True)

    def unknown(self) -> Odd:
        kind = self.chance.choice(
            [self.value(), "Message", "message ", "_message", "COMMANDS", "close", "websocket.close"]
        )
        return Odd(json.dumps({"type": kind, "id": self.value(), "text": self.value()}), None, True)

    def message(self) -> Odd:
        """A message without a good id, or with a text that is none."""
        if self.chance.random() < 0.5:
            good_text = {
                "id": self.chance.choice([self.value(), str(self.uuid())[:-1], "{" + str(self.uuid())]),
                "text": "hi",
            }
            return Odd(json.dumps({"type": "message"} | good_text), None, True)
        text = self.chance.choice([None, "", " \n", 7, ["hi"], {"text": "hi"}, "\u00a0", True])
        return Odd(
            json.dumps({"type": "message", "id": str(self.uuid()), "text": text, "more": self.value()}),
            None,
            True,
        )

    def bad_ack(self) -> Odd:
        seq = self.chance.choice([None, "1", 1.0, True, [], {}, float("nan")])
        return Odd(json.dumps({"type": "ack", "seq": seq, "more": self.value()}), None, True)

    def ack(self) -> Odd:
        """An acknowledgement of nothing, or of what was never sent."""
        seq = self.chance.choice([-1, 0, 2**63, -(2**70), 10**300])
        return Odd(json.dumps({"type": "ack", "seq": seq}), None, seq != 0)

    def later(self) -> Odd:
        """Commands that mean something only where there is an answer; here there is none."""
        kind = self.chance.choice(["regenerate", "edit", "resume", "stop"])
        odd = {name: self.value() for name in ("id", "message", "resume")}
        return Odd(json.dumps({"type": kind, "text": " "} | odd), None, None)

    def deep(self) -> Odd:
        depth = self.chance.choice([50, 1_000, 20_000])
        text = self.chance.choice(["[" * depth, '{"a":' * depth, "[" * depth + "]" * depth, "9" * depth * 5])
        return Odd(text, None, True)

    def uuid(self) -> UUID:
        return UUID(int=self.chance.getrandbits(128))


def masked(first: int, payload: bytes, length: bytes = b"") -> bytes:
    """A websocket frame with this first byte, and with this length in place of the payload's own."""
    stated = length or (
        bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
    )
    return bytes([first]) + stated + b"\0\0\0\0" + payload
