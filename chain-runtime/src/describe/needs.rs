//! What a node is lent, in words.

use core::fmt;

use super::names::TypeName;
use super::{Access, Need, NodeInfo, Part, SourceKind};

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Lent { need: self, ty: TypeName::Written(self.ty) }.fmt(f)
    }
}

/// What a node needs, with the name of its type.
pub(super) struct Lent<'a> {
    pub(super) need: &'a Need,
    pub(super) ty: TypeName,
}

/// The needs of a node on this way.
pub(super) fn lent(
    node: &NodeInfo,
    way: fn(usize) -> Part,
    needs: &'static [Need],
) -> impl Iterator<Item = Lent<'static>> {
    let names = node.facts.names;
    needs.iter().enumerate().map(move |(at, need)| Lent { need, ty: names.of_part(way(at), need.ty) })
}

impl fmt::Display for Lent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { need, ty } = self;
        let how = match need.access {
            Access::Lent => "&",
            Access::LentMut => "&mut ",
            Access::Taken => "",
        };
        write!(f, "{how}{ty}")?;
        match need.from.kind {
            SourceKind::Node | SourceKind::Skippable | SourceKind::Block => write!(f, " of {}", need.from.name),
            _ => Ok(()),
        }
    }
}
