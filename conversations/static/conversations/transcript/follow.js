/**
 * Keeps the newest in sight while the reader is there, and leaves a reader who has scrolled up alone.
 *
 * Where the page has grown without being drawn anew (a font has come, a formula is printed, what was out of sight has its true height), it
 * is told by an observer, once the browser has laid everything out. While the newest is followed the browser does not hold on to
 * anything else (`overflow-anchor`): what it moves would look like the reader's scrolling.
 */

const NEAR = 48; // pixels from the bottom that count as being there

export class Follow {
  /**
   * @param {HTMLElement} button which goes to the newest
   * @param {HTMLElement} log
   */
  constructor(button, log) {
    this.button = button;
    this.log = log;
    this.scroller = /** @type {HTMLElement} */ (document.scrollingElement);
    this.follows = false;
    this.following = true;
    this.last = scrollY;
    addEventListener("scroll", () => this.scrolled(), { passive: true });
    addEventListener("resize", () => this.settle());
    button.addEventListener("click", () => this.jump());
    new ResizeObserver(() => this.settle()).observe(document.body);
  }

  get following() {
    return this.follows;
  }

  set following(follows) {
    if (follows === this.follows) return;
    this.follows = follows;
    this.scroller.style.overflowAnchor = follows ? "none" : "auto";
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

  /**
   * To be called after the page has changed. Where it has become shorter it was the browser that moved, not the reader. In an empty
   * conversation there is no newest: below its box stand only phrases to begin with.
   */
  settle() {
    if (this.following && this.distance > 0 && this.log.childElementCount) this.toEnd();
    else if (this.following) this.last = scrollY;
    this.show();
  }

  /** Goes to the newest and follows it from now on. */
  toEnd() {
    this.following = true;
    scrollTo({ top: this.scroller.scrollHeight, behavior: "instant" });
    this.last = scrollY;
  }

  jump() {
    this.toEnd();
    this.log.focus({ preventScroll: true });
    this.show();
  }

  show() {
    const hidden = this.following || this.distance < NEAR;
    if (this.button.hidden !== hidden) this.button.hidden = hidden;
  }

  /**
   * Changes what is above the reader's place without moving what stands there.
   * @param {() => void} change
   */
  holding(change) {
    const anchor = Array.from(this.log.children).find(
      (section) => section.getBoundingClientRect().bottom > 0,
    );
    const before = anchor?.getBoundingClientRect().top ?? 0;
    this.following = false;
    change();
    if (anchor?.isConnected)
      scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
    this.last = scrollY;
  }
}
