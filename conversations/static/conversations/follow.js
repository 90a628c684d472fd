/**
 * Keeps the newest in sight while the reader is there, and leaves a reader who has scrolled up alone.
 */

const NEAR = 48; // pixels from the bottom that count as being there

export class Follow {
  constructor(button, log) {
    this.button = button;
    this.scroller = document.scrollingElement;
    this.following = true;
    this.last = scrollY;
    addEventListener("scroll", () => this.scrolled(), { passive: true });
    addEventListener("resize", () => this.settle());
    button.addEventListener("click", () => this.jump(log));
  }

  get distance() {
    return this.scroller.scrollHeight - innerHeight - scrollY;
  }

  // Scrolling up lets go at once, however little it is; coming back to the bottom takes hold again.
  scrolled() {
    const up = scrollY < this.last;
    this.following = this.distance <= 1 || (!up && (this.following || this.distance < NEAR));
    this.last = scrollY;
    this.show();
  }

  /** To be called after the page has changed. */
  settle() {
    if (this.following) this.toEnd();
    this.show();
  }

  /** Goes to the newest and follows it from now on. */
  toEnd() {
    this.following = true;
    scrollTo({ top: this.scroller.scrollHeight, behavior: "instant" });
    this.last = scrollY;
  }

  jump(log) {
    this.toEnd();
    log.focus({ preventScroll: true });
    this.show();
  }

  show() {
    this.button.hidden = this.following || this.distance < NEAR;
  }

  /** Changes what is above the reader's place without moving the place. */
  holding(change) {
    const before = this.scroller.scrollHeight;
    const place = scrollY;
    this.following = false;
    change();
    scrollTo({ top: place + this.scroller.scrollHeight - before, behavior: "instant" });
    this.last = scrollY;
  }
}
