// A deadline for a promise: the one thing about waiting that is cheaper said in JavaScript.

/** What `promise` comes to, or a rejection after so many milliseconds. */
export function inTime(promise, milliseconds) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(reject, milliseconds);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      () => {
        clearTimeout(timer);
        reject();
      },
    );
  });
}
