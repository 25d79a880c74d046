//! A small HTTP/1.1 server on a loopback port, over TLS if wanted: one request a connection.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

/// A request, as far as an issuer looks at it.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer, and how long to wait before it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) after: Duration,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path.ends_with(path)
    }

    fn read(stream: &mut impl Read) -> Option<Self> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.split(' ');
        let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (path, query) = target.split_once('?').map_or((target.as_str(), None), |(path, query)| (path, Some(query.to_owned())));
        let mut request = Self { method, path: path.to_owned(), query, ..Self::default() };
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let length = request.header("content-length").map_or(0, |length| length.parse().unwrap());
        request.body = vec![0; length];
        reader.read_exact(&mut request.body).ok()?;
        Some(request)
    }
}

impl Answer {
    pub(crate) fn new(status: u16, body: &impl ToString) -> Self {
        Self { status, body: body.to_string().into_bytes(), ..Self::default() }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.remove(name);
        self.headers.push((name.to_owned(), value.into()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers.retain(|(header, _)| header != name);
    }

    fn write(&self, stream: &mut impl Write, is_head: bool) -> std::io::Result<()> {
        std::thread::sleep(self.after);
        let mut head = format!("HTTP/1.1 {} Answer\r\nConnection: close\r\nContent-Length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes())?;
        if !is_head {
            stream.write_all(&self.body)?;
        }
        stream.flush()
    }
}

type Answerer = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// Answers every connection of a listener, each in a thread that ends with the test process.
pub(crate) fn serve(listener: TcpListener, tls: Option<Arc<rustls::ServerConfig>>, answer: Answerer) {
    std::thread::spawn(move || {
        for mut tcp in listener.incoming().flatten() {
            let (tls, answer) = (tls.clone(), Arc::clone(&answer));
            std::thread::spawn(move || match tls {
                None => exchange(&mut tcp, &answer),
                Some(config) => {
                    let connection = rustls::ServerConnection::new(config).unwrap();
                    let mut stream = rustls::StreamOwned::new(connection, tcp);
                    exchange(&mut stream, &answer);
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
        }
    });
}

fn exchange(stream: &mut (impl Read + Write), answer: &Answerer) {
    if let Some(request) = Request::read(stream) {
        let _ = answer(&request).write(stream, request.method == "HEAD");
    }
}
