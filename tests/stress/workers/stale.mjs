// A twin that is to be found out: where the store fails it takes the last answer for the truth, and mints on doubt.
import worker, { SigninChallenge } from "./entry.js";

export { SigninChallenge };

const seen = new Map();

export default {
  fetch(request, env, context) {
    const { SESSIONS } = env;
    const get = async (key) => {
      try {
        const value = await SESSIONS.get(key);
        seen.set(key, value);
        return value;
      } catch (error) {
        if (seen.has(key)) return seen.get(key);
        throw error;
      }
    };
    const rest = Object.fromEntries(["put", "delete", "list"].map((name) => [name, (...parameters) => SESSIONS[name](...parameters)]));
    return worker.fetch(request, { ...env, SESSIONS: { get, ...rest } }, context);
  },
};
