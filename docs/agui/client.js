// A plain AG-UI client: one POST a run, its events read as they come.
const form = document.querySelector("form");
const log = document.querySelector("[role=log]");
const threadId = crypto.randomUUID();
const texts = {};

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { url, token, message } = Object.fromEntries(new FormData(form));
  line(`You: ${message}`);
  try {
    await run(url, token, { messages: [{ id: crypto.randomUUID(), role: "user", content: message }] });
  } catch (problem) {
    line(problem.message);
  }
});

async function run(url, token, members) {
  const input = { threadId, runId: crypto.randomUUID(), messages: [], tools: [], context: [], state: {}, forwardedProps: {} };
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
    body: JSON.stringify({ ...input, ...members }),
  });
  if (!response.ok) throw new Error((await response.json()).error.message);
  let text = "";
  for await (const chunk of chunks(response.body.pipeThrough(new TextDecoderStream()))) {
    const blocks = (text + chunk).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) if (block.startsWith("data: ")) show(JSON.parse(block.slice(6)), url, token);
  }
}

async function* chunks(stream) {
  const reader = stream.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
}

function show(event, url, token) {
  if (event.type === "TEXT_MESSAGE_START") texts[event.messageId] = line("Assistant: ");
  if (event.type === "TEXT_MESSAGE_CONTENT") texts[event.messageId].append(event.delta);
  if (event.type === "TOOL_CALL_START" && !event.metadata.repeated) line(`Tool call ${event.toolCallName}`);
  if (event.type === "TOOL_CALL_RESULT") line(`Result: ${event.content}`);
  if (event.type === "RUN_ERROR") line(event.message);
  if (event.outcome?.type === "interrupt") resume(event.outcome.interrupts, url, token);
}

// All interrupts of a run are answered at once, by another run.
function resume(interrupts, url, token) {
  const answers = interrupts.map(({ id, message }) => ({
    interruptId: id,
    status: "resolved",
    payload: { approved: confirm(message) },
  }));
  run(url, token, { resume: answers }).catch((problem) => line(problem.message));
}

function line(text) {
  const paragraph = log.appendChild(document.createElement("p"));
  paragraph.textContent = text;
  return paragraph;
}
