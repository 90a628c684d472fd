/**
 * Where the playback stands: read off a clock, so that late frames never add up.
 */

export const SPEEDS = [0.5, 1, 2, 4, 8, 16];

export class Playhead {
  /** `now()` gives ms that only go forwards. */
  constructor(now = () => performance.now()) {
    this.now = now;
    this.speed = 1;
    this.length = 0;
    this.playing = false;
    this.from = 0;
    this.since = now();
  }

  /** Played ms from the start. */
  get position() {
    const passed = this.playing ? (this.now() - this.since) * this.speed : 0;
    return Math.min(this.length, this.from + passed);
  }

  /** @param {number} position */
  seek(position) {
    this.from = Math.min(this.length, Math.max(0, position));
    this.since = this.now();
  }

  play() {
    if (!this.playing) this.change({ playing: true });
  }

  pause() {
    this.change({ playing: false });
  }

  /** @param {number} speed */
  setSpeed(speed) {
    this.change({ speed });
  }

  /** @param {{playing?: boolean, speed?: number}} changes */
  change(changes) {
    this.from = this.position;
    this.since = this.now();
    Object.assign(this, changes);
  }
}
