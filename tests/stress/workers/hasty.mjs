// A twin that is to be found out: it does not wait for the store to have taken a session before it hands out its token.
import worker, { SigninChallenge } from "./entry.js";

export { SigninChallenge };

const HASTE_MS = 300;

export default {
  fetch(request, env, context) {
    const { SESSIONS } = env;
    const rest = Object.fromEntries(["get", "delete", "list"].map((name) => [name, (...parameters) => SESSIONS[name](...parameters)]));
    const put = async (...parameters) => {
      const write = async () => {
        await new Promise((resolve) => setTimeout(resolve, HASTE_MS));
        await SESSIONS.put(...parameters);
      };
      context.waitUntil(write());
    };
    return worker.fetch(request, { ...env, SESSIONS: { put, ...rest } }, context);
  },
};
