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
        let name = name.as_str();
        // Most fields are as long as none of these. Texts of one known length are compared without a loop.
        match name.len() {
            2 if name == "te" => Self::TE,
            3 if name == "via" => Self::VIA,
            6 if name == "cookie" => Self::COOKIE,
            6 if name == "expect" => Self::EXPECT,
            7 if name == "upgrade" => Self::UPGRADE,
            9 if name == "forwarded" => Self::FORWARDED,
            10 if name == "connection" => Self::CONNECTION,
            10 if name == "keep-alive" => Self::OTHER_HOP,
            14 if name == "content-length" => Self::CONTENT_LENGTH,
            14 if name == "http2-settings" => Self::OTHER_HOP,
            15 if name == "x-forwarded-for" => Self::X_FORWARDED_FOR,
            16 if name == "proxy-connection" => Self::OTHER_HOP,
            17 if name == "transfer-encoding" => Self::TRANSFER_ENCODING,
            18 if name == "proxy-authenticate" => Self::OTHER_HOP,
            19 if name == "proxy-authorization" => Self::OTHER_HOP,
            25 if name == "proxy-authentication-info" => Self::OTHER_HOP,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_its_kind_and_others_have_none() {
        let kind = |name: &str| Present::kind(&HeaderName::try_from(name).expect("a name"));
        for (names, of) in [
            ("te", Present::TE),
            ("via", Present::VIA),
            ("cookie", Present::COOKIE),
            ("expect", Present::EXPECT),
            ("upgrade", Present::UPGRADE),
            ("forwarded", Present::FORWARDED),
            ("connection", Present::CONNECTION),
            ("content-length", Present::CONTENT_LENGTH),
            ("x-forwarded-for", Present::X_FORWARDED_FOR),
            ("transfer-encoding", Present::TRANSFER_ENCODING),
            ("keep-alive http2-settings proxy-connection", Present::OTHER_HOP),
            ("proxy-authenticate proxy-authorization proxy-authentication-info", Present::OTHER_HOP),
        ] {
            for name in names.split(' ') {
                assert_eq!(kind(name), of, "{name}");
                assert_eq!(kind(&name.replace(['a', 'e'], "x")), Present(0), "{name}");
            }
        }
        for name in ["host", "accept", "user-agent", "x-api-key", "a"] {
            assert_eq!(kind(name), Present(0), "{name}");
        }
    }
}
