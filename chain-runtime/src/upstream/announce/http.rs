//! [`HttpPost`]: posts over plain HTTP.

use core::fmt;
use std::boxed::Box;
use std::string::{String, ToString as _};

use ::http::header::{AUTHORIZATION, CONTENT_TYPE};
use ::http::uri::InvalidUri;
use ::http::{HeaderValue, Request, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::Post;

/// Posts to a [`Registrar`](crate::upstream::Registrar) over plain HTTP/1.1, with a token. It needs the feature
/// `proxy`.
///
/// ```
/// use chain_runtime::upstream::HttpPost;
///
/// let post = HttpPost::to("http://127.0.0.1:9090/upstreams/orders")?.token("a-token-of-24-characters")?;
/// # drop(post);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct HttpPost {
    base: String,
    token: Option<HeaderValue>,
    client: Client<HttpConnector, Full<Bytes>>,
}

/// The most bytes of a reply.
const REPLY: usize = 16 << 10;

impl HttpPost {
    /// Posts to the registrar that is mounted at this URL.
    ///
    /// # Errors
    ///
    /// If it is no URL.
    pub fn to(url: &str) -> Result<Self, InvalidUri> {
        url.parse::<Uri>()?;
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build_http();
        Ok(Self { base: url.trim_end_matches('/').to_string(), token: None, client })
    }

    /// Sends this token, as `Authorization: Bearer`.
    ///
    /// # Errors
    ///
    /// If the token cannot stand in a field.
    pub fn token(mut self, token: &str) -> Result<Self, ::http::header::InvalidHeaderValue> {
        let mut value = HeaderValue::try_from(std::format!("Bearer {token}"))?;
        value.set_sensitive(true);
        self.token = Some(value);
        Ok(self)
    }
}

impl Post for HttpPost {
    type Error = Unposted;

    async fn post(&self, action: &'static str, json: String) -> Result<(StatusCode, Bytes), Unposted> {
        let mut request =
            Request::post(std::format!("{}/{action}", self.base)).header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        let request = request.body(Full::from(json)).map_err(|error| Unposted(Box::new(error)))?;
        let reply = self.client.request(request).await.map_err(|error| Unposted(Box::new(error)))?;
        let (head, body) = reply.into_parts();
        let body = Limited::new(body, REPLY).collect().await.map_err(Unposted)?;
        Ok((head.status, body.to_bytes()))
    }
}

impl fmt::Debug for HttpPost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpPost").field("base", &self.base).field("token", &self.token).finish_non_exhaustive()
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub struct Unposted(Box<dyn core::error::Error + Send + Sync>);

impl fmt::Display for Unposted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        // hyper names the reason only in the error's source.
        let mut cause = self.0.source();
        while let Some(why) = cause {
            write!(f, ": {why}")?;
            cause = why.source();
        }
        Ok(())
    }
}

impl core::error::Error for Unposted {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source()
    }
}
