/**
 * Messages that wait for their turn, and are taken back.
 */

/** `ask(frame)` returns whether the frame could be sent; `giveBack(text)` takes the words of a message that does not wait any more. */
export class Queue {
  constructor({ ask, giveBack, say }) {
    Object.assign(this, { ask, giveBack, say, withdrawn: [] });
  }

  withdraw({ id, content }) {
    if (this.ask({ type: "withdraw", message: id })) this.withdrawn.push({ id, content });
  }

  /** Gives back what the server has let go of; what it has begun to answer instead is forgotten. */
  settle({ messages, queue }) {
    if (!this.withdrawn.length) return;
    const gone = this.withdrawn.filter(({ id }) => !queue.some((message) => message.id === id));
    this.withdrawn = this.withdrawn.filter((message) => !gone.includes(message));
    for (const { id, content } of gone) {
      if (messages.some((message) => message.id === id)) continue;
      this.giveBack(content);
      this.say("Withdrawn.");
    }
  }
}
