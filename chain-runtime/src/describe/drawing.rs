//! What a chain looks like: for a terminal, and as a Mermaid flow chart.
//!
//! Nothing is allocated: what leads where is found by walking the blocks anew for each question.

use core::fmt;

use super::rows::{Item, Items, arms};
use crate::shed::{Level, Of, Override, Row, ShedInfo, Table};

use super::{Access, BlockInfo, BlockKind, ChainInfo, Need, NodeInfo, Role, SourceKind};

/// A drawing of a chain: [`Display`](fmt::Display) for a terminal, [`mermaid`](Self::mermaid) for a page. From `drawing()` of a
/// chain.
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
/// Where something is [shed](crate::shed), a table of what becomes of it at which level comes behind that.
///
/// `<=>` is a node with a way out, `=>` one without, `?>` one that is only asked whether the next one runs. `&User of auth` is lent from what the node `auth` provided; what has no
/// `of` is an input, a field or what a pattern binds. The needs of a node's way in come first, then those of its way out.
#[derive(Clone, Copy, Debug)]
pub struct Drawing {
    chain: &'static ChainInfo,
}

impl Drawing {
    /// The drawing of this chain.
    #[must_use]
    pub const fn of(chain: &'static ChainInfo) -> Self {
        Self { chain }
    }
    /// The same as a Mermaid flow chart.
    #[must_use]
    pub const fn mermaid(self) -> Mermaid {
        Mermaid { chain: self.chain }
    }
}

impl fmt::Display for Drawing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChainInfo { name, inputs, nodes, reply, sheds, .. } = self.chain;
        write!(f, "{name} (")?;
        for (at, (input, ty)) in inputs.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{input}: {ty}")?;
        }
        writeln!(f, ")")?;
        let width = nodes.iter().map(|node| name_of(self.chain, node).width()).max().unwrap_or(0);
        row(f, self.chain, None, 0, width)?;
        write!(f, "   -> {reply}")?;
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

/// A node's name, with what makes it more than a node.
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

/// A row and what is in it, so deep.
fn row(f: &mut fmt::Formatter<'_>, chain: &ChainInfo, of: Option<usize>, depth: usize, width: usize) -> fmt::Result {
    let indent = depth * 4;
    for item in Items::of(chain, of) {
        match item {
            Item::Node(position) => line(f, chain, &chain.nodes[position], indent, width)?,
            Item::Around(position, block) => {
                line(f, chain, &chain.nodes[position], indent, width)?;
                row(f, chain, Some(block), depth + 1, width)?;
                writeln!(f, "{:indent$}      }}", "")?;
            }
            Item::Braces(block) => {
                writeln!(f, "{:indent$}   => {{", "")?;
                row(f, chain, Some(block), depth + 1, width)?;
                writeln!(f, "{:indent$}      }}", "")?;
            }
            Item::Branch(head, first) => {
                if let Some(position) = head {
                    line(f, chain, &chain.nodes[position], indent, width)?;
                }
                for (block, arm) in arms(chain, first) {
                    writeln!(f, "{:indent$}        {}", "", arm.label)?;
                    row(f, chain, Some(block), depth + 1, width)?;
                }
            }
        }
    }
    Ok(())
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
    list(f, "  needs ", node.needs.iter())?;
    if let Some(ty) = provides {
        write!(f, "  provides {ty}")?;
    }
    if let Some(ty) = node.facts.breaks {
        write!(f, "  or breaks with {ty}")?;
    }
    // What it provided itself goes without saying.
    let is_own = |need: &&Need| {
        let of_a_node = matches!(need.from.kind, SourceKind::Node | SourceKind::Skippable);
        of_a_node && need.from.position == node.position
    };
    list(f, "  on its way out needs ", node.exit_needs.iter().filter(|need| !is_own(need)))?;
    if !node.attributes.is_empty() {
        write!(f, "  {}", node.attributes)?;
    }
    writeln!(f)
}

/// What is needed, behind these words; nothing where nothing is.
fn list<'a>(f: &mut fmt::Formatter<'_>, words: &str, needs: impl Iterator<Item = &'a Need>) -> fmt::Result {
    for (at, need) in needs.enumerate() {
        write!(f, "{}{need}", if at == 0 { words } else { ", " })?;
    }
    Ok(())
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.access {
            Access::Lent => "&",
            Access::LentMut => "&mut ",
            Access::Taken => "",
        };
        write!(f, "{how}{}", self.ty)?;
        match self.from.kind {
            SourceKind::Node | SourceKind::Skippable => write!(f, " of {}", self.from.name),
            _ => Ok(()),
        }
    }
}

/// A chain as a Mermaid flow chart: solid arrows for what comes next, dotted ones for what is lent from where, and a frame for what a
/// node is around.
#[derive(Clone, Copy, Debug)]
pub struct Mermaid {
    chain: &'static ChainInfo,
}

/// Where an arrow comes from: a node, or the inputs, and what it is labelled with.
type Visit<'a> = &'a mut dyn FnMut(Option<usize>, &'static str) -> fmt::Result;

impl fmt::Display for Mermaid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ChainInfo { inputs, nodes, reply, blocks, .. } = self.chain;
        writeln!(f, "flowchart LR")?;
        write!(f, "    in([\"")?;
        for (at, (input, _)) in inputs.iter().enumerate() {
            write!(f, "{}{input}", if at == 0 { "" } else { ", " })?;
        }
        writeln!(f, "\"])")?;
        self.boxes(f, None, 1)?;
        writeln!(f, "    out([\"{}\"])", Escaped(reply))?;
        for of in [None].into_iter().chain((0..blocks.len()).map(Some)) {
            for (index, item) in Items::of(self.chain, of).enumerate() {
                let (Item::Node(to) | Item::Around(to, _) | Item::Branch(Some(to), _)) = item else { continue };
                self.into(of, index, "", &mut |from, label| arrow(f, from, label, Some(to)))?;
            }
        }
        self.ends_of_row(None, &mut |from, label| arrow(f, from, label, None))?;
        for node in *nodes {
            if let Some(ty) = node.facts.breaks {
                writeln!(f, "    n{} -- \"{}\" --> out", node.position, Escaped(ty))?;
            }
            for need in node.needs.iter().chain(node.exit_needs) {
                let of_a_node = matches!(need.from.kind, SourceKind::Node | SourceKind::Skippable);
                if of_a_node && need.from.position != node.position {
                    writeln!(f, "    n{} -. \"{}\" .-> n{}", need.from.position, Escaped(need.ty), node.position)?;
                }
            }
        }
        Ok(())
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
    /// The nodes, framed as their blocks are.
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

    /// From when on the node at this position is shed. Of a block, the arrow that leads into it says so.
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
                for (arm, _) in arms(self.chain, first) {
                    self.ends_of_row(Some(arm), visit)?;
                }
                // Without `else`, what is skipped leads on.
                let is_alone = head.is_none() && arms(self.chain, first).count() == 1;
                if is_alone { self.into(of, index, "", visit) } else { Ok(()) }
            }
        }
    }

    fn ends_of_row(&self, of: Option<usize>, visit: Visit<'_>) -> fmt::Result {
        match Items::of(self.chain, of).count().checked_sub(1) {
            Some(last) => self.ends(of, last, visit),
            None => self.into(of, 0, "", visit),
        }
    }
}

/// From when on a node is shed, as a line of its own in its box.
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
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '"' => f.write_str("#quot;")?,
                '<' => f.write_str("#lt;")?,
                '>' => f.write_str("#gt;")?,
                other => write!(f, "{other}")?,
            }
        }
        Ok(())
    }
}
