// How else a route's path can be spelt: each entry makes a request target of it.

const inside = (path, text) => path.replace(/(?!^)\//, () => text);
const lastLetter = (path, change) => path.slice(0, -1) + change(path.at(-1));
const percent = (text) => `%${text.charCodeAt(0).toString(16)}`;

/**
 * The same target. The runtime hands on a path as it was sent: it resolves no dot segment and decodes nothing. So it is one in
 * absolute form (RFC 9112 §3.2.2), whatever its scheme and authority, and one with a query or a fragment.
 */
export const SAME = {
  "absolute form": (path) => `http://issuer.test${path}`,
  "absolute form, another host": (path) => `http://other.example${path}`,
  "absolute form, https": (path) => `https://other.example${path}`,
  "absolute form, upper-case scheme": (path) => `HTTP://other.example${path}`,
  "absolute form, a scheme that is no web's": (path) => `ftp://other.example${path}`,
  "absolute form with user information": (path) => `http://user:password@other.example${path}`,
  "absolute form with a port that is none": (path) => `http://other.example:99999${path}`,
  "absolute form with an address": (path) => `http://[::1]:8787${path}`,
  "an empty query": (path) => `${path}?`,
  "a query that is a path": (path) => `${path}?/../x`,
  "a query with a URL": (path) => `${path}?http://other.example/x`,
  "a query of dots and slashes": (path) => `${path}?%2e%2e%2f//;#`,
  "a fragment": (path) => `${path}#x`,
  "a fragment that is a path": (path) => `${path}#/../x`,
};

/** Another path, which looks like the route to somebody who decodes, resolves, folds case, or cuts off. */
export const OTHER = {
  "a trailing slash": (path) => `${path}/`,
  "two slashes in front": (path) => `/${path}`,
  "two slashes inside": (path) => inside(path, "//"),
  "a host in front": (path) => `//other.example${path}`,
  "a dot segment in front": (path) => `/.${path}`,
  "a dot segment inside": (path) => inside(path, "/./"),
  "a dot segment behind": (path) => `${path}/.`,
  "a parent behind": (path) => `${path}/x/..`,
  "a parent in front": (path) => `/x/..${path}`,
  "a parent above the root": (path) => `/..${path}`,
  "an encoded parent": (path) => `/x/%2e%2e${path}`,
  "a half-encoded parent": (path) => `/x/.%2E${path}`,
  "an encoded dot segment": (path) => `/%2e${path}`,
  "a parent with a parameter": (path) => `/x/..;${path}`,
  "an encoded slash inside": (path) => inside(path, "%2f"),
  "an encoded slash inside, upper case": (path) => inside(path, "%2F"),
  "an encoded slash behind": (path) => `${path}%2f`,
  "a slash encoded twice": (path) => inside(path, "%252f"),
  "an overlong slash": (path) => inside(path, "%c0%af"),
  "a backslash inside": (path) => inside(path, "\\"),
  "an encoded backslash inside": (path) => inside(path, "%5c"),
  "an encoded letter": (path) => lastLetter(path, percent),
  "a letter encoded twice": (path) => lastLetter(path, (letter) => percent(letter).replace("%", "%25")),
  "an encoded first letter": (path) => path.replace(/^\/(.)/, (_, letter) => `/${percent(letter)}`),
  "upper case": (path) => path.toUpperCase(),
  "one upper-case letter": (path) => lastLetter(path, (letter) => letter.toUpperCase()),
  "a parameter": (path) => `${path};x=y`,
  "a parameter inside": (path) => inside(path, ";x/"),
  "an encoded question mark": (path) => `${path}%3f`,
  "an encoded hash": (path) => `${path}%23`,
  "an encoded NUL": (path) => `${path}%00`,
  "an encoded blank": (path) => `${path}%20`,
  "an encoded line break and a header": (path) => `${path}%0d%0aAuthorization:%20Bearer%20x`,
  "a percent sign that encodes nothing": (path) => `${path}%`,
  "an extension that caches love": (path) => `${path}.css`,
  "an extension behind a slash": (path) => `${path}/x.js`,
  "an extension behind an encoded line break": (path) => `${path}%0ax.png`,
  "an extension behind a parameter": (path) => `${path};x.jpg`,
  "a query in front": (path) => `/?${path}`,
  "a fragment in front": (path) => `/#${path}`,
  "a URL in the path": (path) => `/http://issuer.test${path}`,
  "a URL in the query": (path) => `/?http://issuer.test${path}`,
  "an absolute form whose path is a query": (path) => `http://other.example?${path}`,
  "an absolute form whose path is a fragment": (path) => `http://other.example#${path}`,
  "an absolute form of an absolute form": (path) => `http://http://issuer.test${path}`,
  "an absolute form with a dot segment": (path) => `http://issuer.test/.${path}`,
  "an absolute form with two slashes": (path) => `http://issuer.test/${path}`,
};

/** No target at all. */
export const REFUSED = {
  "a star in front": (path) => `*${path}`,
  "a backslash in front": (path) => `\\${path.slice(1)}`,
  "a blank in front": (path) => ` ${path}`,
  "a blank inside": (path) => inside(path, "/ "),
  "a tabulator behind": (path) => `${path}\t`,
  "a NUL inside": (path) => inside(path, "/\0"),
  "a NUL behind": (path) => `${path}\0`,
  "a carriage return behind": (path) => `${path}\r`,
  "a control character inside": (path) => inside(path, "/\x01"),
  "a delete character inside": (path) => inside(path, "/\x7f"),
  "a letter above ASCII": (path) => `${path}\xe9`,
  "an absolute form without an authority": (path) => `http://${path}`,
  "an absolute form with one slash": (path) => `http:${path}`,
  "an absolute form with an open bracket": (path) => `http://[::1${path}`,
  "an absolute form with a blank": (path) => `http://a b${path}`,
  "an absolute form with a backslash": (path) => `http://issuer.test\\${path}`,
  "a scheme without an authority": (path) => `mailto:x${path}`,
};
