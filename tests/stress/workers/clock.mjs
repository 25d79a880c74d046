// The worker under a clock that runs faster: variable `CLOCK`, `{"base": milliseconds, "scale": number}`. From the base on, which
// is a time of the real clock, a second is `scale` seconds. Whoever has the same two numbers has the same time.
import worker, { SigninChallenge } from "./entry.js";

export { SigninChallenge };

const realNow = Date.now;
let clock = { base: 0, scale: 1 };
Date.now = () => clock.base + (realNow() - clock.base) * clock.scale;

export default {
  fetch(request, env, context) {
    clock = env.CLOCK;
    return worker.fetch(request, env, context);
  },
};
