// A deadline for a promise: the one thing about waiting that is cheaper said in JavaScript.

/**
 * What `promise` comes to, or a rejection after so many milliseconds.
 *
 * The timer is not cleared: the runtime drops a request's timers when the request ends, long before this one is due, and
 * clearing it costs more than setting it. In a context that outlives its requests, a Durable Object's, it would pile up.
 */
export function inTime(promise, milliseconds) {
  return new Promise((resolve, reject) => {
    setTimeout(reject, milliseconds);
    promise.then(resolve, reject);
  });
}
