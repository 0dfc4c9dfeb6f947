//! How a chain looks on a terminal.

use core::fmt;

use super::mermaid::Mermaid;
use super::needs::{Lent, lent};
use super::rows::{Item, Items, arms};
use crate::shed::{Level, Override, Row, ShedInfo, Table};

use super::{Access, BlockInfo, BlockKind, ChainInfo, NodeInfo, Part, Role, SourceKind};

/// A drawing of a chain: [`Display`](fmt::Display) for a terminal, [`mermaid`](Self::mermaid) for a page. A chain's
/// `drawing()` makes it.
///
/// ```text
/// Gateway (request: Request)                                       the chain and its inputs
///   <=> log        provides Instant  on its way out needs &Request
///    => match route  needs &Request                                a branch, and its arms
///         Route::Api(api: Api)
///        => deadline {                                             a node around a block
///            => auth       needs &Api, &Keys  provides User  or breaks with Refused
///            => answer     needs &User of auth  provides Response
///           }
///         _
///        => files      provides Response
///    -> Response                                                   its reply
/// ```
///
/// The type that a block provides stands behind the block, as in the chain: `} -> User`. For a branch, it stands in a
/// line of its own, after the arms.
///
/// If something in the chain can be [shed](crate::shed), a table follows: what happens to it at each level.
///
/// `<=>` is a node with a way out, `=>` is one without, and `?>` is a node that only decides whether the next one runs.
/// `&User of auth` is lent from the value of the node `auth`. A need without `of` is met by an input, a field or a
/// binding of a pattern. The needs of a node's way in come first, then those of its way out.
///
/// A type is drawn as it is written. A type that depends on a type parameter of its node or chain is drawn as it is in
/// this chain, by [`type_name`](core::any::type_name) without paths: where the chain names `find::<Memory>`, the need
/// `&Kept<S>` of the node `find<S>` is drawn as `&Kept<Memory>`.
#[derive(Clone, Copy, Debug)]
pub struct Drawing {
    chain: &'static ChainInfo,
}

impl Drawing {
    /// The drawing of a chain, by the chain's type: rustc would evaluate a `CHAIN` that is mentioned.
    #[doc(hidden)]
    #[must_use]
    pub const fn of_chain<C: super::Described + ?Sized>() -> Self {
        Self::of(super::chain_of::<C>())
    }
    /// The drawing of this chain.
    #[must_use]
    pub const fn of(chain: &'static ChainInfo) -> Self {
        Self { chain }
    }
    /// The same as a Mermaid flow chart.
    #[must_use]
    pub const fn mermaid(self) -> Mermaid {
        Mermaid::of(self.chain)
    }
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChainInfo { name, inputs, nodes, reply, sheds, names, .. } = self.chain;
        write!(f, "{name} (")?;
        for (at, (input, ty)) in inputs.iter().enumerate() {
            let ty = names.of_part(Part::NeededIn(at), ty);
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{input}: {ty}")?;
        }
        writeln!(f, ")")?;
        let width = nodes.iter().map(|node| name_of(self.chain, node).width()).max().unwrap_or(0);
        row(f, self.chain, None, 0, width)?;
        write!(f, "   -> {}", names.of_part(Part::Given, reply))?;
        if sheds.is_empty() {
            return Ok(());
        }
        let declared = |shed: &ShedInfo| Row {
            name: shed.name,
            cells: Level::ALL.map(|level| shed.at(level)),
            set: Override::AsDeclared,
        };
        f.write_str("\n\n")?;
        Table { indent: "   ", corner: format_args!("under pressure"), rows: sheds.iter().map(declared) }.fmt(f)
    }
}

/// A node's name, with marks for its other properties.
struct Name {
    keyword: &'static str,
    name: &'static str,
    brace: &'static str,
}

impl Name {
    const fn width(&self) -> usize {
        self.keyword.len() + self.name.len() + self.brace.len()
    }
}

fn name_of(chain: &ChainInfo, node: &NodeInfo) -> Name {
    let of_it = |block: &&BlockInfo| block.head == Some(node.position);
    let (keyword, brace) = match chain.blocks.iter().find(of_it) {
        Some(block) if block.kind == BlockKind::Around => ("", " {"),
        Some(arm) if arm.label == "true" => ("if ", ""),
        Some(_) => ("match ", ""),
        None => ("", ""),
    };
    Name { keyword, name: node.name, brace }
}

/// A row and its contents, at this depth.
fn row(f: &mut fmt::Formatter<'_>, chain: &ChainInfo, of: Option<usize>, depth: usize, width: usize) -> fmt::Result {
    let indent = depth * 4;
    for item in Items::of(chain, of) {
        match item {
            Item::Node(position) => line(f, chain, &chain.nodes[position], indent, width)?,
            Item::Around(position, block) => {
                line(f, chain, &chain.nodes[position], indent, width)?;
                row(f, chain, Some(block), depth + 1, width)?;
                writeln!(f, "{:indent$}      }}{}", "", Given(chain.blocks[block].provides))?;
            }
            Item::Braces(block) => {
                writeln!(f, "{:indent$}   => {{", "")?;
                row(f, chain, Some(block), depth + 1, width)?;
                writeln!(f, "{:indent$}      }}{}", "", Given(chain.blocks[block].provides))?;
            }
            Item::Branch(head, first) => {
                if let Some(position) = head {
                    line(f, chain, &chain.nodes[position], indent, width)?;
                }
                for (block, arm) in arms(chain, first) {
                    writeln!(f, "{:indent$}        {}", "", arm.label)?;
                    row(f, chain, Some(block), depth + 1, width)?;
                }
                if let given @ Some(_) = chain.blocks[first].provides {
                    writeln!(f, "{:indent$}  {}", "", Given(given))?;
                }
            }
        }
    }
    Ok(())
}

/// What a block provides, behind it.
struct Given(Option<&'static str>);

impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(ty) => write!(f, " -> {ty}"),
            None => Ok(()),
        }
    }
}

fn line(f: &mut fmt::Formatter<'_>, chain: &ChainInfo, node: &NodeInfo, indent: usize, width: usize) -> fmt::Result {
    let way_out = match node.role {
        Role::Condition => " ?>",
        _ if node.facts.exit.is_present() => "<=>",
        _ => " =>",
    };
    let Name { keyword, name, brace } = name_of(chain, node);
    write!(f, "{:indent$}  {way_out} {keyword}{name}{brace}", "")?;
    let provides = node.facts.provides.filter(|_| node.role != Role::Condition);
    let says_more = provides.or(node.facts.breaks).is_some() || !node.attributes.is_empty();
    if says_more || !node.needs.is_empty() || !node.exit_needs.is_empty() {
        let padding = width - keyword.len() - name.len() - brace.len();
        write!(f, "{:padding$}", "")?;
    }
    let names = node.facts.names;
    let is_taken = |lent: &Lent<'_>| matches!(lent.need.access, Access::Taken);
    list(f, "  needs ", lent(node, Part::NeededIn, node.needs).filter(|need| !is_taken(need)))?;
    list(f, "  takes ", lent(node, Part::NeededIn, node.needs).filter(is_taken))?;
    if let Some(ty) = provides {
        write!(f, "  provides {}", names.of_part(Part::Given, ty))?;
    }
    if let Some(ty) = node.facts.breaks {
        write!(f, "  or breaks with {}", names.of_part(Part::BrokenWith, ty))?;
    }
    // A node's own value is not listed among its needs.
    let is_own = |need: &Lent<'_>| {
        let need = need.need;
        let of_a_node = matches!(need.from.kind, SourceKind::Node | SourceKind::Skippable);
        of_a_node && need.from.position == node.position
    };
    list(f, "  on its way out needs ", lent(node, Part::NeededOut, node.exit_needs).filter(|need| !is_own(need)))?;
    if !node.attributes.is_empty() {
        write!(f, "  {}", node.attributes)?;
    }
    writeln!(f)
}

/// The needs, after these words; nothing if there are none.
fn list<'a>(f: &mut fmt::Formatter<'_>, words: &str, needs: impl Iterator<Item = Lent<'a>>) -> fmt::Result {
    for (at, need) in needs.enumerate() {
        write!(f, "{}{need}", if at == 0 { words } else { ", " })?;
    }
    Ok(())
}
