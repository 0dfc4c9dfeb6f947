//! A chain as a Mermaid flow chart.
//!
//! Nothing is allocated: to find what leads where, the chart walks the blocks anew for each question.

use core::fmt::{self, Write as _};

use super::names::TypeName;
use super::needs::{Lent, lent};
use super::rows::{Item, Items, arms};
use super::{Access, BlockKind, ChainInfo, Part, Role, SourceKind};
use crate::shed::{Of, ShedInfo};

/// A chain as a Mermaid flow chart: solid arrows lead to what comes next, dotted ones from a value to the node that is
/// lent it, and frames show what a node is around.
#[derive(Clone, Copy, Debug)]
pub struct Mermaid {
    chain: &'static ChainInfo,
}

/// Where an arrow comes from (a node, or the inputs), and its label.
type Visit<'a> = &'a mut dyn FnMut(Option<usize>, &'static str) -> fmt::Result;

impl Mermaid {
    pub(super) const fn of(chain: &'static ChainInfo) -> Self {
        Self { chain }
    }
}

impl fmt::Display for Mermaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChainInfo { inputs, nodes, reply, blocks, names, .. } = self.chain;
        writeln!(f, "flowchart LR")?;
        write!(f, "    in([\"")?;
        for (at, (input, _)) in inputs.iter().enumerate() {
            write!(f, "{}{input}", if at == 0 { "" } else { ", " })?;
        }
        writeln!(f, "\"])")?;
        self.boxes(f, None, 1)?;
        writeln!(f, "    out([\"{}\"])", Escaped(names.of_part(Part::Given, reply)))?;
        for of in [None].into_iter().chain((0..blocks.len()).map(Some)) {
            for (index, item) in Items::of(self.chain, of).enumerate() {
                let (Item::Node(to) | Item::Around(to, _) | Item::Branch(Some(to), _)) = item else { continue };
                self.into(of, index, "", &mut |from, label| arrow(f, from, label, Some(to)))?;
            }
        }
        self.ends_of_row(None, &mut |from, label| arrow(f, from, label, None))?;
        for node in *nodes {
            if let Some(ty) = node.facts.breaks {
                let ty = node.facts.names.of_part(Part::BrokenWith, ty);
                writeln!(f, "    n{} -- \"{}\" --> out", node.position, Escaped(ty))?;
            }
            for Lent { need, ty } in
                lent(node, Part::NeededIn, node.needs).chain(lent(node, Part::NeededOut, node.exit_needs))
            {
                if need.from.kind == SourceKind::Block {
                    self.ends_of_block(need.from.position, &mut |from, _| lends(f, from, "", ty, node.position))?;
                }
                let of_a_node = matches!(need.from.kind, SourceKind::Node | SourceKind::Skippable);
                if of_a_node && need.from.position != node.position {
                    let takes = if need.access == Access::Taken { "takes " } else { "" };
                    lends(f, Some(need.from.position), takes, ty, node.position)?;
                }
            }
        }
        Ok(())
    }
}

/// What is lent, and by whom to whom.
fn lends(f: &mut fmt::Formatter<'_>, from: Option<usize>, how: &str, ty: TypeName, to: usize) -> fmt::Result {
    match from {
        Some(from) => writeln!(f, "    n{from} -. \"{how}{}\" .-> n{to}", Escaped(ty)),
        None => Ok(()),
    }
}

fn arrow(f: &mut fmt::Formatter<'_>, from: Option<usize>, label: &str, to: Option<usize>) -> fmt::Result {
    match from {
        Some(from) => write!(f, "    n{from}")?,
        None => write!(f, "    in")?,
    }
    if !label.is_empty() {
        write!(f, " -- \"{}\"", Escaped(label))?;
    }
    match to {
        Some(to) => writeln!(f, " --> n{to}"),
        None => writeln!(f, " --> out"),
    }
}

impl Mermaid {
    /// The nodes, in frames that follow their blocks.
    fn boxes(&self, f: &mut fmt::Formatter<'_>, of: Option<usize>, depth: usize) -> fmt::Result {
        let indent = depth * 4;
        let boxed = |f: &mut fmt::Formatter<'_>, position: usize, branches: bool| {
            let branches = branches || self.chain.nodes[position].role == Role::Condition;
            let (name, shed) = (Escaped(self.chain.nodes[position].name), Shed(self.shed(position)));
            match branches {
                true => writeln!(f, "{:indent$}n{position}{{\"{name}\"}}", ""),
                false => writeln!(f, "{:indent$}n{position}[\"{name}{shed}\"]", ""),
            }
        };
        for item in Items::of(self.chain, of) {
            match item {
                Item::Node(position) => boxed(f, position, false)?,
                Item::Around(position, block) => {
                    let name = Escaped(self.chain.nodes[position].name);
                    writeln!(f, "{:indent$}subgraph b{block} [\"{name}\"]", "")?;
                    writeln!(f, "{:indent$}    n{position}[\"{name}\"]", "")?;
                    self.boxes(f, Some(block), depth + 1)?;
                    writeln!(f, "{:indent$}end", "")?;
                }
                Item::Braces(block) => {
                    writeln!(f, "{:indent$}subgraph b{block} [\" \"]", "")?;
                    self.boxes(f, Some(block), depth + 1)?;
                    writeln!(f, "{:indent$}end", "")?;
                }
                Item::Branch(head, first) => {
                    if let Some(position) = head {
                        boxed(f, position, true)?;
                    }
                    for (arm, _) in arms(self.chain, first) {
                        self.boxes(f, Some(arm), depth)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The lowest level at which the node at this position is shed. For a block, the label of the arrow into it says
    /// this.
    fn shed(&self, position: usize) -> Option<&'static ShedInfo> {
        self.chain.sheds.iter().find(|shed| shed.of == Of::Node(position))
    }

    /// What leads to an item of a row.
    fn into(&self, of: Option<usize>, index: usize, label: &'static str, visit: Visit<'_>) -> fmt::Result {
        if let Some(before) = index.checked_sub(1) {
            return self.ends(of, before, &mut |from, own| visit(from, if own.is_empty() { label } else { own }));
        }
        let Some(block) = of else { return visit(None, label) };
        let info = &self.chain.blocks[block];
        let own = if info.kind == BlockKind::Arm { info.label } else { label };
        match info.head {
            Some(head) => visit(Some(head), own),
            None => {
                let first = info.beside.unwrap_or(block);
                let is_it = |item: &Item| matches!(item, Item::Braces(at) | Item::Branch(None, at) if *at == first);
                let at = Items::of(self.chain, info.parent).position(|item| is_it(&item)).unwrap_or(0);
                self.into(info.parent, at, own, visit)
            }
        }
    }

    /// Where an item of a row ends.
    fn ends(&self, of: Option<usize>, index: usize, visit: Visit<'_>) -> fmt::Result {
        match Items::of(self.chain, of).nth(index) {
            None => Ok(()),
            Some(Item::Node(position)) => visit(Some(position), ""),
            Some(Item::Around(_, block) | Item::Braces(block)) => self.ends_of_row(Some(block), visit),
            Some(Item::Branch(head, first)) => {
                self.ends_of_block(first, visit)?;
                // Without an `else`, a part that is skipped leads on.
                let is_alone = head.is_none() && arms(self.chain, first).count() == 1;
                if is_alone { self.into(of, index, "", visit) } else { Ok(()) }
            }
        }
    }

    /// Where a block ends, or each arm of a branch, by the first of them.
    fn ends_of_block(&self, first: usize, visit: Visit<'_>) -> fmt::Result {
        if self.chain.blocks[first].beside.is_none() {
            return self.ends_of_row(Some(first), visit);
        }
        for (arm, _) in arms(self.chain, first) {
            self.ends_of_row(Some(arm), visit)?;
        }
        Ok(())
    }

    fn ends_of_row(&self, of: Option<usize>, visit: Visit<'_>) -> fmt::Result {
        match Items::of(self.chain, of).count().checked_sub(1) {
            Some(last) => self.ends(of, last, visit),
            None => self.into(of, 0, "", visit),
        }
    }
}

/// The lowest level at which a node is shed, as a line of its own in the node's box.
struct Shed(Option<&'static ShedInfo>);

impl fmt::Display for Shed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(shed) => write!(f, "<br/>{} from {} on", shed.how, shed.from),
            None => Ok(()),
        }
    }
}

/// Text inside a Mermaid label, where `"`, `<` and `>` have a meaning of their own.
struct Escaped<T>(T);

impl<T: fmt::Display> fmt::Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escapes(f), "{}", self.0)
    }
}

/// Writes letters, and names for those with a special meaning.
struct Escapes<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for Escapes<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|letter| match letter {
            '"' => self.0.write_str("#quot;"),
            '<' => self.0.write_str("#lt;"),
            '>' => self.0.write_str("#gt;"),
            other => self.0.write_char(other),
        })
    }
}
