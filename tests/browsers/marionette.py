"""Firefox's remote protocol Marionette under Selenium, since Debian has no geckodriver."""

import json
import socket
from typing import Any

from selenium.webdriver.remote.command import Command

COMMANDS = {
    Command.NEW_SESSION: "NewSession",
    Command.QUIT: "DeleteSession",
    Command.GET: "Navigate",
    Command.REFRESH: "Refresh",
    Command.GET_CURRENT_URL: "GetCurrentURL",
    Command.ADD_COOKIE: "AddCookie",
    Command.FIND_ELEMENTS: "FindElements",
    Command.CLICK_ELEMENT: "ElementClick",
    Command.SEND_KEYS_TO_ELEMENT: "ElementSendKeys",
    Command.W3C_EXECUTE_SCRIPT: "ExecuteScript",
    Command.SCREENSHOT: "TakeScreenshot",
    Command.SET_WINDOW_RECT: "SetWindowRect",
}
DEFAULTS = {Command.SCREENSHOT: {"full": False}}
PATIENCE = 60  # seconds, as a guard against hanging


class Marionette:
    """Carries out Selenium's commands; both speak of the same parameters and results, those of WebDriver."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._stream = self._socket.makefile("rwb")
        self._count = 0
        self._read()  # its greeting

    def execute(self, command: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """The answer to a command, as Selenium expects it."""
        self._count += 1
        request = [
            0,
            self._count,
            f"WebDriver:{COMMANDS[command]}",
            DEFAULTS.get(command, {}) | parameters,
        ]
        data = json.dumps(request).encode()
        self._stream.write(b"%d:%s" % (len(data), data))
        self._stream.flush()
        _, _, error, result = self._read()
        if error:
            return {"status": error["error"], "value": error}
        return result if isinstance(result, dict) and "value" in result else {"value": result}

    def _read(self) -> Any:
        length = b""
        while (digit := self._stream.read(1)) != b":":
            if not digit:
                raise ConnectionError("Firefox has closed its connection.")
            length += digit
        return json.loads(self._stream.read(int(length)))

    def close(self) -> None:
        self._stream.close()
        self._socket.close()
