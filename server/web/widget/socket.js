// The first way to the server: a WebSocket.

export class Socket {
  /**
   * @param {string} origin
   * @param {import("./frames.js").Ears} ears
   */
  constructor(origin, ears) {
    const live = this.live = new WebSocket(`${origin.replace(/^http/, "ws")}/widget/ws`);
    live.onopen = () => ears.open();
    live.onmessage = (event) => ears.data(String(event.data));
    live.onclose = (event) => ears.lost(event.code, event.reason);
  }

  /** @param {object} frame */
  write(frame) {
    if (this.live.readyState === 1) this.live.send(JSON.stringify(frame));
  }

  /** Lets go of the socket without waiting for its close. */
  close() {
    this.live.onopen = this.live.onmessage = this.live.onclose = null;
    this.live.close();
  }
}
