// Runs `@ag-ui/client` against a live server: a turn with a tool, an approval, an abort, a reconnect. Prints what came of each as JSON.
import { HttpAgent, runHttpRequest, transformHttpEventStream } from "@ag-ui/client";

const [url, token] = process.argv.slice(2);
const headers = { Authorization: `Bearer ${token}` };

function agentFor(text, threadId) {
  const agent = new HttpAgent({ url, headers, threadId });
  agent.addMessage({ id: crypto.randomUUID(), role: "user", content: text });
  return agent;
}

// What the agent knows after its run: its messages by role and text, and the types of its events.
async function outcome(agent, options = {}) {
  const types = [];
  const note = { onEvent: ({ event }) => void types.push(event.type) };
  const { newMessages } = await agent.runAgent(options, note);
  return { types, messages: newMessages, pending: agent.pendingInterrupts.length };
}

async function tool() {
  return outcome(agentFor("What is the most popular song on WZPZ?"));
}

async function approval() {
  const agent = agentFor('delete_file "old.csv"');
  const waiting = await outcome(agent);
  const resume = agent.pendingInterrupts.map(({ id }) => ({
    interruptId: id,
    status: "resolved",
    payload: { approved: true },
  }));
  const answered = await outcome(agent, { resume });
  const calls = agent.messages.flatMap((message) => message.toolCalls ?? []);
  return { waiting, answered, calls };
}

// Aborts in the middle of an answer, then stops the turn, as an abort alone does not.
async function abort(forwardedProps) {
  const agent = agentFor("fail silent");
  const begun = { onTextMessageContentEvent: () => void agent.abortRun() };
  const failure = await agent.runAgent({ forwardedProps }, begun).then(
    () => "",
    (error) => error.name,
  );
  return { failure, threadId: agent.threadId, texts: agent.messages.map(({ content }) => content) };
}

// The same run once more, by a client that knows nothing of it.
async function reconnect() {
  const agent = agentFor("What is the most popular song on WZPZ?");
  const runId = crypto.randomUUID();
  const first = await outcome(agent, { runId });
  const other = new HttpAgent({ url, headers, threadId: agent.threadId });
  const again = await outcome(other, { runId });
  return { first, again };
}

// The whole thread, read by the client's own parser.
async function thread(threadId) {
  const get = () => fetch(`${url}?threadId=${threadId}`, { headers });
  const types = [];
  await new Promise((resolve, reject) =>
    transformHttpEventStream(runHttpRequest(get)).subscribe({
      next: (event) => types.push(event.type),
      complete: () => resolve(null),
      error: reject,
    }),
  );
  return types;
}

async function refusal() {
  const agent = new HttpAgent({ url, headers: { Authorization: "Bearer tt_wrong" } });
  const error = await agent.runAgent().catch((problem) => problem);
  return { status: error.status, payload: error.payload };
}

const results = { tool: await tool(), approval: await approval(), reconnect: await reconnect() };
const left = await abort({});
const cancelled = await abort({ onDisconnect: "cancel" });
const stopped = await fetch(`${url}stop`, {
  method: "POST",
  headers,
  body: JSON.stringify({ threadId: left.threadId }),
});
const refused = await refusal();
const history = await thread(left.threadId);
console.log(JSON.stringify({ ...results, left, cancelled, stopped: stopped.status, refused, history }));
