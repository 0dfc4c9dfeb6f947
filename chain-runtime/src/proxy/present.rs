//! [`Present`]: which of the fields that a hop asks for a head has.

use core::ops::BitOr;

use http::{HeaderMap, HeaderName};

/// The kinds of fields that stand in a head, as a set.
///
/// A hop asks for some twenty fields, and most heads have three of them. To look each up takes a hash and a probe; to
/// look at the names that are there takes one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Present(u16);

impl Present {
    pub(super) const CONNECTION: Self = Self(1);
    pub(super) const TE: Self = Self(1 << 1);
    pub(super) const TRANSFER_ENCODING: Self = Self(1 << 2);
    pub(super) const UPGRADE: Self = Self(1 << 3);
    const OTHER_HOP: Self = Self(1 << 4);
    pub(super) const CONTENT_LENGTH: Self = Self(1 << 5);
    pub(super) const EXPECT: Self = Self(1 << 6);
    pub(super) const COOKIE: Self = Self(1 << 7);
    pub(super) const VIA: Self = Self(1 << 8);
    pub(super) const FORWARDED: Self = Self(1 << 9);
    pub(super) const X_FORWARDED_FOR: Self = Self(1 << 10);

    /// Fields that are meant for one connection only, whether or not `Connection` names them (RFC 9110, 7.6.1), and for
    /// a proxy (11.7).
    pub(super) const OF_ONE_HOP: Self =
        Self(Self::TE.0 | Self::TRANSFER_ENCODING.0 | Self::UPGRADE.0 | Self::OTHER_HOP.0);

    /// Those of these fields.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        headers.keys().fold(Self(0), |all, name| all | Self::kind(name))
    }

    /// That of this field; none if nobody asks for it.
    pub(super) fn kind(name: &HeaderName) -> Self {
        match name.as_str() {
            "connection" => Self::CONNECTION,
            "te" => Self::TE,
            "transfer-encoding" => Self::TRANSFER_ENCODING,
            "upgrade" => Self::UPGRADE,
            "proxy-connection"
            | "keep-alive"
            | "http2-settings"
            | "proxy-authenticate"
            | "proxy-authorization"
            | "proxy-authentication-info" => Self::OTHER_HOP,
            "content-length" => Self::CONTENT_LENGTH,
            "expect" => Self::EXPECT,
            "cookie" => Self::COOKIE,
            "via" => Self::VIA,
            "forwarded" => Self::FORWARDED,
            "x-forwarded-for" => Self::X_FORWARDED_FOR,
            _ => Self(0),
        }
    }

    /// Whether one of these is there.
    pub(super) const fn has(self, any: Self) -> bool {
        self.0 & any.0 != 0
    }
}

impl BitOr for Present {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}
