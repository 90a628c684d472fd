/**
 * Line breaks inside the cells of tables, which markdown can only write as HTML: a bare `<br>`, and no other tag.
 */

const BREAK = /<br[ \t]*\/?>/i;
const CELLS = new Set(["td_open", "th_open"]);

/**
 * Teaches a MarkdownIt that `<br>` ends a line in a cell. In code, or behind a backslash, it is text.
 * @param {MarkdownIt} markdown
 */
export function cellBreaks(markdown) {
  markdown.core.ruler.after("inline", "cell_breaks", ({ tokens, Token }) => {
    for (const [index, { children }] of tokens.entries())
      if (CELLS.has(tokens[index - 1]?.type))
        tokens[index].children = (children ?? []).flatMap((child) => linesOf(child, Token));
  });
}

/**
 * @param {Token} token
 * @param {CoreState["Token"]} Token
 */
function linesOf(token, Token) {
  if (token.type !== "text" || !BREAK.test(token.content)) return [token];
  return token.content.split(BREAK).flatMap((content, index) => {
    const line = Object.assign(new Token("text", "", 0), { level: token.level, content });
    return index ? [new Token("hardbreak", "br", 0), line] : [line];
  });
}
