//! W3C trace context: the trace to which a request belongs. It is read from the request's `traceparent`, and written
//! for the next service.
//!
//! [`TraceContexts`] is the node. Without HTTP, a [`TraceContext`] can be parsed and written by hand.
//!
//! It follows [Trace Context](https://www.w3.org/TR/trace-context-1/), level 1, and uses from level 2 the flag that
//! says that an id is random.

use core::fmt;
use core::str::FromStr;

mod handed;
#[cfg(feature = "trace-context")]
mod node;
#[cfg(feature = "trace-context")]
mod state;

pub(crate) use handed::{Handed, HandedCells, is_handed_by};
#[cfg(feature = "trace-context")]
pub use node::TraceContexts;

/// The place of a request in its trace: the trace, the caller's span, and the span of this service's run of the chain.
///
/// ```
/// use chain_runtime::telemetry::TraceContext;
///
/// let came = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
/// let context: TraceContext = came.parse().unwrap();
/// assert_eq!(context.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
/// assert_eq!(context.parent.unwrap().to_string(), "b7ad6b7169203331");
/// assert!(context.is_sampled && context.span != context.parent.unwrap());
///
/// // The field for the next service names this run as the parent.
/// assert_eq!(context.to_string(), format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", context.span));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct TraceContext {
    /// The whole trace.
    pub trace: TraceId,
    /// The caller's span; `None` if the trace begins here.
    pub parent: Option<SpanId>,
    /// This run's span.
    pub span: SpanId,
    /// Whether the caller, or the code that began the trace, records it.
    pub is_sampled: bool,
    /// Whether the last seven bytes of the trace's id are random.
    pub is_random: bool,
}

/// The id of a trace: 16 bytes, never all zero. It is shown as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(u128);

/// The id of a span: 8 bytes, never all zero. It is shown as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(u64);

impl TraceContext {
    /// A trace that begins here, with random ids.
    #[must_use]
    pub fn begin(is_sampled: bool) -> Self {
        Self { trace: TraceId::draw(), parent: None, span: SpanId::draw(), is_sampled, is_random: true }
    }

    /// The field for the next service: a `traceparent` of version 00 in which this run is the parent.
    #[must_use]
    pub fn to_field(&self) -> [u8; 55] {
        let mut field = *b"00-00000000000000000000000000000000-0000000000000000-00";
        digits(&mut field[3..35], self.trace.0);
        digits(&mut field[36..52], u128::from(self.span.0));
        digits(&mut field[53..55], u128::from(self.flags()));
        field
    }

    pub(crate) const fn flags(&self) -> u8 {
        self.is_sampled as u8 | (self.is_random as u8) << 1
    }
}

/// From a received `traceparent`. This run's span is random.
impl FromStr for TraceContext {
    type Err = Malformed;

    /// # Errors
    /// [`Malformed`] if the field is not as the recommendation says. For an unknown version, the parts that version 00
    /// defines are read.
    fn from_str(field: &str) -> Result<Self, Malformed> {
        let field = field.as_bytes();
        let (known, more) = field.split_at_checked(55).ok_or(Malformed)?;
        if [2, 35, 52].iter().any(|hyphen| known[*hyphen] != b'-') {
            return Err(Malformed);
        }
        match (hex(&known[..2])?, more) {
            (0xff, _) => return Err(Malformed),
            (0, []) => {}
            (1.., [] | [b'-', ..]) => {}
            _ => return Err(Malformed),
        }
        let flags = hex(&known[53..])?;
        Ok(Self {
            trace: TraceId::new(hex(&known[3..35])?).ok_or(Malformed)?,
            parent: Some(SpanId::new(hex(&known[36..52])? as u64).ok_or(Malformed)?),
            span: SpanId::draw(),
            is_sampled: flags & 1 != 0,
            is_random: flags & 2 != 0,
        })
    }
}

/// The same as [`TraceContext::to_field`].
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{}-{}-{:02x}", self.trace, self.span, self.flags())
    }
}

impl TraceId {
    /// `None` if it is 0.
    #[must_use]
    pub const fn new(id: u128) -> Option<Self> {
        if id == 0 { None } else { Some(Self(id)) }
    }

    /// The id as a number; the first byte is the highest.
    #[must_use]
    pub const fn get(self) -> u128 {
        self.0
    }

    fn draw() -> Self {
        Self(fastrand::u128(1..))
    }
}

impl SpanId {
    /// `None` if it is 0.
    #[must_use]
    pub const fn new(id: u64) -> Option<Self> {
        if id == 0 { None } else { Some(Self(id)) }
    }

    /// The id as a number; the first byte is the highest.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    pub(crate) fn draw() -> Self {
        Self(fastrand::u64(1..))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The same as [`Display`](fmt::Display).
impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The same as [`Display`](fmt::Display).
impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not a `traceparent`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "it is no `traceparent`, as 00-<32 digits>-<16 digits>-<2 digits>, in small letters and not all zero",
        )
    }
}

impl core::error::Error for Malformed {}

/// Only lower-case letters are allowed, so std's parser does not fit.
fn hex(digits: &[u8]) -> Result<u128, Malformed> {
    digits.iter().try_fold(0, |value, digit| match digit {
        b'0'..=b'9' => Ok(value << 4 | u128::from(digit - b'0')),
        b'a'..=b'f' => Ok(value << 4 | u128::from(digit - b'a' + 10)),
        _ => Err(Malformed),
    })
}

fn digits(field: &mut [u8], mut value: u128) {
    for digit in field.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    const CAME: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn what_goes_on_is_what_came_with_this_runs_span() {
        let context: TraceContext = CAME.parse().expect("a field");
        assert_eq!(core::str::from_utf8(&context.to_field()), Ok(&*context.to_string()));
        let next: TraceContext = context.to_string().parse().expect("a field");
        assert_eq!((next.trace, next.parent, next.is_sampled), (context.trace, Some(context.span), true));
    }

    #[test]
    fn what_the_recommendation_forbids_is_no_field() {
        for field in [
            "",
            "00",
            // Version ff; capitals; zeros.
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            // Text after it: in version 00 always wrong, in a later one if there is no hyphen.
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what",
            // Too short, a blank, another separator, or a character that is no digit.
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
            " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00_0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331_01",
            "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
            "0\u{e9}-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",
        ] {
            assert_eq!(field.parse::<TraceContext>(), Err(Malformed), "{field:?}");
        }
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        for field in [
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-ever",
            // Unknown flags are not passed on.
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fd",
        ] {
            let context: TraceContext = field.parse().expect("a field");
            assert!(context.is_sampled && context.to_string().ends_with("-01"), "{field}");
        }
    }
}
