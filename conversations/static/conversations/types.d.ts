/** What passes the seams of the pages: events in, frames out, and the state that views are drawn from. For `make check` alone. */

// -- events, as AG-UI 1.0 has them

type Usage = {
  inputTokens?: number;
  outputTokens?: number;
  cacheReadInputTokens?: number;
  cacheWriteInputTokens?: number;
};

/** Tokens by model. */
type Totals = Record<string, Usage & { rounds?: number; unreported?: number }>;

type Interrupt = { id: string; message?: string; toolCallId?: string; expiresAt?: string; metadata?: { always?: "tool" }; reason?: string; responseSchema?: object; decided?: boolean };

type Outcome = { type: string; interrupts?: Interrupt[] };

type RoundEnd = Partial<Pick<Round, "stopReason" | "usage" | "latencyMs" | "firstTokenMs" | "model" | "damaged" | "interrupted">>;

type ResultFigures = { status: string; durationMs?: number; error?: string; cut?: boolean };

type SnapshotFigures = { seq: number; before?: string | null; turns?: Turn[]; queue?: QueuedMessage[]; totals?: Totals };

/** Every event but a snapshot and asides has a number in the conversation's record and its time. */
type Recorded<Fields, Metadata = object> = Fields & { timestamp?: number; metadata?: Metadata & { seq?: number } };

type RunStarted = Recorded<{ type: "RUN_STARTED"; runId: string; parentRunId?: string }, { parent?: null; settings?: Settings }>;
type RunFinished = Recorded<{ type: "RUN_FINISHED"; runId: string; outcome?: Outcome }>;
type RunError = Recorded<{ type: "RUN_ERROR"; code: string; message: string }, { requestId?: string; leftOut?: true }>;
type StepStarted = Recorded<{ type: "STEP_STARTED"; stepName: string }>;
type StepFinished = Recorded<{ type: "STEP_FINISHED"; stepName: string }> & { metadata: RoundEnd & { seq?: number } };
type MessageStart = Recorded<
  { type: "TEXT_MESSAGE_START"; messageId: string; role: "user" | "assistant" },
  { attachments?: AttachedFile[] }
>;
type MessageContent = Recorded<{ type: "TEXT_MESSAGE_CONTENT"; messageId: string; delta: string }>;
type MessageEnd = Recorded<{ type: "TEXT_MESSAGE_END"; messageId: string }>;
type ReasoningStart = Recorded<{ type: "REASONING_START"; messageId: string }>;
type ReasoningMessageStart = Recorded<{ type: "REASONING_MESSAGE_START"; messageId: string }>;
type ReasoningContent = Recorded<{ type: "REASONING_MESSAGE_CONTENT"; messageId: string; delta: string }>;
type ReasoningMessageEnd = Recorded<{ type: "REASONING_MESSAGE_END"; messageId: string }>;
type ReasoningEnd = Recorded<{ type: "REASONING_END"; messageId: string }>;
type ToolCallStart = Recorded<
  { type: "TOOL_CALL_START"; toolCallId: string; toolCallName: string },
  { repeated?: true }
>;
type ToolCallArgs = Recorded<{ type: "TOOL_CALL_ARGS"; toolCallId: string; delta: string }>;
type ToolCallEnd = Recorded<{ type: "TOOL_CALL_END"; toolCallId: string }>;
type ToolCallResult = Recorded<{ type: "TOOL_CALL_RESULT"; messageId: string; toolCallId: string; content: string }> & {
  metadata: ResultFigures & { seq?: number };
};
type MessagesSnapshot = { type: "MESSAGES_SNAPSHOT"; messages: Message[]; metadata: SnapshotFigures };

/** What the product's own events say, by their names. */
type CustomValues = {
  "turntable.conversation": { title?: string };
  "turntable.retrying": Retry;
  "turntable.adjusted": Adjustment;
  "turntable.approval": Approval;
  "turntable.progress": Progress;
  "turntable.image": Activity;
  "turntable.citation": Activity;
  "turntable.server_tool": Activity;
  "turntable.decided": { interrupts: string[] };
  "turntable.queued": QueuedMessage[];
  "turntable.draft": { text: string };
  "turntable.branch": { turn: string };
  "turntable.settings": Record<string, string>;
  "turntable.refused": Refusal;
  "turntable.library": LibraryState;
};

type CustomOf<Name extends keyof CustomValues> = Recorded<{ type: "CUSTOM"; name: Name; value: CustomValues[Name] }>;
type Custom = { [Name in keyof CustomValues]: CustomOf<Name> }[keyof CustomValues];

type AguiEvent =
  | RunStarted
  | RunFinished
  | RunError
  | StepStarted
  | StepFinished
  | MessageStart
  | MessageContent
  | MessageEnd
  | ReasoningStart
  | ReasoningMessageStart
  | ReasoningContent
  | ReasoningMessageEnd
  | ReasoningEnd
  | ToolCallStart
  | ToolCallArgs
  | ToolCallEnd
  | ToolCallResult
  | MessagesSnapshot
  | Custom;

type EventOf<Type> = Extract<AguiEvent, { type: Type }>;

/** A provider's own tool: its use, or its result. What is too long is cut. */
type ServerTool = {
  toolUse?: { toolUseId: string; name: string; input?: unknown };
  toolResult?: { toolUseId: string; type?: string; status?: string; content?: { text?: string; json?: unknown }[] | Cut };
};

/** The beginning of a JSON that is too long for an event. */
type Cut = { cut: true; json: string };

// -- frames, as the contract has them

/** Why a frame was refused; the id is the frame's. */
type Refusal = { id: string; code: string; message: string };

type Decision = { approved: boolean; editedArgs?: object; reason?: string; always?: true | "tool" };

type Frame =
  | { type: "message"; id: string; text: string; attachments?: string[] }
  | { type: "edit"; id: string; message: string; text: string }
  | { type: "regenerate"; id: string; model?: string }
  | { type: "branch"; turn: string }
  | { type: "withdraw"; message: string }
  | { type: "draft"; text: string }
  | { type: "run"; id?: string; call: string; arguments?: object }
  | { type: "resume"; id?: string; resume: { interruptId: string; status: "resolved"; payload: Decision }[] }
  | { type: "stop"; turn?: string }
  | { type: "seen"; conversation: string }
  | { type: "heard" }
  | { type: "ack"; seq: number };

/** Sends a frame, and says whether it could be sent. */
type Send = (frame: Frame) => boolean;

/** Reads a sentence out. */
type Say = (sentence: string) => void;

// -- the state, as `reduce` makes it

type ToolCall = { id: string; type: "function"; function: { name: string; arguments: string } };

type MessageFigures = Partial<ResultFigures> & {
  turn?: string;
  open?: boolean;
  interrupted?: boolean;
  leftOut?: boolean;
  approval?: Approval;
  progress?: Progress;
  attachments?: AttachedFile[];
};

type MessageFacts = { id: string; toolCalls?: ToolCall[]; toolCallId?: string; error?: string; metadata: MessageFigures };

/** A text, a reasoning, one tool call, or a tool's result. */
type TextMessage = MessageFacts & { role: "user" | "assistant" | "reasoning" | "tool"; content?: string; activityType?: undefined };

/** What a model brings beside these; its content is the value of its event. */
type ActivityMessage = MessageFacts & { role: "activity"; activityType: string; content: Activity };

/** A message as MESSAGES_SNAPSHOT has it. */
type Message = TextMessage | ActivityMessage;

/** A message whose facts are to come. */
type NewMessage = Omit<TextMessage, "metadata"> | Omit<ActivityMessage, "metadata">;

/** A picture's facts, a citation, or a provider's own tool. */
type Activity = { messageId: string; citation?: Citation; server_tool?: ServerTool; format?: string; size?: number; sha256?: string };

type Approval = {
  toolCallId: string;
  status: string;
  decision?: string;
  by?: string;
  reason?: string;
  editedArgs?: object;
  standing?: boolean;
};

/** How far a running call has come. */
type Progress = { toolCallId: string; done?: number; of?: number; text?: string };

type Retry = { code?: string; seconds: number; attempt: number; of: number; at?: number | null };

type Round = {
  name: string;
  startedAt: number | null;
  endedAt?: number | null;
  calledAt?: number | null;
  stopReason?: string;
  usage?: Usage;
  latencyMs?: number;
  firstTokenMs?: number;
  model?: string;
  /** frames that arrived damaged */
  damaged?: number;
  interrupted?: boolean;
};

/** How a round was asked again, and the refusal's words. */
type Adjustment = { what: string; why: string };

/** What a turn's model was asked with; what was not set is not there. */
type Settings = {
  model?: string;
  inference?: { temperature?: number; topP?: number; maxTokens?: number; stopSequences?: string[] };
  reasoning?: number;
  toolsOff?: string[];
  instructions?: string;
};

type TurnError = { code: string; message: string; requestId?: string };

type Turn = {
  id: string;
  status: string;
  error: TurnError | null;
  stopReason: string | null;
  model?: string;
  settings?: Settings;
  steps: number;
  retrying: Retry | null;
  adjusted?: Adjustment[];
  interrupts: Interrupt[];
  rounds: Round[];
  startedAt: number | null;
  endedAt: number | null;
  versions?: string[];
};

type State = {
  cursor: number;
  title: string | null;
  before: string | null;
  messages: Message[];
  turns: Turn[];
  queue: QueuedMessage[];
  totals: Totals;
  /** What is shown is on another branch: a snapshot is due. */
  stale?: boolean;
  draft?: string;
  /** The last turn goes on in newer messages, on another page. */
  partial?: boolean;
  /** A moment of a recording. */
  played?: boolean;
};

/** The state after an event. */
type Reducer<Kind> = (state: State, event: Kind) => State;

/** A message that waits for the turns before it. */
type QueuedMessage = { id: string; text: string; attachments?: AttachedFile[] };

/** A file that was sent, or will be. */
type AttachedFile = { id: string; name: string; kind: "image" | "document"; format: string; size: number };

/** What a model does not take of files, and the sentences that say so. */
type FileRules = {
  refused: Record<string, string>;
  most: Record<string, number>;
  tooMany: Record<string, string>;
  bytes: Record<string, number>;
  tooLarge: Record<string, string>;
};

/** A message that the server has not confirmed. */
type UnsentMessage = { id: string; text: string; at: number; attachments?: AttachedFile[] };

// -- what is drawn

type BlockKind = "you" | "assistant" | "reasoning" | "tool" | "server" | "picture" | "source";

type Block = {
  id: string;
  kind: BlockKind;
  message: Message;
  result?: Message;
  ended?: boolean;
  round?: number;
  interrupt?: Interrupt;
  since?: number | null;
  status?: string;
  /** the numbers of the sources that are cited there */
  marks?: number[];
};

/** A source that a model cites, and the message that names it. */
type Source = { number: number; citation: Citation; message: Message };

type Citation = {
  title?: string;
  source?: string;
  sourceContent?: { text?: string }[];
  location?: Record<string, any>;
  cut?: boolean;
};

/** The blocks of an interrupted attempt. */
type Attempt = { key: string; round: string; blocks: Block[]; isLast?: boolean };

type Part = Block | Attempt;

/** The calls of a round. */
type CallGroup = { key: string; calls: Block[] };

/** A turn, or a message that waits for one: only its status is known then. */
type SectionTurn = (Turn | (Pick<Turn, "status" | "error"> & Partial<Turn>)) & {
  /** when the message was sent */
  at?: number;
};

type Section = {
  key: string;
  turn: SectionTurn;
  parts: Part[];
  sources: Source[];
  blocks: Block[];
  /** What may be done, as words: continue again regenerate edit versions switch withdraw. */
  offers: string;
  /** The settings of the turn before it. */
  before?: Settings;
  goesOn?: boolean;
};

// -- markdown

/** What a text is read with, and what is found in it on the way. */
type Environment = {
  /** the targets of links by their labels, as these are compared */
  references: Record<string, object>;
  /** the sources of footnotes by their labels */
  notes?: Map<string, string>;
  /** whether more of the text may come */
  open?: boolean;
  /** the inline text that the source ends with, if more of it may come */
  end?: Token[] | null;
  /** whether what comes can touch its last character */
  isCut?: boolean;
};

type MarkdownIt = import("./vendor/markdown-it.mjs").default<Environment>;
type Token = import("./vendor/markdown-it.mjs").Token;
type CoreState = import("./vendor/markdown-it.mjs").CoreState<Environment>;
type BlockState = import("./vendor/markdown-it.mjs").BlockState<Environment>;
type BlockRule = import("./vendor/markdown-it.mjs").BlockRule<Environment>;
/** `unclosed`: the delimiters that the rest of the text lacks. */
type InlineState = import("./vendor/markdown-it.mjs").InlineState<Environment> & { unclosed?: Set<string> };
type Delimiter = import("./vendor/markdown-it.mjs").Delimiter;
type RenderRule = import("./vendor/markdown-it.mjs").RenderRule;

// -- JSON

/** JSON set out for reading: an object and an array have `entries`. */
type JSONNode = { kind: string; text: string; entries?: JSONEntry[] };

/** A key of an object or a place in an array. */
type JSONKey = string | number;
type JSONEntry = [JSONKey, JSONNode];

/** An object or an array. */
type JSONTree = Required<JSONNode>;

/** Not in every browser. */
interface JSON {
  rawJSON?(text: string): object;
  parse(text: string, reviver: (key: string, value: any, context?: { source?: string }) => any): any;
}

/** What the elements are that have these ids; any other is an `HTMLElement`. */
type PageElements = {
  composer: HTMLFormElement;
  files: HTMLInputElement;
  message: HTMLTextAreaElement;
  model: HTMLSelectElement;
  older: HTMLAnchorElement;
  skipping: HTMLInputElement;
  speed: HTMLSelectElement;
};

/** What the templates hold. */
type PageTemplates = {
  "editor-template": HTMLFormElement;
  "rewording-template": HTMLFormElement;
};

type Named<Elements, Name> = Name extends keyof Elements ? Elements[Name] : HTMLElement;

/** Finds an element by a selector; what it is, a tag's name says, or else the caller. */
type Find<Place> = <Name extends string, Kind = Named<HTMLElementTagNameMap, Name>>(place: Place, selector: Name) => Kind;

// -- what lists show

/** What is true of a conversation now; without one, of all. */
type LibraryState = { waiting: number; stale?: boolean } & (ConversationState | { [Name in keyof ConversationState]?: undefined });

/** The same with its time, by the server's clock. */
type LibraryChange = LibraryState & { at: number };

type ConversationState = {
  conversation: string;
  title: string;
  mark: string;
  words: string;
  updatedAt: string;
  pinned: boolean;
  archived: boolean;
  deleted: boolean;
};

/** What a page's scripts tell each other. */
interface DocumentEventMap {
  "turntable:change": CustomEvent<LibraryChange>;
  "turntable:library": CustomEvent<undefined>;
}

type Point = { x: number; y: number };

// -- recordings

type Moment = { at: number; event: AguiEvent & { metadata: { seq: number } } };

/** [begin, end, key of the element that waits, whether nothing was under way] */
type Wait = [number, number, string, boolean];

/** [kind, at, name, call] */
type Mark = [string, number, string, string];

type TurnOutline = {
  id: string;
  number: number;
  parent: string | null;
  begin: number;
  end: number;
  first: number;
  last: number;
  question: string;
  marks: Mark[];
  waits: Wait[];
};
