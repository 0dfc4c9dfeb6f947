//! Credentials for one run, for users who only want to see it work, and the lines to try them with.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;

use chain_runtime::nodes::auth::{ApiKeys, Auth, Tokens};
use jsonwebtoken::{EncodingKey, Header};

use super::common::failure::Failure;

/// A token and two API keys that no one else knows, and that end with the process.
pub(crate) struct Demo {
    token: String,
    alice: String,
    bob: String,
}

#[derive(serde::Serialize)]
struct Claims<'a> {
    sub: &'a str,
    aud: &'a str,
    exp: u64,
}

impl Demo {
    /// Makes the credentials, and what they are checked with.
    pub(crate) fn new(audience: &str) -> Result<(Self, Auth), Failure> {
        let secret = random::<32>()?;
        let exp = jsonwebtoken::get_current_timestamp() + 3_600;
        let claims = Claims { sub: "carol", aud: audience, exp };
        let token = jsonwebtoken::encode(&Header::default(), &claims, &EncodingKey::from_secret(&secret));
        let token = token.map_err(|error| Failure::failed(format_args!("cannot sign a token: {error}")))?;
        let tokens = Tokens::from_secret(&secret).map_err(Failure::failed)?.audience(audience);
        let (alice, bob) = (hex(&random::<8>()?), hex(&random::<8>()?));
        let keys = ApiKeys::new([("alice", alice.as_str()), ("bob", bob.as_str())]).map_err(Failure::failed)?;
        Ok((Self { token, alice, bob }, Auth::new("gateway").tokens(tokens).api_keys(keys)))
    }

    /// The lines to try, for a gateway that listens here.
    pub(crate) fn lines(&self, at: SocketAddr, burst: NonZeroU32, embedded: bool) -> impl fmt::Display {
        Lines { demo: self, at, burst: u64::from(burst.get()), embedded }
    }
}

struct Lines<'a> {
    demo: &'a Demo,
    at: SocketAddr,
    burst: u64,
    embedded: bool,
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { demo: Demo { token, alice, bob }, at, burst, embedded } = self;
        let many = burst.saturating_mul(2).min(1_000);
        writeln!(f, "# 200, by an API key, then by a token:")?;
        writeln!(f, "curl -i -H 'x-api-key: {alice}' http://{at}/")?;
        writeln!(f, "curl -i -H 'authorization: Bearer {token}' http://{at}/")?;
        writeln!(f, "# 401:")?;
        writeln!(f, "curl -i http://{at}/")?;
        writeln!(f, "# 429, past {burst} requests at once:")?;
        write!(
            f,
            "curl -s -o /dev/null -w '%{{http_code}}\\n' -H 'x-api-key: {bob}' 'http://{at}/?[1-{many}]' | uniq -c"
        )?;
        if *embedded {
            writeln!(f, "\n# 502, from an upstream that breaks off:")?;
            writeln!(f, "curl -i -H 'x-api-key: {alice}' http://{at}/broken")?;
            writeln!(f, "# a stream, over h2c; a body there and back; a request to cancel with Ctrl-C:")?;
            writeln!(f, "curl -N --http2-prior-knowledge -H 'x-api-key: {alice}' http://{at}/ticks")?;
            writeln!(f, "curl -d hello -H 'x-api-key: {alice}' http://{at}/echo")?;
            write!(f, "curl -H 'x-api-key: {alice}' 'http://{at}/slow?20'")?;
        }
        Ok(())
    }
}

/// Bytes that cannot be guessed.
fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Failure::failed(format_args!("no randomness: {error}")))?;
    Ok(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
