//! An application of axum's on a socket.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Method, Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;

use crate::within;

/// An application on a socket, and a client of it.
pub(crate) struct Served {
    base: String,
    client: Client<HttpConnector, Body>,
}

impl Served {
    /// Serves it.
    pub(crate) async fn new(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("its address"));
        tokio::spawn(async { axum::serve(listener, app).await });
        Self { base, client: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Where it is served.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The response.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Response<Bytes> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body.into()).expect("a request");
        let response = within(path, self.client.request(request)).await.expect("a response");
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(Body::new(body), usize::MAX).await.expect("the body is whole");
        Response::from_parts(head, body)
    }

    /// Status and text.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (u16, String) {
        let response = self.send(method, path, headers, body).await;
        (response.status().as_u16(), String::from_utf8(response.body().to_vec()).expect("it is text"))
    }

    /// Of a `GET`.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        self.ask(Method::GET, path, &[], Body::empty()).await
    }
}

/// What [`Served::ask`] is answered.
pub(crate) fn told(status: u16, text: &str) -> (u16, String) {
    (status, text.to_owned())
}
