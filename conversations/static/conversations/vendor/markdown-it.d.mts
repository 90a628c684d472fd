/** What is used of markdown-it. */

export type Token = {
  type: string;
  tag: string;
  nesting: -1 | 0 | 1;
  level: number;
  content: string;
  markup: string;
  /** the lines of a block: the first, and the one behind the last */
  map: [number, number] | null;
  children: Token[] | null;
  hidden: boolean;
  attrGet(name: string): string | null;
};

type State<Environment> = { src: string; md: MarkdownIt<Environment>; env: Environment; tokens: Token[] };

export type CoreState<Environment> = State<Environment> & {
  Token: new (type: string, tag: string, nesting: Token["nesting"]) => Token;
};

export type BlockState<Environment> = State<Environment> & {
  line: number;
  lineMax: number;
  blkIndent: number;
  parentType: string;
  /** of each line: where it begins and ends, the characters of its indent, and its columns */
  bMarks: number[];
  eMarks: number[];
  tShift: number[];
  sCount: number[];
  isEmpty(line: number): boolean;
  getLines(begin: number, end: number, indent: number, keepLastEnd: boolean): string;
  push(type: string, tag: string, nesting: Token["nesting"]): Token;
};

export type Delimiter = { marker: number; token: number; end: number; open: boolean; close: boolean };

export type InlineState<Environment> = State<Environment> & {
  pos: number;
  posMax: number;
  pending: string;
  delimiters: Delimiter[];
  push(type: string, tag: string, nesting: Token["nesting"]): Token;
};

export type BlockRule<Environment> = (state: BlockState<Environment>, begin: number, end: number, silent: boolean) => boolean;
export type InlineRule<Environment> = (state: InlineState<Environment>, silent: boolean) => boolean;
export type RenderRule = (tokens: Token[], index: number) => string;

type Ruler<Rule> = {
  before(other: string, name: string, rule: Rule, options?: { alt: string[] }): void;
  after(other: string, name: string, rule: Rule, options?: { alt: string[] }): void;
  getRules(chain: string): Rule[];
};

declare class MarkdownIt<Environment = object> {
  constructor(options: object);
  options: object;
  core: { ruler: Ruler<(state: CoreState<Environment>) => void> };
  block: {
    ruler: Ruler<BlockRule<Environment>>;
    parse(source: string, markdown: MarkdownIt<Environment>, environment: Environment, tokens: Token[]): void;
  };
  inline: {
    ruler: Ruler<InlineRule<Environment>>;
    ruler2: Ruler<(state: InlineState<Environment>) => void>;
  };
  renderer: {
    rules: Record<string, RenderRule>;
    render(tokens: Token[], options: object, environment: Environment): string;
  };
  linkify: { set(options: object): void };
  helpers: { parseLinkLabel(state: InlineState<Environment>, begin: number): number };
  utils: { escapeHtml(text: string): string; normalizeReference(label: string): string };
  use<Options>(plugin: (markdown: MarkdownIt<Environment>, options?: Options) => void, options?: Options): this;
  parse(source: string, environment: Environment): Token[];
}
export default MarkdownIt;
