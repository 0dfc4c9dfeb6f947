//! Reads a file as text: where its braces are, and what is declared between them.

mod behind;
mod import;
mod literals;
mod names;
mod offset;

pub(super) use import::Import;
use literals::{raw, skips};
use names::Names;

/// What was found.
pub(super) struct File {
    text: String,
    /// The file itself is the first one.
    pub(super) groups: Vec<Group>,
    pub(super) functions: Vec<Declared>,
    pub(super) types: Vec<Declared>,
    pub(super) imports: Vec<Import>,
    /// Comments and strings.
    skipped: Vec<(usize, usize)>,
    /// Where each line begins.
    lines: Vec<usize>,
    pub(super) has: Has,
    names: Names,
    /// Something in it may have the name of something around it.
    pub(super) may_stand_in: bool,
}

/// What of its kind is in the file. Most files have none of it, and are not searched for it again for each name in them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Has {
    /// A type has lifetimes.
    pub(crate) lifetimes: bool,
    /// A type is not `pub`.
    pub(crate) hidden_types: bool,
    /// A function in an `impl` block has an attribute that may be `#[node]`.
    pub(crate) marked_methods: bool,
}

/// What stands between two brackets.
pub(super) struct Group {
    pub(super) parent: Option<usize>,
    pub(super) kind: Kind,
    /// For the functions of a type without parameters: its name.
    pub(super) of: String,
    pub(super) opens: usize,
    closes: usize,
    /// What is declared and imported right in it, by its index in the file.
    pub(super) functions: Vec<usize>,
    pub(super) types: Vec<usize>,
    pub(super) imports: Vec<usize>,
    /// Another macro is called right in it.
    pub(super) has_a_macro: bool,
}

impl Group {
    fn new(parent: Option<usize>, kind: Kind, of: String, opens: usize, closes: usize) -> Self {
        let (functions, types, imports) = (Vec::new(), Vec::new(), Vec::new());
        Self { parent, kind, of, opens, closes, functions, types, imports, has_a_macro: false }
    }
}

#[derive(Debug, PartialEq)]
pub(super) enum Kind {
    /// The tokens of `chain!`.
    Chain,
    /// Those of another macro, or of its declaration.
    Macro,
    /// A module, or the file.
    Module,
    /// The functions in it are no names around it.
    Methods,
    Other,
}

/// A function or a type.
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) at: usize,
    /// No attribute before it may take it away, or make something else of it.
    pub(super) is_certain: bool,
    /// A `#[cfg]` may take it away.
    pub(super) may_be_absent: bool,
    /// It is another name of a type.
    pub(super) is_alias: bool,
}

/// What is known of the item that is being read in a group.
#[derive(Default)]
struct Item<'t> {
    is_uncertain: bool,
    may_be_absent: bool,
    is_module: bool,
    has_methods: bool,
    is_function: bool,
    /// The last two words or signs.
    last: &'t str,
    before: &'t str,
    import: Option<Vec<&'t str>>,
}

impl<'t> Item<'t> {
    fn push(&mut self, word: &'t str) {
        (self.before, self.last) = (self.last, word);
        if let Some(import) = &mut self.import {
            import.push(word);
        }
    }

    /// What the group is that opens here.
    fn opens(&self, is_brace: bool) -> Kind {
        match (self.last.as_bytes(), self.before.as_bytes()) {
            (b"!", b"chain") => Kind::Chain,
            (b"!", b"#") => Kind::Other,
            (b"!", _) | (_, b"!") => Kind::Macro,
            _ if is_brace && self.is_module => Kind::Module,
            _ if is_brace && self.has_methods && !self.is_function => Kind::Methods,
            _ => Kind::Other,
        }
    }
}

/// Attributes that leave an item as it is.
const INERT: &[&str] =
    &["doc", "allow", "expect", "warn", "deny", "inline", "must_use", "cold", "track_caller", "derive", "rustfmt"];

impl File {
    pub(super) fn read(text: String) -> Self {
        let mut file = Self::scan(&text);
        file.text = text;
        file.names = Names::of(&file.functions, &file.types);
        let is_marked = |at: &usize| !file.functions[*at].is_certain;
        let methods = file.groups.iter().filter(|group| group.kind == Kind::Methods);
        file.has = Has {
            lifetimes: file.types.iter().any(|ty| file.lifetimes_behind(ty.at) > 0),
            hidden_types: file.types.iter().any(|ty| file.visibility(ty) != "pub"),
            marked_methods: methods.flat_map(|group| &group.functions).any(is_marked),
        };
        let declares = |group: &Group| !(group.functions.is_empty() && group.types.is_empty());
        // A chain declares nothing that could stand in for something: its own type stands around its tokens.
        let is_inner = |group: &Group| !matches!(group.kind, Kind::Module | Kind::Methods | Kind::Chain);
        file.may_stand_in = file.imports.iter().any(Import::is_of_all)
            || file.groups.iter().any(|group| is_inner(group) && declares(group));
        file
    }

    fn scan(text: &str) -> Self {
        let whole = Group::new(None, Kind::Module, String::new(), 0, text.len());
        let groups = vec![whole];
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut file = Self {
            text: String::new(),
            groups,
            functions: vec![],
            types: vec![],
            imports: vec![],
            skipped: vec![],
            lines,
            has: Has::default(),
            names: Names::default(),
            may_stand_in: false,
        };
        let bytes = text.as_bytes();
        let mut open: Vec<(usize, Item<'_>)> = vec![(0, Item::default())];
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            if byte == b' ' || byte == b'\n' {
                at += 1;
                continue;
            }
            let Some((scope, item)) = open.last_mut() else { break };
            match byte {
                b'/' | b'"' | b'\'' if skips(bytes, at) > at => {
                    let end = skips(bytes, at);
                    file.skipped.push((at, end));
                    at = end;
                    continue;
                }
                b'#' if matches!(bytes.get(at + 1), Some(b'[')) => {
                    let name = word(text, at + 2 + spaces(&bytes[at + 2..]));
                    item.is_uncertain |= !INERT.contains(&name);
                    item.may_be_absent |= name.starts_with("cfg");
                    item.push("#");
                }
                // Of the file or the module.
                b'#' if matches!(bytes.get(at + 1), Some(b'!')) => item.push("#"),
                b'(' | b'[' | b'{' => {
                    let kind = item.opens(byte == b'{');
                    let of = if kind == Kind::Methods { item.last.to_owned() } else { String::new() };
                    // The list of a `use`.
                    let import = item.import.as_mut().map(std::mem::take);
                    item.push("(");
                    file.groups[*scope].has_a_macro |= kind == Kind::Macro;
                    file.groups.push(Group::new(Some(*scope), kind, of, at, text.len()));
                    open.push((file.groups.len() - 1, Item { import, ..Item::default() }));
                }
                b')' | b']' | b'}' => {
                    let (closed, inner) = (*scope, std::mem::take(item));
                    if open.len() > 1 {
                        open.pop();
                    }
                    file.groups[closed].closes = at;
                    if let Some((_, outer)) = open.last_mut() {
                        match (&mut outer.import, inner.import) {
                            (Some(import), Some(words)) => *import = words,
                            _ if byte == b'}' => *outer = Item::default(),
                            _ => {}
                        }
                    }
                }
                b';' => {
                    if let Some(words) = std::mem::take(item).import {
                        let words = words.into_iter().map(str::to_owned).collect();
                        file.groups[*scope].imports.push(file.imports.len());
                        file.imports.push(Import { words, ends: at });
                    }
                }
                _ if is_of_a_word(byte) => {
                    let mut word = word(text, at);
                    // A raw name or a literal with a prefix.
                    if let Some(b'"' | b'#') = bytes.get(at + word.len()) {
                        match word {
                            "r" | "br" | "cr" if raw(bytes, at + word.len()).is_some() => {
                                let end = raw(bytes, at + word.len()).unwrap_or(at);
                                file.skipped.push((at, end));
                                at = end;
                                continue;
                            }
                            "r" if bytes[at + 1] == b'#' => {
                                at += 2;
                                word = self::word(text, at);
                            }
                            _ => {}
                        }
                    }
                    let is_name_of = item.last;
                    let declared = || Declared {
                        name: word.to_owned(),
                        at,
                        is_certain: !item.is_uncertain,
                        may_be_absent: item.may_be_absent,
                        is_alias: is_name_of == "type",
                    };
                    // Without optimization, texts are compared one after another, and patterns of bytes at once.
                    match is_name_of.as_bytes() {
                        b"fn" => {
                            file.groups[*scope].functions.push(file.functions.len());
                            file.functions.push(declared());
                            item.is_function = true;
                        }
                        b"struct" | b"enum" | b"union" | b"type" => {
                            file.groups[*scope].types.push(file.types.len());
                            file.types.push(declared());
                        }
                        b"!" if item.before == "macro_rules" => {
                            file.groups[*scope].imports.push(file.imports.len());
                            file.imports.push(Import { words: vec![word.to_owned()], ends: at });
                        }
                        _ => {}
                    }
                    match word.as_bytes() {
                        b"use" => item.import = Some(Vec::new()),
                        b"mod" => item.is_module = true,
                        b"impl" | b"trait" | b"extern" => item.has_methods = true,
                        _ => {}
                    }
                    item.push(word);
                    at += word.len().max(1);
                    continue;
                }
                _ if byte.is_ascii_whitespace() => {}
                b'!' => item.push("!"),
                b'*' => item.push("*"),
                _ => item.push(","),
            }
            at += 1;
        }
        file
    }

    /// Whether something in the file imports this name.
    pub(super) fn imports(&self, name: &str) -> bool {
        self.imports.iter().any(|import| import.words().any(|word| word == name))
    }

    /// Whether a type of this name is declared or imported somewhere in the file.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.names.has_type(name) || self.imports(name)
    }

    /// Whether a function of this name is declared anywhere in the file, and whether one of them is certain.
    pub(super) fn function_called(&self, name: &str) -> Option<bool> {
        self.names.function(name)
    }

    /// The line of this byte.
    pub(super) fn line(&self, at: usize) -> usize {
        self.text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
    }

    /// Whether this word stands here, as code.
    pub(super) fn has_word(&self, at: usize, name: &str) -> bool {
        let before = self.skipped.partition_point(|(begins, _)| *begins <= at);
        if before.checked_sub(1).is_some_and(|index| at < self.skipped[index].1) {
            return false;
        }
        let rest = self.text.get(at..).and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| !rest.bytes().next().is_some_and(is_of_a_word))
    }

    /// The type that is declared in this scope under this name.
    pub(super) fn type_in(&self, scope: usize, name: &str) -> Option<&Declared> {
        self.groups[scope].types.iter().map(|at| &self.types[*at]).find(|ty| ty.name == name)
    }

    /// The functions of this name that are declared in this scope.
    pub(super) fn functions_in(&self, scope: usize, name: &str) -> impl Iterator<Item = &Declared> {
        self.groups[scope].functions.iter().map(|at| &self.functions[*at]).filter(move |function| function.name == name)
    }

    /// The imports in this scope that may bring this name.
    pub(super) fn imports_of(&self, scope: usize, name: &str) -> impl Iterator<Item = &Import> {
        self.groups[scope].imports.iter().map(|at| &self.imports[*at]).filter(move |import| import.may_bring(name))
    }

    /// The innermost group around this byte.
    pub(super) fn group_at(&self, at: usize) -> usize {
        // The last one that opened before it may be closed. Then it is one around that.
        let opened = self.groups.partition_point(|group| group.opens <= at);
        let around = |group: &usize| at < self.groups[*group].closes;
        self.outer(opened.saturating_sub(1)).find(around).unwrap_or_default()
    }

    /// This group and those around it.
    pub(super) fn outer(&self, group: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(group), |group| self.groups[*group].parent)
    }
}

fn is_of_a_word(byte: u8) -> bool {
    OF_A_WORD[byte as usize]
}

/// Whether a byte is part of a word. The file is read without optimization, where a look into a table takes least.
static OF_A_WORD: [bool; 256] = {
    let (mut all, mut byte) = ([false; 256], 0_u8);
    loop {
        all[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80;
        match byte {
            u8::MAX => break all,
            _ => byte += 1,
        }
    }
};

fn word(text: &str, at: usize) -> &str {
    let bytes = text.as_bytes();
    let mut end = at;
    while end < bytes.len() && OF_A_WORD[bytes[end] as usize] {
        end += 1;
    }
    text.get(at..end).unwrap_or_default()
}

fn spaces(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

#[cfg(test)]
mod tests;
