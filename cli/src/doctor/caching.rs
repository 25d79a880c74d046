//! The documents through caches: how long they may be kept, entity tags, HEAD, CORS, query strings, and whether every
//! edge says the same (RFC 9110 §8.8, §9.3.2, §13; RFC 9111 §5.2).

use ureq::http::Method;

use super::outcome::{Check, Fault};
use super::probe::{Probe, Reply, Seen, Unseen};
use super::transport::Names;

/// A day, the notice that a new key gives: a copy that is kept longer misses the rotation.
const MAX_AGE: u64 = 86_400;
/// How often a document is fetched, to see whether every answer is the same.
const FETCHES: usize = 3;

/// The checks of one document that was answered with 200.
pub(super) fn checks(probe: &Probe, names: &Names, url: &str, first: &Seen) -> Vec<Check> {
    let etag = etag(names, first);
    let not_modified = match &etag {
        Ok(tag) => seen(names.not_modified, probe.ask(&Method::GET, url, &[("if-none-match", tag)]), |second| not_modified(names, second)),
        Err(_) => Check::skip(names.not_modified, "There is no strong entity tag to ask with."),
    };
    vec![
        Check::of(names.cache, cache(names, first)),
        Check::of(names.etag, etag.map(|_| "It has a strong entity tag.")),
        not_modified,
        seen(names.head, probe.ask(&Method::HEAD, url, &[]), |head| self::head(names, first, head)),
        Check::of(names.cors, cors(names, first)),
        seen(names.query, probe.get(&with_query(url)), |second| query(names, first, second)),
        repeat(probe, names, url, first),
    ]
}

/// A check of a further answer.
fn seen(id: &'static str, reply: Reply, judge: impl FnOnce(&Seen) -> Result<&'static str, Fault>) -> Check {
    match reply {
        Ok(seen) => Check::of(id, judge(&seen)),
        Err(unseen @ Unseen::OutOfTime) => unseen.check(id),
        Err(unseen) => Check::fail(id, format!("A further request {unseen}."), "Run doctor again: the issuer answers at times only."),
    }
}

fn cache(names: &Names, first: &Seen) -> Result<String, Fault> {
    let what = names.document;
    let directives = first.cache_control();
    if directives.iter().any(|directive| matches!(directive.as_str(), "no-store" | "no-cache" | "private")) {
        return Err(Fault::warn(
            format!("{what} may not be cached: every verifier fetches it every time, and fails with the issuer."),
            "Send Cache-Control: public, max-age=900.",
        ));
    }
    let max_age =
        directives.iter().find_map(|directive| directive.strip_prefix("max-age=")).map(|seconds| seconds.trim_matches('"').parse::<u64>());
    match max_age {
        Some(Ok(seconds)) if seconds <= MAX_AGE => Ok(format!("It may be cached for {seconds} seconds.")),
        Some(Ok(seconds)) => Err(Fault::warn(
            format!("{what} may be cached for {seconds} seconds, which is longer than the day's notice that a new key gives."),
            "Send Cache-Control: public, max-age=900, and purge the caches that hold the longer one.",
        )),
        _ => Err(Fault::warn(
            format!("{what} does not say how long it may be cached, and every cache guesses."),
            "Send Cache-Control: public, max-age=900.",
        )),
    }
}

/// The strong entity tag.
fn etag(names: &Names, first: &Seen) -> Result<String, Fault> {
    let tag = first.header("etag");
    let is_strong = |tag: &str| tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"') && tag.matches('"').count() == 2;
    tag.filter(|tag| is_strong(tag)).ok_or_else(|| {
        Fault::warn(
            format!("{} has no strong entity tag: caches fetch it whole, and nobody can tell two versions apart.", names.document),
            "Send a strong ETag; what stands in front must not change the document (a compressing proxy makes the tag weak).",
        )
    })
}

fn not_modified(names: &Names, second: &Seen) -> Result<&'static str, Fault> {
    if second.status == 304 && second.body.is_empty() {
        return Ok("If-None-Match with its tag is answered with 304.");
    }
    Err(Fault::warn(
        format!("{} answers If-None-Match with its own tag with status {}, not 304.", names.document, second.status),
        "Answer 304 where the tag is the document's: a proxy in front may be taking the header off.",
    ))
}

fn head(names: &Names, first: &Seen, head: &Seen) -> Result<&'static str, Fault> {
    let differs = ["content-type", "cache-control", "etag"].into_iter().find(|name| first.header(name) != head.header(name));
    let differs = if head.status == first.status { differs } else { Some("status") };
    differs.map_or(Ok("HEAD answers like GET."), |what| {
        Err(Fault::warn(format!("HEAD of {} has another {what} than GET.", names.document), "Answer HEAD as GET, without the body."))
    })
}

fn cors(names: &Names, first: &Seen) -> Result<&'static str, Fault> {
    if first.header("access-control-allow-origin").as_deref() == Some("*") {
        return Ok("Any origin may read it.");
    }
    Err(Fault::warn(
        format!("{} cannot be read by scripts of other origins.", names.document),
        "Send Access-Control-Allow-Origin: *; the document is public.",
    ))
}

fn with_query(url: &str) -> String {
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}doctor=1")
}

fn query(names: &Names, first: &Seen, second: &Seen) -> Result<&'static str, Fault> {
    if second.status == first.status && second.body == first.body {
        return Ok("A query string changes nothing.");
    }
    Err(Fault::warn(
        format!("{} is another one, or none, where the URL has a query string.", names.document),
        "Ignore query strings on this path; look for a rule in front that does not.",
    ))
}

fn repeat(probe: &Probe, names: &Names, url: &str, first: &Seen) -> Check {
    for _ in 1..FETCHES {
        let again = seen(names.repeat, probe.get(url), |again| {
            if again.status == first.status && again.body == first.body && again.header("etag") == first.header("etag") {
                return Ok("Every answer was the same.");
            }
            Err(Fault::fail(
                format!(
                    "Two answers of {} differ within seconds: some edges, or instances, have another configuration or other keys.",
                    names.document
                ),
                "If a deployment is under way, run doctor again in a minute; else see that one version alone is deployed.",
            ))
        });
        if again.result != super::outcome::Outcome::Pass {
            return again;
        }
    }
    Check::pass(names.repeat, format!("{FETCHES} answers were the same."))
}
