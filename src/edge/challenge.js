// A sign-in challenge, as the Durable Object that keeps it: it is handed out once and forgotten.
//
// One object per challenge, so that no flood of others can push one out. What it keeps is the broker's own text, which is
// never looked at here; its storage is gone as soon as it was taken, or has expired.
import { DurableObject } from "cloudflare:workers";

const CHALLENGE = "challenge";

export class SigninChallenge extends DurableObject {
  /** Keeps a challenge until it is taken, or until its end in Unix seconds. */
  async put(challenge, expiresAt) {
    const { storage } = this.ctx;
    storage.kv.put(CHALLENGE, challenge);
    await storage.setAlarm(expiresAt * 1000);
  }

  /**
   * Takes the challenge out for good; `undefined` where there is none. Reading and deleting are one step, with no wait
   * between them, and the runtime holds the answer back until the deletion is on disk.
   */
  async take() {
    const { storage } = this.ctx;
    const challenge = storage.kv.get(CHALLENGE);
    if (challenge !== undefined) {
      storage.kv.delete(CHALLENGE);
      await storage.deleteAll(); // and the alarm with it
    }
    return challenge;
  }

  /** The challenge has expired. */
  async alarm() {
    await this.ctx.storage.deleteAll();
  }
}
