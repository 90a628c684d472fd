/**
 * A cursor on a conversation's record: connects with `after`, acknowledges what was applied, comes back after a loss.
 */

const ACK_BYTES = 48 * 1024; // the contract asks for an acknowledgement at least every 64 KiB
const ACK_IDLE_MS = 250;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 20_000;
const STEADY_MS = 5_000;
const SLOWER = 4; // times

const BEAT_MS = 5_000;
const ASLEEP_MS = 150_000; // browsers slow a hidden tab's timers down to one a minute; longer than that is sleep

const KEPT = ["message", "draft"]; // by those who send them, once there is a connection

const CODES = { SIGNED_OUT: 4401, NOT_FOUND: 4404, TOO_SLOW: 4008, FLOODED: 1008, RESTARTING: 1012 };
/** @type {Record<number, number>} */
const LEAST_ATTEMPT = { [CODES.FLOODED]: 3, [CODES.RESTARTING]: 3 }; // from which the waiting is counted

const bytes = new TextEncoder();

/**
 * A random time before an attempt (0 is the first), in ms; its limit doubles, and pages do not come together.
 * @param {number} attempt
 * @param {number} random
 */
export const waitBefore = (attempt, random = Math.random()) =>
  Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt) * random;

/** @typedef {"open" | "lost" | "flooded" | "signed-out" | "gone"} ConnectionStatus */

/**
 * Reads on from `cursor()`. `receive(event)` applies an event and returns false when one is missing before it.
 */
export class Socket {
  /**
   * @param {string} url
   * @param {{cursor: () => number, receive: (event: AguiEvent) => boolean, changed: (status: ConnectionStatus) => void}} page
   */
  constructor(url, { cursor, receive, changed }) {
    this.url = url;
    this.cursor = cursor;
    this.receive = receive;
    this.changed = changed;
    this.attempt = 0;
    /** @type {Frame[]} */
    this.waitingFrames = [];
    this.needsSnapshot = false;
    this.unacknowledged = 0;
    this.slower = 1;
    /** @type {number | undefined} */
    this.idle = undefined;
    this.listen();
  }

  listen() {
    addEventListener("online", () => this.renew());
    addEventListener("pageshow", () => this.connectNow());
    document.addEventListener("visibilitychange", () => document.hidden || this.connectNow());
    let beat = Date.now();
    setInterval(() => {
      const slept = Date.now() - beat > ASLEEP_MS;
      beat = Date.now();
      if (slept) this.renew();
    }, BEAT_MS);
  }

  connect() {
    clearTimeout(this.retry);
    const socket = new WebSocket(this.needsSnapshot ? this.url : `${this.url}?after=${this.cursor()}`);
    this.socket = socket;
    this.unacknowledged = 0;
    socket.onopen = () => socket === this.socket && this.opened(socket);
    socket.onmessage = ({ data }) => socket === this.socket && this.hear(data);
    socket.onclose = ({ code }) => socket === this.socket && this.lost(code);
  }

  /**
   * Sends the frame now, or as soon as a connection that is being made is there; false if there is none.
   * @param {Frame} frame
   */
  send(frame) {
    const state = this.socket?.readyState;
    if (state === WebSocket.OPEN) this.socket?.send(JSON.stringify(frame));
    else if (state === WebSocket.CONNECTING && this.attempt === 0 && !KEPT.includes(frame.type))
      this.waitingFrames.push(frame);
    else return false;
    return true;
  }

  /**
   * Sends what waited. The attempts are forgotten only after a while: the server may still close with 4404.
   * @param {WebSocket} socket
   */
  opened(socket) {
    setTimeout(() => {
      if (socket === this.socket && socket.readyState === WebSocket.OPEN) this.attempt = 0;
    }, STEADY_MS);
    for (const frame of this.waitingFrames.splice(0)) this.send(frame);
    this.changed("open");
  }

  /** @param {string} data */
  hear(data) {
    const event = JSON.parse(data);
    if (event.type === "MESSAGES_SNAPSHOT") this.needsSnapshot = false;
    if (!this.receive(event)) return this.reconnect();
    this.unacknowledged += bytes.encode(data).length;
    if (this.unacknowledged >= ACK_BYTES) return this.acknowledge();
    this.idle ??= setTimeout(() => this.acknowledge(), ACK_IDLE_MS * this.slower);
  }

  acknowledge() {
    clearTimeout(this.idle);
    this.idle = undefined;
    if (this.unacknowledged && this.send(this.acknowledgement())) this.unacknowledged = 0;
  }

  /** @returns {Frame} */
  acknowledgement() {
    return { type: "ack", seq: this.cursor() };
  }

  /** Drops the socket and reads on from the cursor with a new one. */
  reconnect() {
    const old = this.socket;
    this.socket = null;
    old?.close();
    this.lost(CODES.TOO_SLOW);
  }

  /** Drops the socket and begins with a snapshot: what is shown is on another branch. */
  restart() {
    const old = this.socket;
    this.needsSnapshot = true;
    this.connect();
    old?.close();
  }

  /** @param {number} code */
  lost(code) {
    this.socket = null;
    this.code = code;
    if (code === CODES.NOT_FOUND) return this.changed("gone");
    if (code === CODES.SIGNED_OUT) return this.changed("signed-out");
    if (code === CODES.FLOODED) this.slower = SLOWER;
    this.changed(code === CODES.FLOODED ? "flooded" : "lost");
    this.retry = setTimeout(() => this.connect(), this.wait(code));
    this.attempt += 1;
  }

  /** @param {number} code */
  wait(code) {
    if (code === CODES.TOO_SLOW && this.attempt === 0) return 0;
    const least = code === CODES.FLOODED ? FIRST_WAIT_MS * SLOWER : 0;
    return least + waitBefore(Math.max(this.attempt, LEAST_ATTEMPT[code] ?? 0));
  }

  /** Connects without waiting any longer; all pages were told of a restart, so then each still waits a time of its own. */
  connectNow() {
    if (this.socket || this.code === CODES.NOT_FOUND || this.code === CODES.FLOODED) return;
    if (this.code !== CODES.RESTARTING) return this.connect();
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.connect(), waitBefore(2));
  }

  /** Takes a new socket in place of one that another network, or sleep, has left behind; it may look open for long. */
  renew() {
    if (this.socket?.readyState === WebSocket.OPEN) this.reconnect();
    else this.connectNow();
  }
}
