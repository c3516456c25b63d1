//! Where an issuer publishes its keys: a file that is read again when it changes, or an address that is asked
//! every hour.

use super::{
    super::{
        AccessError,
        ring::{LOOK, Stamp, stamp},
    },
    KeySet,
};
use queqiao_domain::Bilingual;
use std::{
    fmt, fs,
    path::PathBuf,
    str::FromStr,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

/// A set of keys is at most so many bytes.
const MAX_BYTES: u64 = 1 << 20;
/// The address answers within this time, or not.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the keys of an issuer stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JwksSource {
    /// In a file.
    File(PathBuf),
    /// At an address: https, or http on this machine.
    Url(String),
}

impl FromStr for JwksSource {
    type Err = Bilingual;

    fn from_str(s: &str) -> Result<Self, Bilingual> {
        if s.starts_with("https://") {
            return Ok(JwksSource::Url(s.to_owned()));
        }
        let Some(rest) = s.strip_prefix("http://") else {
            return Ok(JwksSource::File(PathBuf::from(s)));
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        // What stands before an @ is no host.
        let here = ["localhost", "127.0.0.1", "[::1]"].into_iter().any(|h| {
            let port = host
                .strip_prefix(h)
                .map(|p| p.strip_prefix(':').unwrap_or(p));
            port.is_some_and(|p| p.chars().all(|c| c.is_ascii_digit()))
        });
        match here {
            true => Ok(JwksSource::Url(s.to_owned())),
            false => Err(Bilingual::new(
                format!(
                    "{s} could be changed on its way, and with it who may come in: use https, or a file"
                ),
                format!("{s} 可能在途中被篡改，从而改变谁可进入：请使用 https 或文件"),
            )),
        }
    }
}

impl fmt::Display for JwksSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JwksSource::File(path) => write!(f, "{}", path.display()),
            JwksSource::Url(url) => f.write_str(url),
        }
    }
}

/// How often an address is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// When all is well.
    pub(super) every: Duration,
    /// At least this long after the time before, when it did not answer or a token names a key that is not
    /// known: the issuer may have changed its keys, or somebody makes tokens up.
    pub(super) again: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            every: Duration::from_secs(3_600),
            again: Duration::from_secs(60),
        }
    }
}

/// The keys as they are now.
#[derive(Debug)]
pub(super) enum Published {
    File(Watched),
    Url(Asked),
}

impl Published {
    pub(super) fn open(source: &JwksSource, pace: Pace) -> Result<Self, AccessError> {
        Ok(match source {
            JwksSource::File(path) => Published::File(Watched::open(path.clone())?),
            JwksSource::Url(url) => Published::Url(Asked::start(url.clone(), pace)),
        })
    }

    pub(super) fn keys(&self) -> Arc<KeySet> {
        match self {
            Published::File(f) => f.keys(),
            Published::Url(a) => a.keys(),
        }
    }

    /// A token names a key that is none of these.
    pub(super) fn missed(&self) {
        if let Published::Url(a) = self {
            // Full: it is asked anyway.
            let _ = a.ask.try_send(());
        }
    }
}

/// A file, read again when it changes.
#[derive(Debug)]
pub(super) struct Watched {
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    looked: Instant,
    stamp: Option<Stamp>,
    keys: Arc<KeySet>,
}

impl Watched {
    fn open(path: PathBuf) -> Result<Self, AccessError> {
        let state = State {
            looked: Instant::now(),
            stamp: stamp(&path).ok(),
            keys: Arc::new(read(&path)?),
        };
        Ok(Watched {
            path,
            state: Mutex::new(state),
        })
    }

    /// The keys that the file holds, or those that it held when it last read.
    fn keys(&self) -> Arc<KeySet> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK {
            state.looked = Instant::now();
            let now = stamp(&self.path).ok();
            if now.is_some() && now != state.stamp {
                state.stamp = now;
                match read(&self.path) {
                    Ok(keys) => state.keys = Arc::new(keys),
                    Err(e) => tracing::error!(
                        "the issuer's keys do not read; those from before stay: {}",
                        e.message()
                    ),
                }
            }
        }
        Arc::clone(&state.keys)
    }
}

/// The keys in a file.
pub(super) fn read(path: &std::path::Path) -> Result<KeySet, AccessError> {
    let text = fs::read_to_string(path).map_err(|source| AccessError::Io {
        doing: "reading",
        path: path.to_owned(),
        source,
    })?;
    KeySet::parse(&text).map_err(|problem| AccessError::Damaged {
        path: path.to_owned(),
        problem,
    })
}

/// An address that a thread of its own asks, so that no request waits for it. The thread ends with this.
#[derive(Debug)]
pub(super) struct Asked {
    keys: Arc<Mutex<Arc<KeySet>>>,
    ask: SyncSender<()>,
}

impl Asked {
    /// Asks once before it returns; a server starts while its issuer does not answer, and lets nobody in by token
    /// until it does.
    fn start(url: String, pace: Pace) -> Self {
        let keys = Arc::new(Mutex::new(Arc::new(KeySet(Vec::new()))));
        let (ask, asked) = sync_channel(1);
        let there = fetch(&url, &keys);
        let kept = Arc::clone(&keys);
        let asking = move || keep(&url, &kept, &asked, pace, there);
        let thread = std::thread::Builder::new().name("jwks".to_owned());
        if let Err(e) = thread.spawn(asking) {
            tracing::error!("the issuer's keys are not asked for again: {e}");
        }
        Asked { keys, ask }
    }

    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn keep(url: &str, keys: &Mutex<Arc<KeySet>>, asked: &Receiver<()>, pace: Pace, mut there: bool) {
    loop {
        let last = Instant::now();
        let wait = if there { pace.every } else { pace.again };
        match asked.recv_timeout(wait) {
            Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
            Ok(()) => std::thread::sleep(pace.again.saturating_sub(last.elapsed())),
        }
        there = fetch(url, keys);
    }
}

/// Whether the address gave a set of keys, which then are those that count.
fn fetch(url: &str, keys: &Mutex<Arc<KeySet>>) -> bool {
    match ask(url) {
        Ok(set) => {
            *keys.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
            true
        }
        Err(problem) => {
            tracing::error!("{url} gives no keys, and those from before stay: {problem}");
            false
        }
    }
}

fn ask(url: &str) -> Result<KeySet, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        // What is not encrypted does not leave the machine.
        .proxy(match url.starts_with("https://") {
            true => ureq::Proxy::try_from_env(),
            false => None,
        })
        // Whoever can redirect it could name other keys.
        .max_redirects(0)
        .max_redirects_will_error(true)
        .build()
        .into();
    let mut answer = agent.get(url).call().map_err(|e| e.to_string())?;
    let body = answer.body_mut().with_config().limit(MAX_BYTES);
    let text = body.read_to_string().map_err(|e| e.to_string())?;
    KeySet::parse(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead, BufReader, Write},
        net::TcpListener,
        sync::atomic::{AtomicUsize, Ordering},
    };

    const PACE: Pace = Pace {
        every: Duration::from_secs(600),
        again: Duration::from_millis(50),
    };

    /// What an issuer answers, and how often it was asked.
    struct Issuer {
        url: String,
        answer: Arc<Mutex<String>>,
        asked: Arc<AtomicUsize>,
    }

    impl Issuer {
        fn start(answer: String) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
            let this = Issuer {
                url,
                answer: Arc::new(Mutex::new(answer)),
                asked: Arc::default(),
            };
            let (answer, asked) = (Arc::clone(&this.answer), Arc::clone(&this.asked));
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let mut stream = stream.unwrap();
                    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
                    for line in lines {
                        if line.unwrap().is_empty() {
                            break;
                        }
                    }
                    asked.fetch_add(1, Ordering::SeqCst);
                    let _ = stream.write_all(answer.lock().unwrap().as_bytes());
                }
            });
            this
        }

        fn says(&self, answer: String) {
            *self.answer.lock().unwrap() = answer;
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        fn open(&self) -> Published {
            Published::open(&self.url.parse().unwrap(), PACE).unwrap()
        }
    }

    fn ok(body: &str) -> String {
        let n = body.len();
        format!("HTTP/1.1 200 OK\r\ncontent-length: {n}\r\nconnection: close\r\n\r\n{body}")
    }

    fn set(kid: &str) -> String {
        ok(&format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"AA"}}]}}"#
        ))
    }

    fn kid(p: &Published) -> Option<String> {
        p.keys().0.first().and_then(|k| k.kid.clone())
    }

    #[track_caller]
    fn soon(what: impl Fn() -> bool) {
        let until = Instant::now() + Duration::from_secs(10);
        while !what() {
            assert!(Instant::now() < until, "this should not take long");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn new_keys_are_asked_for_when_a_token_names_one_and_not_at_will() {
        let i = Issuer::start(set("a"));
        let p = i.open();
        assert_eq!((kid(&p).as_deref(), i.asked()), (Some("a"), 1));
        i.says(set("b"));
        // However many made-up tokens there are, it is asked once in a while.
        for _ in 0..1_000 {
            p.missed();
        }
        soon(|| kid(&p).as_deref() == Some("b"));
        std::thread::sleep(PACE.again * 4);
        assert!(i.asked() <= 4, "{}", i.asked());
    }

    #[test]
    fn keys_stay_while_the_issuer_says_nothing_that_reads() {
        let i = Issuer::start(set("a"));
        let p = i.open();
        let elsewhere =
            "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n";
        for bad in [
            "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n".to_owned(),
            elsewhere.to_owned(),
            ok("<html>"),
            ok(r#"{"keys":[]}"#),
            ok(&" ".repeat(usize::try_from(MAX_BYTES).unwrap() + 1)),
            String::new(),
        ] {
            let before = i.asked();
            i.says(bad.clone());
            p.missed();
            soon(|| i.asked() > before);
            assert_eq!(kid(&p).as_deref(), Some("a"), "{bad:.40}");
        }
        // And asks again by itself.
        i.says(set("c"));
        soon(|| kid(&p).as_deref() == Some("c"));
    }

    #[test]
    fn a_server_starts_before_its_issuer_and_lets_nobody_in() {
        let i = Issuer::start(String::new());
        let p = i.open();
        assert_eq!(kid(&p), None);
        i.says(set("a"));
        soon(|| kid(&p).is_some());
    }

    #[test]
    fn what_could_be_changed_on_its_way_is_refused() {
        for good in [
            "jwks.json",
            "/etc/jwks.json",
            "https://id.example.org/jwks",
            "http://127.0.0.1:8080/jwks",
            "http://localhost/jwks",
            "http://[::1]/jwks",
            "http://[::1]:8080/jwks",
        ] {
            let s: JwksSource = good.parse().unwrap();
            assert_eq!(s.to_string(), good);
        }
        for bad in [
            "http://id.example.org/jwks",
            "http://127.0.0.1.example.org/",
            "http://localhost@example.org/",
            "http://localhost:x@example.org/",
            "http://localhost:80@example.org/",
            "http://[::1]:80@example.org/",
        ] {
            let e = bad.parse::<JwksSource>().unwrap_err();
            assert!(e.en.contains("https") && !e.zh.is_ascii(), "{bad}: {e:?}");
        }
    }
}
