/**
 * A cursor on a conversation's record: connects with `after`, acknowledges what was applied, comes back after a loss.
 */

const ACK_BYTES = 48 * 1024; // the contract asks for an acknowledgement at least every 64 KiB
const ACK_IDLE_MS = 250;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;
const STEADY_MS = 5_000;

const SIGNED_OUT = 4401;
const NOT_FOUND = 4404;
const TOO_SLOW = 4008;

const bytes = new TextEncoder();

/** The time before the attempt of that number (0 is the first), in ms: doubling, with jitter. */
export function waitBefore(attempt, random = Math.random()) {
  if (attempt < 0) return 0;
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * (0.5 + random / 2);
}

/**
 * Reads on from `cursor()`. `receive(event)` applies an event and returns false when one is missing before it;
 * `changed(status)` hears "open", "lost", "signed-out" or "gone".
 */
export class Socket {
  constructor(url, { cursor, receive, changed }) {
    Object.assign(this, { url, cursor, receive, changed });
    this.attempt = 0;
    this.unacknowledged = 0;
    addEventListener("online", () => this.connectNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.connectNow());
  }

  connect() {
    clearTimeout(this.retry);
    const socket = new WebSocket(`${this.url}?after=${this.cursor()}`);
    this.socket = socket;
    this.unacknowledged = 0;
    socket.onopen = () => this.opened(socket);
    socket.onmessage = ({ data }) => socket === this.socket && this.hear(data);
    socket.onclose = ({ code }) => socket === this.socket && this.lost(code);
  }

  /** Sends the frame if it can be sent now. */
  send(frame) {
    const open = this.socket?.readyState === WebSocket.OPEN;
    if (open) this.socket.send(JSON.stringify(frame));
    return open;
  }

  // A handshake says little: the server may still close with 4404. So the attempts are forgotten only after a while.
  opened(socket) {
    setTimeout(() => {
      if (socket === this.socket && socket.readyState === WebSocket.OPEN) this.attempt = 0;
    }, STEADY_MS);
    this.changed("open");
  }

  hear(data) {
    if (!this.receive(JSON.parse(data))) return this.reconnect();
    this.unacknowledged += bytes.encode(data).length;
    if (this.unacknowledged >= ACK_BYTES) return this.acknowledge();
    this.idle ??= setTimeout(() => this.acknowledge(), ACK_IDLE_MS);
  }

  acknowledge() {
    clearTimeout(this.idle);
    this.idle = undefined;
    if (this.unacknowledged && this.send({ type: "ack", seq: this.cursor() })) this.unacknowledged = 0;
  }

  /** Drops the socket and reads on from the cursor with a new one. */
  reconnect() {
    const old = this.socket;
    this.socket = null;
    old.close();
    this.lost(TOO_SLOW);
  }

  lost(code) {
    if (code === SIGNED_OUT) return this.end("signed-out");
    if (code === NOT_FOUND) return this.end("gone");
    this.socket = null;
    this.changed("lost");
    const wait = waitBefore(code === TOO_SLOW && this.attempt === 0 ? -1 : this.attempt);
    this.attempt += 1;
    this.retry = setTimeout(() => this.connect(), wait);
  }

  end(status) {
    this.ended = true;
    this.changed(status);
  }

  connectNow() {
    if (!this.ended && !this.socket) this.connect();
  }
}
