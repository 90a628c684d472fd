"""Attacks where text is expected, and the attacker's server that they are meant to reach."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import expect

from tests.browser.chat import Chat

ELSEWHERE = "http://attacker.invalid"
MARKED = (
    f"![a picture]({ELSEWHERE}/1.png)",
    f"![by reference][x]\n\n[x]: {ELSEWHERE}/2.png",
    f"[![linked]({ELSEWHERE}/3.png)]({ELSEWHERE}/4)",
    "![inline](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9Im93bmVkPTEiLz4=)",
    "[click](javascript:window.owned=1)",
    "[click](JaVaScRiPt:window.owned=1)",
    "[click](&#106;avascript:window.owned=1)",
    "[click](data:text/html,<script>window.owned=1</script>)",
    "[click](vbscript:window.owned=1)",
    "[click](\x01javascript:window.owned=1)",
    "<javascript:window.owned=1>",
    f'[title]({ELSEWHERE} "x\\" onmouseover=window.owned=1 y=\\"")',
    '```x" onmouseover="window.owned=1\n<script>window.owned=1</script>\n```',
    "~~~<img src=x onerror=window.owned=1>\ncode\n~~~",
    "|a|\n|-|\n|<img src=x onerror=window.owned=1>|",
    f"<{ELSEWHERE}/21>",
    f"{ELSEWHERE}/22.png",
    f"![a](<{ELSEWHERE}/23.png> 'title')",
    f"![outer ![inner]({ELSEWHERE}/24.png)]({ELSEWHERE}/25.png)",
    f"[![x][y]][y]\n\n[y]: <{ELSEWHERE}/26.svg>",
    "[click](data:text/html;base64,PHNjcmlwdD53aW5kb3cub3duZWQ9MTwvc2NyaXB0Pg==)",
    "[click](java\tscript:window.owned=1)",
    "[click](&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74:window.owned=1)",
    "[click][j]\n\n[j]: javascript:window.owned=1",
    f"[click](//{ELSEWHERE.partition('//')[2]}/27)",
    "[click](file:///etc/passwd)",
    "[click](blob:http://127.0.0.1/x)",
    f"[id](#transcript)<a id=transcript name=getElementById href={ELSEWHERE}/28>",
    "`<img src=x onerror=window.owned=1>` ``<svg onload=window.owned=1>``",
    "- [ ] <input type=image src=x onerror=window.owned=1>",
    "[^1]: <script>window.owned=1</script>",
    "$\\href{javascript:window.owned=1}{x}$ $$\\unicode{<img src=x onerror=window.owned=1>}$$",
    "\x1b]8;;javascript:window.owned=1\x07click\x1b]8;;\x07 \x1b[31mred\x1b[2J",
    "[\u202eknil](https://honest.example/\u2066x)",
)
RAW = (
    "<script>window.owned=1</script>",
    f"<script src={ELSEWHERE}/5.js></script>",
    "<img src=x onerror=window.owned=1>",
    f"<img src={ELSEWHERE}/6.png srcset='{ELSEWHERE}/7.png 2x'>",
    "<svg onload=window.owned=1>",
    "<svg><script>window.owned=1</script></svg>",
    f"<svg><image href={ELSEWHERE}/8.png /></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=window.owned=1>",
    f"<iframe src={ELSEWHERE}/9></iframe>",
    "<iframe srcdoc='<script>parent.owned=1</script>'></iframe>",
    f"<object data={ELSEWHERE}/10></object>",
    f"<embed src={ELSEWHERE}/11>",
    f"<link rel=stylesheet href={ELSEWHERE}/12.css>",
    f"<style>@import '{ELSEWHERE}/13.css'; * {{ display: none }}</style>",
    f"<div style='background: url({ELSEWHERE}/14.png); position: fixed; inset: 0'>cover</div>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}/15'>",
    f"<base href={ELSEWHERE}/>",
    f"<form action={ELSEWHERE}/16><input name=password autofocus onfocus=window.owned=1></form>",
    f"<video src={ELSEWHERE}/17.mp4 autoplay poster={ELSEWHERE}/18.png onerror=window.owned=1></video>",
    f"<audio src={ELSEWHERE}/19.mp3 autoplay onerror=window.owned=1></audio>",
    "<details open ontoggle=window.owned=1>",
    "<body onload=window.owned=1>",
    f"<a href={ELSEWHERE} ping={ELSEWHERE}/20 target=_top>link</a>",
    "<a href=javascript:window.owned=1>link</a>",
    "<template><script>window.owned=1</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=window.owned=1>'>",
    "<div id=transcript></div><img name=getElementById>",
    "</textarea><script>window.owned=1</script>",
    f"<link rel=prefetch href={ELSEWHERE}/30><link rel=dns-prefetch href={ELSEWHERE}/31>",
    f"<link rel=preload as=image href={ELSEWHERE}/32 imagesrcset='{ELSEWHERE}/33 2x'>",
    f"<link rel=modulepreload href={ELSEWHERE}/34.js><link rel=manifest href={ELSEWHERE}/35>",
    f"<picture><source srcset={ELSEWHERE}/36><img src={ELSEWHERE}/37 loading=eager></picture>",
    f"<style>@font-face {{ font-family: x; src: url({ELSEWHERE}/38) }} body {{ font-family: x }}</style>",
    f"<table background={ELSEWHERE}/39><td background={ELSEWHERE}/40>",
    f"<input type=image src={ELSEWHERE}/41><button formaction={ELSEWHERE}/42>go</button>",
    "<math href='javascript:window.owned=1'><maction actiontype=statusline>x</maction></math>",
    "<svg><animate onbegin=window.owned=1 attributeName=x dur=1s></svg>",
    "<svg><a xlink:href='javascript:window.owned=1'><text y=20>click</text></a></svg>",
    f"<svg><use href={ELSEWHERE}/43.svg#x></svg><svg><feImage href={ELSEWHERE}/44 /></svg>",
    f"<xml src={ELSEWHERE}/45></xml><applet code={ELSEWHERE}/46></applet><frameset><frame src={ELSEWHERE}/47>",
    "<img src=x:x onerror&#61;window.owned=1><img src=`x` onerror=window.owned=1>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=window.owned=1>",
    "<svg></p><style><a id='</style><img src=1 onerror=window.owned=1>'>",
    "<math><annotation-xml encoding='text/html'><style><!--</style><img title='--><img src onerror=window.owned=1>'>",
    "<noembed><img title='</noembed><img src onerror=window.owned=1>'></noembed>",
    "<select><template shadowrootmode=open><slot onslotchange=window.owned=1></slot></template></select>",
    "<form id=conversation><input name=dataset><input name=attributes><input id=composer name=nodeName></form>",
    "<img name=body><img name=currentScript><a id=location href=x>",
    "<b><i><u></b></i></u><div><div><div><p><table><tr><td><script>window.owned=1</script>",
    "<scr<script>ipt>window.owned=1</scr</script>ipt>",
    "<![CDATA[<script>window.owned=1</script>]]><?xml-stylesheet href='x'?><!--><script>window.owned=1</script-->",
    "&lt;script&gt;window.owned=1&lt;/script&gt; &#60;img src=x onerror=window.owned=1&#62;",
    "</title></style></script></pre></article></template>--><script>window.owned=1</script>",
    "{{ constructor.constructor('window.owned=1')() }} ${window.owned=1} {% load x %}",
)


class Attacker:
    """A server on loopback, and the paths of the requests to it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.paths: list[str] = []

    def aimed(self, attack: str) -> str:
        """The attack, at this server."""
        return attack.replace(ELSEWHERE, self.url).replace(
            ELSEWHERE.partition("//")[2], self.url.partition("//")[2]
        )


@contextmanager
def attacking() -> Iterator[Attacker]:
    """An attacker's server, which answers everything with a script."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            attacker.paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/javascript")
            self.end_headers()
            self.wfile.write(b"window.owned = 1")

        do_POST = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 (the names that the standard library calls)

        def log_message(self, format: str, *args: object) -> None: ...  # noqa: A002

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        attacker = Attacker(server.server_port)
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        yield attacker
        server.shutdown()


OUR_OWN = "[href^='/conversations/'][href*='/replay/#turn-']"
LIVE_IN_ADMIN = "#content :is(img[src=x], svg:not(.legend svg, .chart svg), math, iframe, object, embed, style, meta, base, video, audio)"
OF_FORMULAS = ":is(.katex, .katex *)"  # what KaTeX makes has styles, MathML, and drawings
OF_THE_PAGE = "button > svg, .tool-state > svg.mark, .tool-state > .mark path, .lane"
LIVE = (
    "script, img, image, iframe, object, embed, link, style, meta, base, form, input, video, audio, "
    f":is(svg, math, [style]):not({OF_FORMULAS}, {OF_THE_PAGE})"
)

LINKS = "links => links.map((link) => ['href', 'rel', 'target'].map((name) => link.getAttribute(name)))"
SHEETS_OF_THE_HEAD_ALONE = (
    "document.styleSheets.length === document.head.querySelectorAll('link[rel=stylesheet]').length"
)


def check_nothing_lives(chat: Chat) -> None:
    """Checks that no element of the transcript loads or runs anything, and that nothing has run."""
    page = chat.page
    chat.drawn()
    assert page.evaluate("window.owned") is None
    chat.until(lambda: page.evaluate(SHEETS_OF_THE_HEAD_ALONE))
    expect(chat.log.locator(LIVE)).to_have_count(0)
    for href, rel, target in chat.log.locator(f"a:not({OUR_OWN})").evaluate_all(LINKS):
        assert href is None or re.match(r"(https?|mailto):", href)
        assert href is None or (rel, target) == ("noopener noreferrer nofollow", "_blank")
    handlers = """Array.from(document.querySelectorAll("#transcript *")).flatMap(
        (element) => element.getAttributeNames().filter((name) => name.startsWith("on")))"""
    assert page.evaluate(handlers) == []
