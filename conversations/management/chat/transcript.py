"""A session as plain text, for a pipe or a plain terminal."""

from django.core.management.base import OutputWrapper

from conversations.management.terminal import ENDINGS, Event, Printer, printable


class Transcript(Printer):
    """Prints events as plain text, without a control sequence."""

    def __init__(self, out: OutputWrapper, err: OutputWrapper) -> None:
        super().__init__(out)
        self._err = err
        self.own: set[str] = set()
        """The ids of the messages that were written here."""

        self.calls: list[str] = []
        """The ids of the calls that were shown, in order."""

    def show(self, event: Event) -> None:
        """Prints an event."""
        match event["type"]:
            case "RUN_FINISHED":
                self.end_line()
                if event.get("outcome", {}).get("type") == "cancelled":
                    self.line(ENDINGS["cancelled"])
            case "RUN_ERROR":
                self.error(event["message"])
            case _:
                super().show(event)

    def note(self, text: str) -> None:
        """Prints lines of the program's own."""
        self.line(text)

    def plain(self, text: str) -> None:
        """Prints a text as it is."""
        self.line(text)

    def error(self, text: str) -> None:
        """Prints an error."""
        self.end_line()
        self._err.write(f"A client error occurred: {printable(text)}")
        self._err.flush()

    def question(self, name: str, arguments: str, choices: str) -> str:
        """The prompt for a decision about a call."""
        self.end_line()
        return f"[{printable(name)} {printable(arguments)} waits for your approval. Run it? {choices}] "

    def _message(self, event: Event) -> None:
        if event.get("role") == "assistant":
            super()._message(event)
        elif event["messageId"] not in self.own:
            self._texts[event["messageId"]] = None
            self.end_line()
            self._write("> ")

    def _text_end(self, event: Event) -> None:
        super()._text_end(event)
        self.end_line()

    def _result(self, event: Event) -> None:
        super()._result(event)
        self.calls.append(event["toolCallId"])
