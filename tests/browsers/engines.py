"""Chromium, Firefox and WebKit, each started without a window of its own and driven by Selenium."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium.webdriver import Chrome, ChromeOptions, ChromeService, FirefoxOptions, Remote
from selenium.webdriver import WebKitGTKOptions as WebKitOptions
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.webkitgtk.service import Service as WebKitService

from tests.browsers.marionette import Marionette

CHROMIUM_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
)
FIREFOX_PREFERENCES = {
    "marionette.port": 0,  # any that is free
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "app.normandy.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
}
MINI_BROWSERS = Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser")
SCREEN = "1400x1000x24"


class Missing(Exception):
    """A program that is not installed, and the Debian package that has it."""


def program(package: str, *names: str) -> str:
    """The path of the first of these programs that there is."""
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        raise Missing(f"there is no {names[0]}: install the package {package}")
    return path


@contextmanager
def ending(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Kills a process at the end."""
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextmanager
def chromium() -> Iterator[Remote]:
    """Debian's Chromium, by chromedriver."""
    options = ChromeOptions()
    options.binary_location = program("chromium", "chromium", "chromium-browser", "google-chrome")
    for flag in CHROMIUM_FLAGS:
        options.add_argument(flag)
    driver = Chrome(options=options, service=ChromeService(program("chromium-driver", "chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


@contextmanager
def firefox() -> Iterator[Remote]:
    """Debian's Firefox, by Marionette."""
    path = program("firefox-esr", "firefox-esr")
    with TemporaryDirectory(prefix="turntable-firefox-", ignore_cleanup_errors=True) as profile:
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in FIREFOX_PREFERENCES.items()
        ]
        Path(profile, "user.js").write_text("".join(lines))
        command = [path, "--headless", "--marionette", "--no-remote", "--profile", profile]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with ending(process):
            port = int(_awaited(Path(profile, "MarionetteActivePort")))
            connection = Marionette(port)
            yield Remote(command_executor=connection, options=FirefoxOptions())  # type: ignore[arg-type]
            connection.close()


@contextmanager
def webkit() -> Iterator[Remote]:
    """Debian's WebKitGTK, by its own driver, on a display of its own: it knows no other way."""
    driver_path = program("webkit2gtk-driver", "WebKitWebDriver")
    options = WebKitOptions()
    browser = next(MINI_BROWSERS, None)
    if browser is None:
        raise Missing("there is no MiniBrowser: install the package webkit2gtk-driver")
    options.binary_location = str(browser)
    options.add_argument("--automation")
    with display() as name:
        service = WebKitService(driver_path, env=os.environ | {"DISPLAY": name, "GDK_BACKEND": "x11"})
        service.start()
        try:
            address = ClientConfig(remote_server_addr=service.service_url)
            driver = Remote(RemoteConnection(client_config=address), options=options)
            yield driver
            driver.quit()
        finally:
            service.stop()


@contextmanager
def display() -> Iterator[str]:
    """The name of an X display that nobody sees, the first that is free."""
    ours, its = os.pipe()
    command = [program("xvfb", "Xvfb"), "-displayfd", str(its), "-screen", "0", SCREEN, "-nolisten", "tcp"]
    process = subprocess.Popen(command, pass_fds=[its], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(its)
    with ending(process), os.fdopen(ours) as lines:
        yield f":{lines.readline().strip()}"


ENGINES: dict[str, Callable[[], AbstractContextManager[Remote]]] = {
    "chromium": chromium,
    "firefox": firefox,
    "webkit": webkit,
}


def _awaited(path: Path) -> str:
    """What a file holds, as soon as it does."""
    deadline = time.monotonic() + 60
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline, f"{path.name} has not come"
        time.sleep(0.02)
    return path.read_text()
