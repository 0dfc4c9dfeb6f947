//! pingora, passing requests on: as it comes, or with what the gateway does as well.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::HeaderValue;
use pingora_core::apps::HttpServerOptions;
use pingora_core::server::Server;
use pingora_core::server::configuration::ServerConf;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_core::{Error, Result};
use pingora_http::RequestHeader;
use pingora_limits::rate::Rate;
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};

use crate::contenders::{KEY, RATE};
use crate::grpc;

/// Runs for ever, on one thread, with connections to upstreams that are kept. With a file for the log, it checks the API
/// key, limits the rate of its user, and says who asks, as nginx and the gateway do.
pub(crate) fn run(at: &str, upstream: &str, grpc: &str, log: Option<&str>) -> ! {
    let (upstream, grpc) = (upstream.parse().expect("address:port"), grpc.parse().expect("address:port"));
    let duties = log.map(|log| Duties {
        rate: Rate::new(Duration::from_secs(1)),
        log: Mutex::new(BufWriter::with_capacity(64 << 10, File::create(log).expect("a file for the log"))),
        upstream,
    });
    let conf = ServerConf {
        threads: 1,
        work_stealing: false,
        upstream_keepalive_pool_size: 1_024,
        grace_period_seconds: Some(0),
        graceful_shutdown_timeout_seconds: Some(0),
        ..ServerConf::default()
    };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut proxy = http_proxy_service(&server.configuration, Passing { upstream, grpc, duties });
    // HTTP/2 as well, where a connection begins with its preface.
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    let logic = proxy.app_logic_mut().expect("a service that is not started has its logic");
    logic.server_options = Some(options);
    proxy.add_tcp(at);
    server.add_service(proxy);
    server.run_forever()
}

struct Passing {
    upstream: SocketAddr,
    grpc: SocketAddr,
    duties: Option<Duties>,
}

/// What it does beside passing on.
struct Duties {
    rate: Rate,
    log: Mutex<BufWriter<File>>,
    upstream: SocketAddr,
}

/// Of one request.
struct Asked {
    began: Instant,
    id: u128,
}

/// The user of an API key.
fn user(session: &Session) -> Option<&'static str> {
    (session.get_header_bytes("x-api-key") == KEY.as_bytes()).then_some("alice")
}

#[async_trait]
impl ProxyHttp for Passing {
    type CTX = Asked;

    fn new_ctx(&self) -> Asked {
        Asked { began: Instant::now(), id: fastrand::u128(..) }
    }

    async fn request_filter(&self, session: &mut Session, _: &mut Asked) -> Result<bool> {
        let Some(duties) = &self.duties else { return Ok(false) };
        let refusal = match user(session) {
            None => 401,
            Some(user) if duties.rate.observe(&user, 1) > RATE => 429,
            Some(_) => return Ok(false),
        };
        session.respond_error(refusal).await?;
        Ok(true)
    }

    async fn upstream_peer(&self, session: &mut Session, _: &mut Asked) -> Result<Box<HttpPeer>> {
        let is_grpc = session.req_header().uri.path().starts_with(grpc::PREFIX);
        let mut peer = HttpPeer::new(if is_grpc { self.grpc } else { self.upstream }, false, String::new());
        if is_grpc {
            peer.options.set_http_version(2, 2);
        }
        Ok(Box::new(peer))
    }

    async fn upstream_request_filter(
        &self,
        session: &mut Session,
        request: &mut RequestHeader,
        asked: &mut Asked,
    ) -> Result<()> {
        if let Some(client) = session.client_addr().and_then(|client| client.as_inet()) {
            request.insert_header("x-forwarded-for", client.ip().to_string())?;
        }
        if let (Some(_), Some(user)) = (&self.duties, user(session)) {
            request.insert_header("x-forwarded-user", HeaderValue::from_static(user))?;
            request.insert_header("x-request-id", format!("{:032x}", asked.id))?;
        }
        Ok(())
    }

    async fn logging(&self, session: &mut Session, _: Option<&Error>, asked: &mut Asked) {
        let Some(Duties { log, upstream, .. }) = &self.duties else { return };
        let status = session.response_written().map_or(0, |reply| reply.status.as_u16());
        let client = session.client_addr().map(ToString::to_string).unwrap_or_default();
        let (request, sent, took) = (session.req_header(), session.body_bytes_sent(), asked.began.elapsed());
        let (method, path) = (&request.method, request.uri.path());
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        // A log that cannot be written costs lines, not requests.
        let _ = writeln!(
            log,
            "{client} {method} {path} {status} {sent} {:.3} {upstream} {:032x}",
            took.as_secs_f64(),
            asked.id
        );
    }
}
