// A deadline for what another service owes.

/** How long the stores may take for all that one request asks of them, in milliseconds. */
export const STORES = 1500;
/** How long a rate limit may take. */
export const LIMITER = 250;

/** What `promise` comes to, or a rejection after so many milliseconds. The timer ends with the request. */
export const inTime = (promise, milliseconds) => new Promise((resolve, reject) => {
  setTimeout(reject, milliseconds);
  promise.then(resolve, reject);
});
