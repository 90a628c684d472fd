import assert from "node:assert/strict";
import { test } from "node:test";
import "./browser.js";
import { htmlOf } from "../../conversations/static/conversations/text/markdown.js";

const formulas = (source) =>
  Array.from(htmlOf(source).matchAll(/<span class="math[^"]*">(.*?)<\/span>/gs), ([, text]) => text);

const FORMULAS = {
  "質量は$m$、速度は$v$である": ["$m$", "$v$"],
  "设$x$为实数，则\\(x^2\\)非负。": ["$x$", "\\(x^2\\)"],
  "값은 $x$입니다, 즉 $y$가": ["$x$", "$y$"],
  "ค่า$x$คือ ו$y$ و$z$": ["$x$", "$y$", "$z$"],
  "масса$m$и скорость $v$": ["$m$", "$v$"],
  "the $n$th of $k$s, H$_2$O, CO$_2$, 10$^{-3}$ m$^2$/s and 5 $\\mu$m": [
    "$n$",
    "$k$",
    "$_2$",
    "$_2$",
    "$^{-3}$",
    "$^2$",
    "$\\mu$",
  ],
  "($x$) “$y$” $a$-$b$, $c$: $d$; $e$.": ["$x$", "$y$", "$a$", "$b$", "$c$", "$d$", "$e$"],
  "$10$ or $2x + 3$ or $10^3$ or $1, 2, 3$ or $5 \\text{ to } 6$": [
    "$10$",
    "$2x + 3$",
    "$10^3$",
    "$1, 2, 3$",
    "$5 \\text{ to } 6$",
  ],
  "$force = mass \\cdot acceleration$ and $\\iint f(x, y)\\,dx dy$": [
    "$force = mass \\cdot acceleration$",
    "$\\iint f(x, y)\\,dx dy$",
  ],
  "$\\text{`a'}$ and $x$": ["$\\text{`a'}$", "$x$"],
  "So \\(n\\) or (\\(k\\)), and \\[ x = 1 \\] too": ["\\(n\\)", "\\(k\\)", "\\[ x = 1 \\]"],
  "In line $$E = mc^2$$ and $$x$$.": ["$$E = mc^2$$", "$$x$$"],
  "\\(a\\)/\\(b\\) and \\(a\\)\\(b\\)": ["\\(a\\)", "\\(b\\)", "\\(a\\)", "\\(b\\)"],
};

const TEXTS = [
  "costs $5; run `echo x$` now",
  "costs $5; run ``echo ` x$`` now",
  "set $HOME/$(whoami)",
  "set $HOME/\u0024{USER}, \u0024{A}-\u0024{B}, $A:$B and $(pwd)/$(date)",
  "PATH=$HOME/bin:$PATH",
  "It is $10, 20 EUR or 15$.",
  "It is $5 or 6$, between $5 a 6$, $1.50 to 2$ or $10 und 12$.",
  "价格是$10还是20$，从$5到6$。",
  "It costs $5 and $6, or US$7 to US$8, or $9/$10, or 5$ and 6$.",
  "Set $HOME or the like, it costs 5$.",
  "Set $MY_HOME and the rest for 5$.",
  "kill $$ or echo $$; from $$ to $$$",
  "`$x$` and \\$y\\$ and $ z $ and $x\u00a0$",
  "C:\\[temp\\]",
  "D:\\data\\[2024\\]\\(old\\)\\file.txt",
  "C:\\Program Files \\(x86\\)\\App and %TEMP%\\[a\\]",
  "..\\[a\\] and \\\\server\\[share\\]",
  "find . \\( -name x -o -name y \\) and s/\\(a\\)\\(b\\)/",
  "\\[citation needed\\] and \\[text\\](https://a.example)",
  "`a` $5 `b` 6$ `c`",
  "cost($)/price($), in $/kg and €/$, '$' or '$'",
  "$a$b$c and \\\\one\\c$\\docs\\d$\\x",
  "$$$$ and \\( \\) and \\[ \\]",
  "\\[1\\] Handbook, p. 3; Dear \\[Name\\], \\[not a formula\\]",
  "grep '\\(a\\|b\\)' names",
  "\\[citation needed\\]",
];

test("formulas are found beside the letters of any script, brackets and signs", () => {
  for (const [source, expected] of Object.entries(FORMULAS))
    assert.deepEqual(formulas(source), expected, source);
});

test("prices, paths and shell are no formulas", () => {
  for (const source of TEXTS) assert.deepEqual(formulas(source), [], source);
});

test("code keeps what stands in it, whatever stands before", () => {
  assert.match(htmlOf("costs $5; run `echo x$` now"), /costs \$5; run <code>echo x\$<\/code> now/);
});

test("no length of dollars, backslashes or backticks takes its square in time", () => {
  const begin = performance.now();
  for (const part of ["$", "$a", "$a`", "\\(", "`$``$```$", "$a `b` c$ ", "\\[a\\]"])
    htmlOf(part.repeat(8_000 / part.length));
  assert.ok(performance.now() - begin < 5_000);
});
