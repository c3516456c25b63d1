//! A model behind an HTTP endpoint, against a real server on a free port.
#![allow(clippy::unwrap_used)]

use queqiao_embed::{EmbedError, Embedder, RemoteModel, RemoteOptions, Role};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// A request as the server saw it.
#[derive(Debug, Clone)]
struct Seen {
    path: String,
    authorization: Option<String>,
    body: Value,
}

/// Status, extra header lines, body; `None` drops the connection.
type Reply = Option<(u16, String, String)>;

/// An HTTP/1.1 server that answers as `reply` says, given the number of the request.
struct Server {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    fn start(reply: impl Fn(usize, &Seen) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (reply, all, number) = (
            Arc::new(reply),
            Arc::clone(&seen),
            Arc::new(AtomicUsize::new(0)),
        );
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (reply, all, number) =
                    (Arc::clone(&reply), Arc::clone(&all), Arc::clone(&number));
                std::thread::spawn(move || serve(stream, &*reply, &all, &number));
            }
        });
        Server { url, seen }
    }

    fn options(&self) -> RemoteOptions {
        RemoteOptions {
            url: self.url.clone(),
            model: "bge-m3".to_owned(),
            timeout: Duration::from_secs(5),
            ..RemoteOptions::default()
        }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(
    stream: TcpStream,
    reply: &(dyn Fn(usize, &Seen) -> Reply + Send + Sync),
    all: &Mutex<Vec<Seen>>,
    number: &AtomicUsize,
) {
    let mut out = stream.try_clone().unwrap();
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut authorization) = (0, None);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).unwrap();
            let Some((name, value)) = header.trim_end().split_once(':') else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "authorization" => authorization = Some(value.trim().to_owned()),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let seen = Seen {
            path,
            authorization,
            body: serde_json::from_slice(&body).unwrap(),
        };
        all.lock().unwrap().push(seen.clone());
        let Some((status, headers, body)) = reply(number.fetch_add(1, Ordering::SeqCst), &seen)
        else {
            return;
        };
        write!(
            out,
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n{body}",
            body.len()
        )
        .unwrap();
    }
}

/// Three numbers of a text: its characters, 4, 0.
fn vector(text: &str) -> Vec<f32> {
    vec![text.chars().count() as f32, 4.0, 0.0]
}

/// A good answer, its rows in reverse order.
fn good(seen: &Seen) -> Reply {
    let rows: Vec<Value> = seen.body["input"]
        .as_array()
        .unwrap()
        .iter()
        .enumerate()
        .map(|(i, t)| json!({"object": "embedding", "index": i, "embedding": vector(t.as_str().unwrap())}))
        .rev()
        .collect();
    Some((
        200,
        String::new(),
        json!({"object": "list", "data": rows, "model": "bge-m3"}).to_string(),
    ))
}

fn failure(server: &Server) -> String {
    let model = RemoteModel::connect(RemoteOptions {
        dim: Some(3),
        retries: 1,
        ..server.options()
    })
    .unwrap();
    let error = model.embed(&["甲"], Role::Query).unwrap_err();
    assert!(matches!(error, EmbedError::Endpoint { .. }));
    error.to_string()
}

#[test]
fn batches_prefixes_and_order() {
    let server = Server::start(|_, s| good(s));
    let model = RemoteModel::connect(RemoteOptions {
        api_key: Some("s3cret".to_owned()),
        query_prefix: "query: ".to_owned(),
        batch: 2,
        parallel: 3,
        ..server.options()
    })
    .unwrap();
    assert_eq!(model.dim(), 3);
    let texts = ["a", "bb", " ", "ccc", "dddd", "eeeee"];
    let rows = model.embed(&texts, Role::Query).unwrap();
    for (row, text) in rows.rows().into_iter().zip(texts) {
        let n = text.chars().count() as f32 + 7.0;
        let length = n.hypot(4.0);
        let want = if text == " " {
            [0.0; 3]
        } else {
            [n / length, 4.0 / length, 0.0]
        };
        assert!(
            row.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-6),
            "{text}: {row}"
        );
    }
    let seen = server.seen();
    // The first asks for the dimension; five texts make three batches.
    assert_eq!(seen.len(), 4);
    for s in &seen {
        assert_eq!(s.path, "/v1/embeddings");
        assert_eq!(s.authorization.as_deref(), Some("Bearer s3cret"));
        assert_eq!(s.body["model"], "bge-m3");
        assert_eq!(s.body["encoding_format"], "float");
        assert!(s.body["input"].as_array().unwrap().len() <= 2);
    }
    let passage = model.embed_one("a", Role::Passage).unwrap();
    assert!((passage[0] - 1.0 / 1f32.hypot(4.0)).abs() < 1e-6);
    assert!(!format!("{model:?}").contains("s3cret"));
}

#[test]
fn what_passes_is_tried_again() {
    let server = Server::start(|n, s| match n {
        0 => Some((503, String::new(), "loading".to_owned())),
        1 => None,
        2 => Some((429, "retry-after: 0\r\n".to_owned(), String::new())),
        _ => good(s),
    });
    let model = RemoteModel::connect(RemoteOptions {
        dim: Some(3),
        ..server.options()
    })
    .unwrap();
    assert!(model.embed(&["甲"], Role::Query).is_ok());
    assert_eq!(server.seen().len(), 4);
}

#[test]
fn what_lasts_is_told_at_once() {
    let answers: [(&str, u16, String); 8] = [
        ("status 401: no such key", 401, "no such key".to_owned()),
        ("not of the form", 200, "{\"vectors\": []}".to_owned()),
        ("not of the form", 200, "<html>".to_owned()),
        ("with 0 vectors", 200, json!({"data": []}).to_string()),
        (
            "4 numbers a vector where it gave 3",
            200,
            json!({"data": [{"index": 0, "embedding": [1, 2, 3, 4]}]}).to_string(),
        ),
        (
            "out of range",
            200,
            json!({"data": [{"index": 7, "embedding": [1, 2, 3]}]}).to_string(),
        ),
        (
            "number out of range",
            200,
            "{\"data\": [{\"index\": 0, \"embedding\": [1, 2, 1e39]}]}".to_owned(),
        ),
        ("status 302", 302, String::new()),
    ];
    for (told, status, body) in answers {
        let server = Server::start(move |_, _| Some((status, String::new(), body.clone())));
        let shown = failure(&server);
        assert!(shown.contains(told), "{shown}");
        assert_eq!(server.seen().len(), 1, "{told}");
    }
}

#[test]
fn another_dimension_halfway() {
    let server = Server::start(|n, s| match n {
        0 | 1 => good(s),
        _ => Some((
            200,
            String::new(),
            json!({"data": [{"index": 0, "embedding": [1.0, 2.0]}]}).to_string(),
        )),
    });
    let model = RemoteModel::connect(RemoteOptions {
        batch: 1,
        parallel: 1,
        ..server.options()
    })
    .unwrap();
    let e = model.embed(&["a", "b", "c"], Role::Query).unwrap_err();
    assert!(
        e.to_string()
            .contains("2 numbers a vector where it gave 3 before"),
        "{e}"
    );
}

#[test]
fn a_failing_endpoint_is_left_alone() {
    let server = Server::start(|n, s| {
        if n < 4 {
            Some((500, String::new(), String::new()))
        } else {
            good(s)
        }
    });
    let pause = Duration::from_millis(300);
    let model = RemoteModel::connect(RemoteOptions {
        dim: Some(3),
        retries: 1,
        breaker_failures: 2,
        breaker_pause: pause,
        ..server.options()
    })
    .unwrap();
    for _ in 0..2 {
        assert!(model.embed(&["a"], Role::Query).is_err());
    }
    assert_eq!(server.seen().len(), 4);
    let e = model.embed(&["a"], Role::Query).unwrap_err();
    assert!(e.to_string().contains("left alone"), "{e}");
    assert_eq!(server.seen().len(), 4);
    std::thread::sleep(pause);
    assert!(model.embed(&["a"], Role::Query).is_ok());
    assert!(model.embed(&["a"], Role::Query).is_ok());
}

#[test]
fn a_silent_endpoint_costs_no_more_than_the_time_out() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let model = RemoteModel::connect(RemoteOptions {
        url: format!("http://{}/v1", listener.local_addr().unwrap()),
        model: "m".to_owned(),
        dim: Some(3),
        timeout: Duration::from_millis(200),
        ..RemoteOptions::default()
    })
    .unwrap();
    let start = Instant::now();
    assert!(model.embed(&["a"], Role::Query).is_err());
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn bad_options_are_told() {
    let refused = |o: RemoteOptions| RemoteModel::connect(o).unwrap_err().to_string();
    let base = RemoteOptions {
        url: "http://127.0.0.1:9/v1".to_owned(),
        model: "m".to_owned(),
        dim: Some(3),
        ..RemoteOptions::default()
    };
    assert!(
        refused(RemoteOptions {
            url: "localhost:80".into(),
            ..base.clone()
        })
        .contains("`url`")
    );
    assert!(
        refused(RemoteOptions {
            model: " ".into(),
            ..base.clone()
        })
        .contains("`model`")
    );
    assert!(
        refused(RemoteOptions {
            batch: 0,
            ..base.clone()
        })
        .contains("`batch`")
    );
    assert!(
        refused(RemoteOptions {
            api_key: Some("a\nb".into()),
            ..base.clone()
        })
        .contains("`api_key`")
    );
    // Nobody listens there: the address is named.
    let e = refused(RemoteOptions {
        dim: None,
        retries: 0,
        ..base
    });
    assert!(e.contains("127.0.0.1:9"), "{e}");
}
