// What scripts/dev keeps between two starts, all of it private and ignored by git.

/** Key, certificate and CA certificate of --https, in PEM. */
export const TLS = { key: ".dev/tls/key.pem", cert: ".dev/tls/cert.pem", ca: ".dev/tls/ca.pem" };

/** The demo session's token. */
export const TOKEN_FILE = ".dev/session-token";

/** The development key, as a secret of the worker. */
export const SECRETS = ".dev/secrets.env";
