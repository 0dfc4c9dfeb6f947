//! [`Outcome`]: how a request to a member ended.

/// How a request to a member ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// A reply came.
    Replied {
        /// Whether the reply is one of a healthy member. Over HTTP this is `false` for a 5xx, and `true` for all
        /// others: a 4xx is the caller's mistake, and never the member's.
        ok: bool,
    },
    /// No reply came: the connection was refused or broken, or the reply was malformed.
    Failed,
    /// No reply came in time.
    TimedOut,
    /// The caller no longer wants the reply. It says nothing about the member.
    Cancelled,
    /// The caller has panicked. It says nothing about the member.
    Panicked,
}
