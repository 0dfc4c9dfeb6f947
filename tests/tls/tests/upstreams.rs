//! Upstreams that speak TLS: verified by name and by root, by HTTP/1.1 or HTTP/2 as they choose.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use chain_runtime::chain;
use chain_runtime::proxy::{Body, Client, Error, Forward, Rotation, Settings, Tls, Upstream};
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};

chain! {
    struct Proxy {
        forward: Forward<Rotation, Full<Bytes>>,
    }

    async fn(request: Parts, body: Full<Bytes>, client: Client) -> Result<Response<Body>, Error> { forward }
}

/// An upstream for this name that speaks what it is told to. Says by what it was asked.
async fn upstream(name: &str, speaks: &[&[u8]]) -> (SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed([name.to_owned()]).expect("a certificate");
    let certificate = made.cert.der().clone();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config =
        ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_no_client_auth();
    let mut config = config.with_single_cert(vec![certificate.clone()], key).expect("a key");
    config.alpn_protocols = speaks.iter().map(|protocol| protocol.to_vec()).collect();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                let name = stream.get_ref().1.server_name().map(str::to_owned);
                let service = service_fn(move |request: Request<Incoming>| {
                    let text = format!("{:?} {} {name:?}", request.version(), request.uri().path());
                    async move { Ok::<_, Infallible>(Response::new(Full::<Bytes>::from(text))) }
                });
                let http = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = http.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    (at, certificate)
}

/// What the upstream at this URL says, to a proxy that trusts this certificate.
async fn ask(url: &str, trusted: Option<CertificateDer<'static>>) -> Result<String, Error> {
    ask_one(url.parse().expect("an upstream"), trusted).await
}

async fn ask_one(upstream: Upstream, trusted: Option<CertificateDer<'static>>) -> Result<String, Error> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(trusted);
    let config =
        ClientConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    let settings = Settings::default().tls(Tls::new(config));
    let proxy = Proxy { forward: Forward::new(Rotation::new([upstream]), settings) };
    let request = Request::get("/path").header("host", "a.example").body(()).expect("a request");
    let client = Client::at((Ipv4Addr::LOCALHOST, 1).into());
    let reply = proxy.run(request.into_parts().0, Full::default(), client).await?;
    Ok(String::from_utf8(reply.into_body().collect().await.expect("a body").to_bytes().to_vec()).expect("text"))
}

#[tokio::test]
async fn the_upstream_chooses_what_is_spoken_and_hears_its_name() {
    for (speaks, wanted) in [
        (&[&b"h2"[..], b"http/1.1"][..], "HTTP/2.0 /path Some(\"localhost\")"),
        (&[b"http/1.1"], "HTTP/1.1 /path Some(\"localhost\")"),
        (&[], "HTTP/1.1 /path Some(\"localhost\")"),
    ] {
        let (at, certificate) = upstream("localhost", speaks).await;
        let said = ask(&format!("https://localhost:{}", at.port()), Some(certificate)).await;
        assert_eq!(said.expect("a reply"), wanted);
    }
}

#[tokio::test]
async fn one_whose_certificate_is_for_another_name_is_not_asked() {
    let (at, certificate) = upstream("other.example", &[]).await;
    let refused = ask(&format!("https://localhost:{}", at.port()), Some(certificate)).await.expect_err("no reply");
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
    assert!(std::error::Error::source(&refused).is_some());
}

#[tokio::test]
async fn one_that_nobody_vouches_for_is_not_asked() {
    let (at, _) = upstream("localhost", &[]).await;
    let refused = ask(&format!("https://localhost:{}", at.port()), None).await.expect_err("no reply");
    assert!(matches!(refused, Error::Refused(_)), "{refused}");
}

#[tokio::test]
async fn one_at_an_address_is_verified_by_its_name() {
    for (speaks, wanted) in [
        (&[&b"h2"[..], b"http/1.1"][..], "HTTP/2.0 /path Some(\"shop.example\")"),
        (&[b"http/1.1"], "HTTP/1.1 /path Some(\"shop.example\")"),
    ] {
        let (at, certificate) = upstream("shop.example", speaks).await;
        let named = |url: &str| url.parse::<Upstream>().expect("an upstream").at(at);
        let said = ask_one(named("https://shop.example"), Some(certificate.clone())).await;
        assert_eq!(said.expect("a reply"), wanted);
        // Whoever is at the address has no certificate for this name.
        for url in ["https://other.example", "https://localhost", "https://127.0.0.1"] {
            let refused = ask_one(named(url), Some(certificate.clone())).await.expect_err("no reply");
            assert!(matches!(refused, Error::Refused(_)), "{url}: {refused}");
        }
        let refused = ask_one(named("https://shop.example"), None).await.expect_err("no reply");
        assert!(matches!(refused, Error::Refused(_)), "{refused}");
    }
}
