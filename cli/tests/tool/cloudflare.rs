//! A double of Cloudflare's API, as far as `wrangler kv` uses it: a namespace in memory, on a loopback port.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// The only credential it takes.
pub(crate) const API_TOKEN: &str = "an-api-token-of-nobody";
/// How many keys it lists at a time, so that a listing has pages.
const PAGE: usize = 1;

type Pairs = Arc<Mutex<BTreeMap<String, Value>>>;

/// A running double. Its thread ends with the test process.
pub(crate) struct Cloudflare {
    address: String,
    pairs: Pairs,
}

struct Request {
    line: String,
    authorized: bool,
    body: Value,
}

impl Cloudflare {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let pairs = Pairs::default();
        let shared = Arc::clone(&pairs);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, &shared);
            }
        });
        Self { address, pairs }
    }

    /// What wrangler takes as the API's address.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The keys that are there.
    pub(crate) fn keys(&self) -> Vec<String> {
        self.pairs.lock().unwrap().keys().cloned().collect()
    }

    /// What was stored under a key: value, expiration, metadata.
    pub(crate) fn pair(&self, key: &str) -> Value {
        self.pairs.lock().unwrap().get(key).cloned().unwrap_or_default()
    }

    /// Stores a text as somebody else would.
    pub(crate) fn put(&self, key: &str, value: &str) {
        self.pairs.lock().unwrap().insert(key.to_owned(), json!({ "key": key, "value": value }));
    }
}

fn answer(mut stream: TcpStream, pairs: &Pairs) {
    let Some(request) = read(&mut stream) else { return };
    let (status, result, cursor) = if request.authorized {
        act(&request, &mut pairs.lock().unwrap())
    } else {
        (403, json!([{ "code": 10000, "message": "Authentication error" }]), None)
    };
    let success = status == 200;
    let (result, errors) = if success { (result, json!([])) } else { (Value::Null, result) };
    let body =
        json!({ "success": success, "result": result, "errors": errors, "messages": [], "result_info": { "cursor": cursor } }).to_string();
    let head = format!(
        "HTTP/1.1 {status} Answer\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        lines
            .iter()
            .skip(1)
            .filter_map(|line| line.split_once(": "))
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let authorized = header("authorization") == Some(&format!("Bearer {API_TOKEN}"));
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { line: lines.first()?.clone(), authorized, body: serde_json::from_slice(&body).unwrap_or_default() })
}

/// The status, the result or the errors, and the cursor of the next page.
fn act(request: &Request, pairs: &mut BTreeMap<String, Value>) -> (u16, Value, Option<String>) {
    let mut words = request.line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let (_, action) = path.split_once("/storage/kv/namespaces/0123456789abcdef0123456789abcdef/").unwrap_or_default();
    let texts = |value: &Value| -> Vec<String> { value.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect() };
    match (method, action) {
        ("GET", "keys") => {
            let parameter = |name: &str| {
                query
                    .split('&')
                    .filter_map(|pair| pair.split_once('='))
                    .find(|(known, _)| *known == name)
                    .map(|(_, value)| value.replace("%2F", "/"))
            };
            let (prefix, after) = (parameter("prefix").unwrap_or_default(), parameter("cursor").unwrap_or_default());
            let found: Vec<&Value> =
                pairs.iter().filter(|(key, _)| key.starts_with(&prefix) && **key > after).map(|(_, pair)| pair).collect();
            let page = found
                .iter()
                .take(PAGE)
                .map(|pair| json!({ "name": pair["key"], "expiration": pair["expiration"], "metadata": pair["metadata"] }));
            let cursor = found.get(PAGE).and_then(|_| found[PAGE - 1]["key"].as_str()).map(ToOwned::to_owned);
            (200, page.collect(), cursor)
        }
        ("POST", "bulk/get") => {
            let keys = texts(&request.body["keys"]);
            let values = keys.into_iter().filter_map(|key| pairs.get(&key).map(|pair| (key, pair["value"].clone())));
            (200, json!({ "values": values.collect::<serde_json::Map<_, _>>() }), None)
        }
        ("PUT", "bulk") => {
            let soonest = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs() + 60;
            for pair in request.body.as_array().unwrap() {
                if pair["expiration"].as_u64().unwrap() < soonest {
                    return (400, json!([{ "code": 10018, "message": "Invalid expiration" }]), None);
                }
                pairs.insert(pair["key"].as_str().unwrap().to_owned(), pair.clone());
            }
            (200, json!({ "successful_key_count": 2, "unsuccessful_keys": [] }), None)
        }
        ("DELETE", "bulk") => {
            for key in texts(&request.body) {
                pairs.remove(&key);
            }
            (200, json!({}), None)
        }
        _ => (404, json!([{ "code": 7003, "message": "no such route" }]), None),
    }
}
