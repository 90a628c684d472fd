"""A site with a tool that needs approval, whose pages collect their own errors for every browser."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers import Server, serving, site

SETTINGS = """
from project.settings import *
INSTALLED_APPS = [*INSTALLED_APPS, "watching"]
MIDDLEWARE = [*MIDDLEWARE, "watching.middleware.watched"]
"""
TOOLS = '''
from conversations.tools import tool

@tool(approval=True)
def delete_file(path: str) -> dict[str, str]:
    """Delete a file."""
    return {"deleted": path}
'''
# Scripts that fail, promises that nobody catches, files that do not load, and breaches of the policy.
SCRIPT = """
const keep = (fault) => sessionStorage.setItem("faults", (sessionStorage.getItem("faults") ?? "") + fault + "\\n");
addEventListener("error", ({message, filename, lineno, target}) =>
    keep(message ? `${message} (${filename}:${lineno})` : `not loaded: ${target.src ?? target.href}`), true);
addEventListener("unhandledrejection", ({reason}) => keep(`unhandled: ${reason}`));
addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI, sourceFile, lineNumber}) =>
    keep(`${violatedDirective}: ${blockedURI} (${sourceFile}:${lineNumber})`));
const {error} = console;
console.error = (...values) => { keep(values.join(" ")); error(...values); };
"""
MIDDLEWARE = """
from pathlib import Path

from django.http import HttpResponse

SCRIPT = Path(__file__).with_name("watch.js").read_text()

def watched(answer):
    def middleware(request):
        if request.path == "/watch.js":
            return HttpResponse(SCRIPT, content_type="text/javascript")
        response = answer(request)
        if response.get("Content-Type", "").startswith("text/html") and not response.streaming:
            response.content = response.content.replace(b"<head>", b'<head><script src="/watch.js"></script>', 1)
        return response
    return middleware
"""


@contextmanager
def watched_site(folder: Path, gateway: str) -> Iterator[Server]:
    """A server whose app `watching` has the tool and the middleware."""
    app = folder / "watching"
    app.mkdir()
    (app / "__init__.py").touch()
    (app / "tools.py").write_text(TOOLS)
    (app / "watch.js").write_text(SCRIPT)
    (app / "middleware.py").write_text(MIDDLEWARE)
    (folder / "watching_settings.py").write_text(SETTINGS)
    variables = {
        "DJANGO_SETTINGS_MODULE": "watching_settings",
        "PYTHONPATH": str(folder),
        "GATEWAY_URL": gateway,
        "USER_TURNS_PER_MINUTE": "0",
    }
    with serving(site(folder, **variables)) as running:
        yield running
