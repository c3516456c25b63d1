//! Plain HTTP beside gRPC on the same port: `/healthz`, `/readyz`, `/metrics`.
//!
//! Probes are answered to anyone and at any load; the figures only to the role `monitor`.

use crate::{
    access::{Gate, Refused, Role, methods::Need},
    app::App,
    metrics::{self, Metrics},
    tls::Tls,
};
use http::{HeaderValue, Method, StatusCode, header};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::sync::watch;
use tonic::{Code, body::Body};
use tower::Service;

type Request = http::Request<Body>;
type Response = http::Response<Body>;

/// What the pages are made from.
#[derive(Clone)]
pub(crate) struct Pages {
    pub(crate) app: Arc<App>,
    pub(crate) gate: Arc<Gate>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) serving: watch::Receiver<bool>,
}

/// Answers probes and scrapes itself, and hands everything else on.
#[derive(Clone)]
pub(crate) struct Front<S> {
    pub(crate) pages: Pages,
    pub(crate) inner: S,
}

#[derive(Clone, Copy)]
enum Page {
    Alive,
    Ready,
    Metrics,
}

fn page(request: &Request) -> Option<Page> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return None;
    }
    match request.uri().path() {
        "/healthz" => Some(Page::Alive),
        "/readyz" => Some(Page::Ready),
        "/metrics" => Some(Page::Metrics),
        _ => None,
    }
}

impl Pages {
    async fn answer(self, page: Page, request: Request) -> Response {
        match page {
            Page::Alive => text(StatusCode::OK, "ok\n".to_owned()),
            Page::Ready => self.ready(),
            Page::Metrics => match self
                .gate
                .admit(request.headers(), Some(Need::InAll(Role::Monitor)))
            {
                Ok(_) => self.metrics().await,
                Err(Refused { status: s, .. }) => {
                    let code = match s.code() {
                        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
                        _ => StatusCode::FORBIDDEN,
                    };
                    text(code, format!("{}\n", s.message()))
                }
            },
        }
    }

    fn ready(&self) -> Response {
        if !*self.serving.borrow() {
            return text(StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned());
        }
        match self.app.engine.health() {
            Ok(()) => text(StatusCode::OK, "ready\n".to_owned()),
            // Why is for the log and the operator's doctor: a probe may be anyone's.
            Err(_) => text(
                StatusCode::SERVICE_UNAVAILABLE,
                "an index does not answer in full\n".to_owned(),
            ),
        }
    }

    async fn metrics(self) -> Response {
        let done = tokio::task::spawn_blocking(move || {
            let certificate = self.tls.as_ref().map(|t| t.expires());
            self.metrics.encode(&self.app, certificate)
        });
        match done.await {
            Ok(figures) => {
                let mut response = text(StatusCode::OK, figures);
                let kind = HeaderValue::from_static(metrics::CONTENT_TYPE);
                response.headers_mut().insert(header::CONTENT_TYPE, kind);
                response
            }
            Err(_) => text(StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        }
    }
}

fn text(status: StatusCode, body: String) -> Response {
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

impl<S> Service<Request> for Front<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match page(&request) {
            Some(page) => {
                let pages = self.pages.clone();
                Box::pin(async move { Ok(pages.answer(page, request).await) })
            }
            None => Box::pin(self.inner.call(request)),
        }
    }
}
