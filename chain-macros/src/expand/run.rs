//! The body of `run`: one flat state machine.
//!
//! ```text
//! let mut reply;
//! 'row0: {
//!     let mut held0 = match auth.enter(scope).await { Continue(value) => hold(value),
//!                                                     Break(broken) => { reply = broken.into(); break 'row0 } };
//!     'behind0: {
//!         let mut held1 = ..;                       // entered: what is behind its block is its way out
//!         reply = last;
//!         held1's exit(scope, &mut reply).await; held1.left();
//!     }
//!     held0's exit(scope, &mut reply).await; held0.left();
//! }
//! reply
//! ```
//!
//! A block behind each node that may have a way out: leaving it in any way drops what was provided in it, in reverse, and a node that
//! breaks leaves just the blocks of the nodes that were entered. Drop order, cancellation and unwinding
//! are the language's own.
//!
//! A chain inside of the chain is a block in the same body. One that other nodes come after ends in one of two ways, with a reply or
//! without, once its nodes were left; where that is anything to do, its replies are put aside until then (`flow`).
//! Only what an around node wraps is a future of its own.

use proc_macro2::{Delimiter, Group, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Ident, Lifetime};

use super::{in_run, run_lifetime, scope_arguments};
use crate::ast::{Chain, Form, How, Observer, OnCancel, Share};
use crate::names;
use crate::plan::{Arm, By, Condition, Level, Outer, Piece, Plan, Role, Row, Shed, ShedOf, SlotKind, Step};
use crate::types;

pub(super) fn signature(chain: &Chain) -> TokenStream {
    let vis = &chain.vis;
    let attrs = &chain.run.attrs;
    let is_async = chain.run.is_async.then(|| quote!(async));
    let lifetime = run_lifetime(chain);
    let inputs = chain.run.inputs.iter().map(|input| {
        let name = names::input(&input.name);
        let ty = in_run(chain, &input.ty);
        let attrs = &input.attrs;
        quote!(#(#attrs)* #name: #ty)
    });
    let reply = in_run(chain, &chain.run.reply);
    let docs = (!attrs.iter().any(|attribute| attribute.path().is_ident("doc"))).then(|| {
        let line = format!("Runs a request through `{}`.", chain.run.body.outline());
        quote!(#[doc = #line])
    });
    quote! {
        #docs
        #(#attrs)*
        #vis #is_async fn run<#lifetime>(&#lifetime self, #(#inputs),*) -> #reply
    }
}

pub(super) fn run(plan: &Plan<'_>) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let name = &chain.name;
    let scope = &plan.levels[0].scope;
    let generics = super::observed_generics(chain);
    let (impl_generics, ty_generics, clause) = generics.split_for_impl();
    let signature = signature(chain);
    let reply = names::single("reply");
    let ending = names::single("ending");
    let watch = names::single("watch");
    let reply_ty = in_run(chain, &chain.run.reply);
    let scope_arguments = scope_arguments(chain, true);
    let wired = plan.is_generic.then(|| quote!(let () = <#scope #scope_arguments>::WIRED;));
    let budget = (plan.is_generic && chain.budget.is_some()).then(|| quote!(let () = Self::WITHIN_BUDGET;));
    let inputs = plan.levels[0].slots.iter().filter_map(|slot| {
        let input = chain.run.inputs.get(slot.index)?;
        let (member, user) = (&slot.member, names::input(&input.name));
        match slot.kind {
            SlotKind::OwnedInput => Some(quote!(let mut #member = #rt::private::Some(#user);)),
            // A reference stays where it is: each local that lives across an await has its place in the future.
            SlotKind::SharedInput | SlotKind::BorrowedInput | SlotKind::Context => None,
            SlotKind::Field | SlotKind::Version | SlotKind::Binding | SlotKind::Provided => None,
        }
    });
    let versions = plan.levels[0].slots.iter().filter(|slot| slot.kind == SlotKind::Version).map(|slot| {
        let (member, field) = (&slot.member, &chain.fields[slot.index]);
        let (cfg, name) = (field.cfg(), &field.name);
        if types::reloadable(&field.ty).is_none() {
            let (by, index) = (names::version_by(chain, slot.index), slot.index);
            let load = quote!(<#rt::private::VersionBy<#by> as #rt::private::Versioned<_, Self, #index>>::load);
            return quote!(#(#cfg)* let #member = #load(&self.#name););
        }
        quote!(#(#cfg)* let #member = self.#name.load();)
    });
    let toggles = super::switches(chain).map(|switches| {
        let toggles = names::single("toggles");
        quote!(let #toggles = #rt::Toggles::snapshot(#switches);)
    });
    let sheds = super::shedding(chain).map(|shedding| {
        let sheds = names::single("sheds");
        quote!(let #sheds = #rt::Shedding::snapshot(#shedding);)
    });
    let observer = observer(plan);
    let words = plan.skippable_words();
    let cancelling = names::single("cancelling");
    let begin = observer.as_ref().map(|observer| {
        let begun = quote!(#rt::observe::Watch::<_, Self, #words>::begin(#observer, &#cancelling));
        let watch = match plan.wraps() {
            // The blocks and the code around them reach it by turns.
            true => {
                let shared = names::single("shared");
                quote!(let #shared = #begun; let mut #watch = &#shared;)
            }
            false => quote!(let mut #watch = #begun;),
        };
        quote! {
            use #rt::observe::Otherwise as _;
            let #cancelling = #rt::observe::Cancelling::new();
            #watch
        }
    });
    let ending_declared = plan.tells_ending().then(|| match plan.levels.len() > 1 || plan.has_parts() {
        // In blocks and parts, rustc cannot follow that it is written once.
        true => {
            let endings = endings(plan);
            quote!(let mut #ending: &'static #rt::Ending = &#endings[0];)
        }
        false => quote!(let #ending: &'static #rt::Ending;),
    });
    let end = observer.as_ref().map(|_| {
        let watch = if plan.wraps() { names::single("shared") } else { watch };
        quote!(#watch.end(#ending);)
    });
    let label = names::row_label(0);
    let body = row(plan, &plan.body, &Frame { sink: Sink::Reply, label: label.clone(), of: 0 });
    quote! {
        impl #impl_generics #name #ty_generics #clause {
            #signature {
                #wired
                #budget
                #(#inputs)*
                #(#versions)*
                #toggles
                #sheds
                let mut #reply: #reply_ty;
                #ending_declared
                #begin
                #label: { #body }
                #end
                #reply
            }
        }
    }
}

/// What observes the chain: one, or pairs of them.
fn observer(plan: &Plan<'_>) -> Option<TokenStream> {
    let chain = plan.chain;
    let by_type = names::single(if plan.wraps() { "by_type_shared" } else { "by_type" });
    let each = chain.observers.iter().map(|observer| match observer {
        Observer::Type(ty) => {
            let rt = names::alias(ty.span());
            quote_spanned!(ty.span()=> #rt::observe::Asked::<#ty>::NEW.#by_type())
        }
        Observer::Field(name) => {
            let ty = &chain.field(name).ty;
            let rt = names::alias(name.span());
            // `self` is the macro's own.
            let field = quote!(&self.#name);
            quote_spanned!(name.span()=> #rt::observe::Asked::<#ty>::NEW.field(#field))
        }
        Observer::NoAlloc(_) => {
            let rt = &names::runtime_alias();
            quote!(#rt::observe::Asked::<#rt::private::NoAlloc>::NEW.field(&#rt::private::NoAlloc))
        }
    });
    each.reduce(|first, second| quote!((#first, #second)))
}

/// Where replies go, and where a node that breaks leaves to.
#[derive(Clone)]
struct Frame {
    sink: Sink,
    label: Lifetime,
    /// The level of the row at whose end it is decided.
    of: usize,
}

#[derive(Clone)]
enum Sink {
    /// The local `reply`.
    Reply,
    /// A local that also says where there is none.
    Flow(Ident),
}

impl Frame {
    fn within(&self, label: Lifetime) -> Self {
        Self { label, ..self.clone() }
    }

    /// There is a reply.
    fn replied(&self, reply_is: &TokenStream) -> TokenStream {
        match &self.sink {
            Sink::Reply => {
                let reply = names::single("reply");
                quote!(#reply = #reply_is;)
            }
            Sink::Flow(flow) => {
                let rt = &names::runtime_alias();
                quote!(#flow = #rt::private::ControlFlow::Break(#reply_is);)
            }
        }
    }

    /// There is none: what comes after goes on.
    fn goes_on(&self) -> Option<TokenStream> {
        match &self.sink {
            Sink::Reply => None,
            Sink::Flow(flow) => {
                let rt = &names::runtime_alias();
                Some(quote!(#flow = #rt::private::ControlFlow::Continue(());))
            }
        }
    }
}

/// Makes the scope of the node at this position, in the local `scope`: what stands before it, and on its way out
/// the reply as well, where there is one.
fn scope_at(plan: &Plan<'_>, at: usize, way_out: bool) -> TokenStream {
    let level = plan.steps[at].level;
    let visible = if way_out { at + 1 } else { at };
    let (reply, ending, scope) = (names::single("reply"), names::single("ending"), names::single("scope"));
    let rt = &names::runtime_alias();
    let root = plan.levels[0].scope.clone();
    let outward = (way_out && plan.levels[level].replies).then(|| {
        quote! {
            #scope.reply = #rt::private::Some(&mut #reply);
            #scope.ending = #rt::private::Some(#ending);
        }
    });
    let filled = filled(plan, level, visible);
    quote! {
        let mut #scope = #root::empty(self);
        #outward
        #filled
    }
}

/// Fills the scope in the local `scope` with what can be lent in this level to who stands at this position.
fn filled(plan: &Plan<'_>, index: usize, visible: usize) -> TokenStream {
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let scope = names::single("scope");
    let level = &plan.levels[index];
    let around = level.outer.map(|Outer { level: outer, before }| {
        let filled = filled(plan, outer, before);
        let ty = &level.scope;
        quote! {
            #filled
            let mut #scope = #ty::within(#scope);
        }
    });
    let provided = level.provided_before(visible);
    let pages = level.pages().min(provided / Level::page(0).len());
    let page_names = (0..pages).map(|page| {
        let (member, local) = (names::local("page", page), names::page_local(index, page));
        quote!(#scope.#member = #local.again();)
    });
    let chunks = level.chunks().min(provided / Level::chunk(0).len());
    let elsewhere = Level::page(pages).start.max(Level::chunk(chunks).start);
    let members = level.slots.iter().filter_map(|slot| {
        let (member, cfg) = (&slot.member, &slot.cfg);
        let input = chain.run.inputs.get(slot.index).map(|input| names::input(&input.name));
        let value = match slot.kind {
            SlotKind::Field => return None,
            SlotKind::Provided if slot.index >= provided || elsewhere > slot.index => return None,
            SlotKind::Provided => {
                let held = holder(plan, slot.position, slot.span);
                quote!(#rt::private::Some(&mut #held.value))
            }
            SlotKind::Binding => {
                let binding = &slot.binding;
                match slot.by {
                    By::Itself => quote!(#rt::private::Some(&mut #binding)),
                    By::Shared => quote!(#rt::private::Some(#binding)),
                    By::Borrowed => quote!(#rt::private::Some(&mut *#binding)),
                }
            }
            SlotKind::Version if slot.by != By::Itself => quote!(#rt::private::Some(&**#member)),
            SlotKind::Version => quote!(#rt::private::Some(&*#member)),
            SlotKind::OwnedInput => quote!(#rt::private::Some(&mut #member)),
            SlotKind::SharedInput => quote!(#rt::private::Some(#input)),
            SlotKind::BorrowedInput => quote!(#rt::private::Some(&mut *#input)),
            SlotKind::Context => quote!(#rt::short::Lent::new(&mut *#input)),
        };
        // At the slot's token: if its type is an error, the error is there.
        let assigned = names::assign_at(&scope, &level.loan_of(slot), &value, slot.span);
        Some(quote!(#(#cfg)* #assigned))
    });
    let chunks = (0..chunks).map(|chunk| {
        let (member, refs) = (names::local("chunk", chunk), names::single("refs"));
        let held = level.providers[Level::chunk(chunk)].iter();
        let held = held.map(|position| holder(plan, *position, plan.steps[*position].span));
        // A `let` of its own: with an expected type, each reference would be borrowed again.
        quote! {
            let #refs = (#(&mut #held.value,)*);
            #scope.#member = #rt::private::all_lent(#refs);
        }
    });
    quote! {
        #around
        #(#page_names)*
        #(#chunks)*
        #(#members)*
    }
}

/// What holds the value of the node at this position. Where the chain is observed, it lies in what watches its `cancelled` hook.
fn holder(plan: &Plan<'_>, position: usize, span: Span) -> TokenStream {
    let held = names::held(position, span);
    match plan.watches_hook(position) {
        true => quote!(#held.held),
        false => held.into_token_stream(),
    }
}

/// The page whose last node this is, made once that was entered.
fn page_behind(plan: &Plan<'_>, at: usize) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let in_level = plan.steps[at].level;
    let level = &plan.levels[in_level];
    let slot = level.provided().find(|slot| slot.position == at)?;
    let index = level.page_of(slot.index).filter(|index| Level::page(*index).end == slot.index + 1)?;
    let (page, ty) = (names::page_local(in_level, index), names::page_of(&level.scope, index));
    let on_page = Level::page(index);
    let slots = level.provided().filter(|slot| on_page.contains(&slot.index));
    let lent = slots.map(|slot| {
        let (member, held) = (&slot.member, holder(plan, slot.position, slot.span));
        quote!(#page.#member = #rt::private::Some(&mut #held.value);)
    });
    Some(quote! {
        let mut #page = #ty::none();
        #(#lent)*
    })
}

/// All of a row.
fn row(plan: &Plan<'_>, row: &Row, frame: &Frame) -> TokenStream {
    pieces(plan, row, 0, frame)
}

/// The pieces of a row from this one on.
fn pieces(plan: &Plan<'_>, row: &Row, at: usize, frame: &Frame) -> TokenStream {
    match plan.begins_part(row, at) {
        true => part(plan, row, at, frame),
        false => pieces_here(plan, row, at, frame),
    }
}

/// The rest of a very long row, in a state machine of its own, which gives the reply.
fn part(plan: &Plan<'_>, row: &Row, at: usize, frame: &Frame) -> TokenStream {
    let reply = names::single("reply");
    let reply_ty = in_run(plan.chain, &plan.chain.run.reply);
    let label = names::part_label(at);
    let rest = pieces_here(plan, row, at, &frame.within(label.clone()));
    quote! {
        #reply = async {
            let mut #reply: #reply_ty;
            #label: { #rest }
            #reply
        }
        .await;
    }
}

fn pieces_here(plan: &Plan<'_>, row: &Row, at: usize, frame: &Frame) -> TokenStream {
    let Some(piece) = row.pieces.get(at) else {
        return (!row.replies && frame.of == row.level).then(|| frame.goes_on()).flatten().unwrap_or_default();
    };
    match piece {
        Piece::Node(position) => {
            let is_last = at + 1 == row.pieces.len();
            step(plan, row, at, *position, is_last, frame)
        }
        Piece::Block(inner) => {
            let block = inner_row(plan, inner, frame);
            let rest = pieces(plan, row, at + 1, frame);
            quote!(#block #rest)
        }
        Piece::Around(position, inner) => around(plan, row, at, *position, inner, frame),
        Piece::Branch(position, arms) => branch(plan, row, at, *position, arms, frame),
        Piece::If(all, then, otherwise) => {
            let all = holds(plan, all, frame);
            let then = inner_row(plan, then, frame);
            let otherwise = otherwise.as_ref().map(|otherwise| inner_row(plan, otherwise, frame));
            let rest = pieces(plan, row, at + 1, frame);
            quote!(if #all { #then } else { #otherwise } #rest)
        }
    }
}

/// A block in the row's own body. Where its nodes have to be left before what comes after it can go on, its reply is put aside until
/// they are.
fn inner_row(plan: &Plan<'_>, inner: &Row, frame: &Frame) -> TokenStream {
    let begins = block_begins(plan, inner);
    if inner.replies || !plan.leaves(inner) {
        let body = row(plan, inner, frame);
        return quote!({ #begins #body });
    }
    let chain = plan.chain;
    let rt = &names::runtime_alias();
    let flow = names::local("flow", inner.level);
    let value = names::single("value");
    let reply_ty = in_run(chain, &chain.run.reply);
    let label = names::row_label(inner.level);
    let body = row(plan, inner, &Frame { sink: Sink::Flow(flow.clone()), label: label.clone(), of: inner.level });
    let replied = frame.replied(&value.to_token_stream());
    let outer = &frame.label;
    quote! {
        let #flow: #rt::private::ControlFlow<#reply_ty, ()>;
        #begins
        #label: { #body }
        match #flow {
            #rt::private::ControlFlow::Continue(()) => {}
            #rt::private::ControlFlow::Break(#value) => { #replied break #outer; }
        }
    }
}

/// The row of a block begins.
fn block_begins(plan: &Plan<'_>, inner: &Row) -> Option<TokenStream> {
    // A block has a level of its own, behind the chain's.
    let block = inner.level - 1;
    watched(plan.chain, "block", &quote!(#block))
}

/// Whether all of these hold, as an expression.
fn holds(plan: &Plan<'_>, all: &[Condition], frame: &Frame) -> TokenStream {
    let chain = plan.chain;
    let holds = names::label_of("holds");
    let rt = &names::runtime_alias();
    let asked = all.iter().map(|condition| match condition {
        Condition::Toggled(index, on) => {
            let toggles = names::single("toggles");
            quote!(#toggles.is_on(#index, #on))
        }
        Condition::Kept(index) => kept(plan, *index),
        Condition::Sampled(span, share) => {
            let (part, whole) = (share.part, share.whole);
            quote_spanned!(*span=> #rt::private::sampled(#rt::share::Share::of(#part, #whole)))
        }
        Condition::Asked(at) | Condition::Split(at, ..) => {
            let Step { node, span, .. } = &plan.steps[*at];
            let rt = &names::alias(*span);
            let (out, value) = (names::local("out", *at), names::single("value"));
            let enter = enter(plan, *at, frame);
            let broke = broke(plan, *at, frame);
            let read = read(plan, *at, &out);
            let is_so = match condition {
                Condition::Split(_, share, salt) => {
                    let (part, whole) = (share.part, share.whole);
                    quote_spanned!(*span=> #rt::private::takes(#rt::share::Share::of(#part, #whole), &#value, #salt))
                }
                _ => quote_spanned!(*span=> <#rt::node::Gives<'_, (#node)> as #rt::check::Condition<#node>>::holds(#value)),
            };
            let seen = [
                watched(chain, "entered", &quote!(#at)),
                watched(chain, "passed", &quote!(#at)),
            ];
            let control = quote!(#rt::private::ControlFlow);
            quote! {{
                #enter
                let #value = match #read {
                    #control::Continue(#value) => #is_so,
                    #control::Break(#value) => { #broke }
                };
                #(#seen)*
                #value
            }}
        }
    });
    quote! {
        #holds: {
            #(if !{ #asked } { break #holds false; })*
            true
        }
    }
}

/// Whether what may be shed is not, as an expression; if it is, that is counted and told. Of what goes behind the request, it was put there.
fn kept(plan: &Plan<'_>, index: usize) -> TokenStream {
    let chain = plan.chain;
    let Shed { declared, of } = &plan.sheds[index];
    let rt = &names::runtime_alias();
    let (sheds, is_shed) = (names::single("sheds"), names::single("is_shed"));
    let level = names::level(declared.level);
    let shedding = super::shedding(chain);
    let at_level = quote!(#sheds.sheds(#index, #rt::shed::Level::#level));
    let drawn = match declared.how {
        How::Sampled(span, Share { part, whole }) => {
            let rt = names::alias(span);
            Some(quote_spanned!(span=> && !#rt::private::sampled(#rt::share::Share::of(#part, #whole))))
        }
        How::Skipped | How::Behind(_) => None,
    };
    let behind = match (declared.how, of) {
        (How::Behind(_), ShedOf::Node(at)) => Some(put_behind(plan, *at)),
        _ => None,
    };
    let told = watched(chain, "sheds", &quote!(#index));
    quote! {{
        let #is_shed = #at_level #drawn;
        if #is_shed {
            #rt::Shedding::counted(#shedding, #index);
            #told
            #behind
        }
        !#is_shed
    }}
}

/// Puts the work of the node at this position behind the request, if there is room for it.
fn put_behind(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { name, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let scope = scope_at(plan, at, false);
    let owned = owned(plan, at);
    let (told, tasks) = (watched(plan.chain, "detached", &quote!(#at)), super::tasks(plan.chain));
    quote_spanned!(*span=> if { #scope #rt::private::behind(#tasks, #name, #owned) } { #told })
}

/// The work of the node at this position, which is nobody's but its own.
fn owned(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { node, place, span, .. } = &plan.steps[at];
    let (rt, scope) = (names::alias(*span), names::single("scope"));
    quote_spanned!(*span=> <#node as #rt::node::Owned<'_, '_, _>>::enter_owned(#place, #scope))
}

/// What stands behind a node, up to where it is left.
fn behind(plan: &Plan<'_>, row: &Row, at: usize, position: usize, frame: &Frame) -> TokenStream {
    if at + 1 == row.pieces.len() || !plan.is_left(position) {
        return pieces(plan, row, at + 1, frame);
    }
    let label = names::label(position);
    let rest = pieces(plan, row, at + 1, &frame.within(label.clone()));
    quote!(#label: { #rest })
}

/// A node, and what comes after it.
fn step(plan: &Plan<'_>, in_row: &Row, row_at: usize, at: usize, is_last: bool, frame: &Frame) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, has_hooks, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let out = names::local("out", at);
    let held = names::held(at, span);
    let value = names::single("value");
    let entered = watched(chain, "entered", &quote!(#at));
    let enter = enter(plan, at, frame);
    let exit = exit(plan, at);
    let broke = broke(plan, at, frame);
    let rest = behind(plan, in_row, row_at, at, frame);
    let read = read(plan, at, &out);
    let control = quote!(#rt::private::ControlFlow);
    if is_last {
        let gave = match in_row.replies {
            true => gave(plan, at, frame),
            false => goes_on(plan, at),
        };
        let through = quote! {
            #enter
            match #read {
                #control::Continue(#value) => { #entered #gave }
                #control::Break(#value) => { #broke }
            }
        };
        if plan.steps[at].may_be_skipped() {
            let (goes, skips) = goes(plan, at, frame);
            return quote! {
                let #goes = #skips;
                if #goes { #through }
                #rest
                if #goes { #exit }
            };
        }
        return quote!(#through #rest #exit);
    }
    let itself = itself(chain);
    let key = quote_spanned!(span=> <<#node as #rt::Signature<'_>>::Key<#at> as #rt::flow::KeyOf<_>>::key_of);
    let page = page_behind(plan, at);
    let this = quote!(self);
    let holder = holder(plan, at, span);
    let watched_hold = |hold: TokenStream| match plan.watches_hook(at) {
        true => {
            let cancelling = names::single("cancelling");
            quote!(#cancelling.watches(#at, #hold))
        }
        false => hold,
    };
    if plan.steps[at].may_be_skipped() {
        let hold = |value: TokenStream| match has_hooks {
            true => watched_hold(
                quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::hold_maybe::<#at>(#place, #value, #this)),
            ),
            false => quote!(#rt::held::Bare { value: #value }),
        };
        let (entered_value, skipped) =
            (hold(quote!(#rt::private::Some(#key(#value)))), hold(quote!(#rt::private::None)));
        let left = has_hooks
            .then(|| quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::leave_maybe::<#at>(&mut #holder);));
        let (goes, skips) = goes(plan, at, frame);
        return quote! {
            let #goes = #skips;
            let mut #held = if #goes {
                #enter
                let #value = match #read {
                    #control::Continue(#value) => #entered_value,
                    #control::Break(#value) => { #broke }
                };
                #entered
                #value
            } else {
                #skipped
            };
            #page
            #rest
            if #goes { #exit }
            #left
        };
    }
    let left =
        has_hooks.then(|| quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::leave::<#at>(&mut #holder);));
    let hold_it = match has_hooks {
        true => watched_hold(
            quote_spanned!(span=> <#node as #rt::Cancel<'_, #itself>>::hold::<#at>(#place, #key(#value), #this)),
        ),
        false => quote!(#rt::held::Bare { value: #key(#value) }),
    };
    quote! {
        #enter
        let mut #held = match #read {
            #control::Continue(#value) => #hold_it,
            #control::Break(#value) => { #broke }
        };
        #entered
        #page
        #rest
        #exit
        #left
    }
}

/// Whether a node that may be skipped is not: the local that knows, and what it is.
fn goes(plan: &Plan<'_>, at: usize, frame: &Frame) -> (Ident, TokenStream) {
    let goes = names::local("goes", at);
    let holds = holds(plan, &plan.steps[at].conditions, frame);
    let told = watched(plan.chain, "skips", &quote!(#at, !#goes));
    (goes.clone(), quote!({ let #goes = #holds; #told #goes }))
}

/// A node whose value says which arm runs. It is left where its row ends, as any node.
fn branch(plan: &Plan<'_>, in_row: &Row, row_at: usize, at: usize, arms: &[Arm], frame: &Frame) -> TokenStream {
    let chain = plan.chain;
    let Step { node, span, role, through, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let out = names::local("out", at);
    let value = names::single("value");
    let given = names::held(at, span);
    let entered = watched(chain, "entered", &quote!(#at));
    let enter = enter(plan, at, frame);
    let exit = exit(plan, at);
    let broke = broke(plan, at, frame);
    let read = read(plan, at, &out);
    let control = quote!(#rt::private::ControlFlow);
    let label = names::label(at);
    let is_left = plan.is_left(at);
    let inner = if is_left { frame.within(label.clone()) } else { frame.clone() };
    let rest = pieces(plan, in_row, row_at + 1, &inner);
    let arms = arms.iter().map(|arm| {
        let Arm { pattern, bindings, span, row } = arm;
        let body = inner_row(plan, row, &inner);
        // With its type, as it is written: another one is wrong there.
        let bindings = bindings.iter().map(|(name, local, ty)| {
            let local = quote!(mut #local);
            quote_spanned!(name.span()=> let #local: #ty = #name;)
        });
        // At the arm: where one is missing, rustc says behind which.
        let mut group = Group::new(Delimiter::Brace, quote!(#(#bindings)* #body));
        group.set_span(*span);
        quote_spanned!(*span=> #pattern => #group)
    });
    let given_value = match role {
        Role::Scrutinee { is_bool: true } => quote_spanned! {span=>
            <#rt::node::Gives<'_, (#node)> as #rt::check::Condition<#node>>::holds(#value)
        },
        _ => match through {
            Some(through) => quote_spanned!(span=> #through(#value)),
            None => value.to_token_stream(),
        },
    };
    let body = quote_spanned! {span=>
        match #given { #(#arms)* }
        #rest
    };
    let body = if is_left { quote!(#label: { #body }) } else { body };
    quote! {
        #enter
        let #given = match #read {
            #control::Continue(#value) => #given_value,
            #control::Break(#value) => { #broke }
        };
        #entered
        #body
        #exit
    }
}

/// A node that wraps a block. The block is a future in this body, which the node is lent; where it asks for it, the block is made and run
/// again.
fn around(plan: &Plan<'_>, in_row: &Row, row_at: usize, at: usize, inner: &Row, frame: &Frame) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let (out, value, attempt) = (names::local("out", at), names::single("value"), names::local("attempt", at));
    let (reply, watch, block) = (names::single("reply"), names::single("watch"), names::single("block"));
    let own = names::held(at, span);
    let enter = enter(plan, at, frame);
    let broke = broke(plan, at, frame);
    let read = read(plan, at, &out);
    let control = quote!(#rt::private::ControlFlow);
    let reply_ty = in_run(chain, &chain.run.reply);
    let rest = pieces(plan, in_row, row_at + 1, frame);
    let label = names::row_label(inner.level);
    let flow = names::local("flow", inner.level);
    let is_observed = !chain.observers.is_empty();
    let (turn, within, future) = (names::single("turn"), names::single("within"), names::single("future"));
    let shared = names::single("shared");
    let begins = block_begins(plan, inner);
    let done = is_observed.then(|| quote!(#turn.done(&#shared, #at);));
    let turns = is_observed.then(|| quote!(let #turn = #rt::observe::Turn::new();));
    // First in the block, and so the last of it to be dropped.
    let watches = is_observed.then(|| {
        quote! {
            let #within = #rt::observe::Within::begin(&#shared, &#turn, #at);
            let mut #watch = &#shared;
            #begins
        }
    });
    let over = is_observed.then(|| quote!(#within.over();));
    let seen = is_observed.then(|| quote!(let #block = #rt::private::pin!(#turn.block(&#shared, #at, #block));));
    let wraps = watched(chain, "wraps", &quote!(#at));
    let wrapped = watched(chain, "wrapped", &quote!(#at));
    let left = watched(chain, "left", &quote!(#at));
    let output_ty = match inner.replies {
        true => quote!(#reply_ty),
        false => quote!(#rt::private::ControlFlow<#reply_ty, ()>),
    };
    let as_around = quote_spanned!(span=> <#node as #rt::Around<'_, #reply_ty, #output_ty>>);
    let (sink, declared, ended) = match inner.replies {
        true => (Sink::Reply, quote!(let mut #reply: #reply_ty;), reply.clone()),
        false => (Sink::Flow(flow.clone()), quote!(let #flow: #rt::private::ControlFlow<#reply_ty, ()>;), flow),
    };
    let body = row(plan, inner, &Frame { sink, label: label.clone(), of: inner.level });
    // Of a block that goes on there may be no reply to ask about.
    let outer = &frame.label;
    let (asked, replied) = match inner.replies {
        true => (quote!(#rt::private::Some(&#value)), frame.replied(&value.to_token_stream())),
        false => {
            let replied = frame.replied(&value.to_token_stream());
            (
                quote!(#rt::around::reply_in(&#value)),
                quote!(if let #control::Break(#value) = #value { #replied #left break #outer; }),
            )
        }
    };
    let pause = names::single("pause");
    // In the short form the reply is written into the context: each try begins with what was written before the block.
    let before = names::local("before", at);
    let (remembered, clean) = match chain.form {
        Form::Item => (None, None),
        Form::Short => {
            let context = &chain.run.inputs[0].name;
            (
                Some(quote!(let #before = #rt::short::before(&#context.response, #as_around::AGAIN.is_present());)),
                Some(quote!(#rt::short::put_back(&#before, &mut #context.response);)),
            )
        }
    };
    let paused = awaited(plan, at, &quote_spanned!(span=> #as_around::pause(#pause)), "Out");
    let drops = watched(chain, "drops", &quote!(#at));
    // The reply is gone before the pause, and before the next run: it may hold what that one needs.
    let again = quote_spanned! {span=>
        if #as_around::AGAIN.suspends() {
            let #pause = match #asked {
                #rt::private::Some(#reply) => #as_around::again(#place, #attempt, #reply),
                #rt::private::None => #rt::private::None,
            };
            if let #rt::private::Some(#pause) = #pause {
                #drops
                #rt::private::drop(#value);
                #clean
                #wrapped
                #paused;
                #attempt += 1;
                continue;
            }
        } else if #as_around::AGAIN.is_present() {
            if let #rt::private::Some(#reply) = #asked {
                if #as_around::again_now(#place, #attempt, #reply) {
                    #drops
                    #rt::private::drop(#value);
                    #clean
                    #attempt += 1;
                    continue;
                }
            }
        }
    };
    let run = match is_observed {
        false => quote_spanned!(span=> #as_around::around(#place, &mut #own, #block).await),
        true => quote_spanned! {span=> {
            let #future = #rt::private::pin!(#as_around::around(#place, &mut #own, #block));
            #turn.polls(&#shared, #at, #future).await
        }},
    };
    let kind = quote_spanned!(span=> <#as_around::Kind as #rt::flow::Reads<_>>::read);
    let gave_up = gave_up(plan, at, &as_around, frame);
    // In braces: what the node's `enter` gave is gone with the block.
    quote! {{
        #enter
        let mut #own = match #read {
            #control::Continue(#value) => #value,
            #control::Break(#value) => { #broke }
        };
        #remembered
        let mut #attempt = 1u32;
        let #value = loop {
            #wraps
            #turns
            let #out = {
                let #block = #rt::private::pin!(async {
                    #watches
                    #declared
                    #label: { #body }
                    #over
                    #ended
                });
                #seen
                #run
            };
            #done
            match #kind(#out) {
                #control::Continue(#value) => {
                    #again
                    break #value;
                }
                #control::Break(#value) => { #gave_up }
            }
        };
        #replied
        #left
    } #rest}
}

/// Takes what a node returned apart.
fn read(plan: &Plan<'_>, at: usize, out: &Ident) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let kind = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::Kind);
    quote_spanned!(*span=> <#kind as #rt::flow::Reads<_>>::read(#out))
}

/// Tells the watch something, where the chain is observed.
fn watched(chain: &Chain, what: &str, arguments: &TokenStream) -> Option<TokenStream> {
    let rt = &names::runtime_alias();
    let (watch, what) = (names::single("watch"), names::single(what));
    (!chain.observers.is_empty()).then(|| quote!(#rt::observe::Tells::#what(&mut #watch, #arguments);))
}

/// Awaits a hook, or calls it: which, the node's type says.
fn called(plan: &Plan<'_>, at: usize, hook: &str, suspends: &TokenStream) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let way_out = hook == "exit";
    let scope_local = names::single("scope");
    let scope = scope_at(plan, at, way_out);
    let as_node = quote_spanned!(span=> <#node as #rt::Node<'_, '_, _>>);
    let later = syn::Ident::new(hook, span);
    let now = syn::Ident::new(&format!("{hook}_now"), span);
    if !chain.run.is_async {
        return quote!({ #scope #as_node::#now(#place, #scope_local) });
    }
    let way = if way_out { "Out" } else { "In" };
    let awaited = awaited(plan, at, &quote_spanned!(span=> #as_node::#later(#place, #scope_local)), way);
    quote! {{
        #scope
        if #suspends { #awaited } else { #as_node::#now(#place, #scope_local) }
    }}
}

/// The way in of the node at this position, into its local `out`.
fn enter(plan: &Plan<'_>, at: usize, frame: &Frame) -> TokenStream {
    let chain = plan.chain;
    let Step { node, place, span, name, cancel, timeout, lints, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let fits = (!chain.run.is_async)
        .then(|| quote_spanned!(span=> #rt::private::fits_fn::<<#node as #rt::Signature<'_>>::Pace, (#node)>();));
    let suspends = quote_spanned!(span=> <<#node as #rt::Signature<'_>>::Pace as #rt::node::pace::Pace>::SUSPENDS);
    let entering = watched(chain, "enter", &quote!(#at));
    let scope_local = names::single("scope");
    let as_node = quote_spanned!(span=> <#node as #rt::Node<'_, '_, _>>);
    let owned = owned(plan, at);
    let call = match (cancel, timeout) {
        (Some((_, OnCancel::Finish)), _) => {
            let scope = scope_at(plan, at, false);
            let tasks = super::tasks(chain);
            let finished = quote_spanned!(span=> #rt::private::finish(#tasks, #name, #owned));
            let finished = awaited(plan, at, &finished, "In");
            quote!({ #scope #finished })
        }
        (Some((_, OnCancel::Detach)), _) => {
            let scope = scope_at(plan, at, false);
            let out = quote_spanned!(span=> <#node as #rt::Signature<'_>>::Out);
            let told = watched(chain, "detached", &quote!(#at));
            let tasks = super::tasks(chain);
            let begun = quote_spanned!(span=> #rt::private::detach(#tasks, #name, #owned));
            let begun = awaited(plan, at, &begun, "In");
            quote_spanned!(span=> { #scope #begun; #told <#out as #rt::check::Forgotten<#node>>::nothing() })
        }
        (None, Some((at_limit, limit))) => {
            let scope = scope_at(plan, at, false);
            let (value, out) = (names::single("value"), names::single("out"));
            let entered = names::single("entered");
            let made =
                quote_spanned!(span=> let mut #entered = #rt::private::pin!(#as_node::enter(#place, #scope_local)););
            let limit = quote_spanned!(*at_limit=> #rt::private::within(#limit, #entered.as_mut()));
            let limited = awaited(plan, at, &limit, "In");
            let told = [watched(chain, "late", &quote!(#at)), watched(chain, "broke", &quote!(#at))];
            let kind = quote_spanned!(*at_limit=> #rt::private::LimitKind);
            let of = quote_spanned!(*at_limit=> #rt::private::Late);
            let late = assign(plan, at, "Cut", &kind, &of, at * 2 + 1, frame);
            let label = &frame.label;
            quote! {{
                // The node's future is gone before anybody knows that it was late.
                let #out = { #scope #made #limited };
                match #out {
                    #rt::private::Ok(#out) => #out,
                    #rt::private::Err(#value) => { #(#told)* #late break #label; }
                }
            }}
        }
        (None, None) => called(plan, at, "enter", &suspends),
    };
    let out = names::local("out", at);
    quote!(#(#lints)* let #out = { #fits #entering #call };)
}

/// Awaits a future of the node at this position; who observes the chain, sees it suspend.
fn awaited(plan: &Plan<'_>, at: usize, future_is: &TokenStream, way: &str) -> TokenStream {
    let span = plan.steps[at].span;
    let rt = &names::alias(span);
    if plan.chain.observers.is_empty() {
        return quote_spanned!(span=> #future_is.await);
    }
    let (watch, future) = (names::single("watch"), names::single("future"));
    let way = Ident::new(way, span);
    // The macro's own, keyword and all: of what may not be used, rustc would say so at the node.
    let pinned = quote!(mut #future);
    quote_spanned! {span=> {
        let #pinned = #rt::private::pin!(#future_is);
        #rt::observe::Tells::polls(&mut #watch, #future, #at, #rt::observe::Way::#way).await
    }}
}

/// The chain's type. What its fields borrow lives at least as long as the run, for which the scope has it.
fn itself(chain: &Chain) -> TokenStream {
    if chain.generics.lifetimes().next().is_none() {
        return quote!(Self);
    }
    let (name, arguments) = (&chain.name, super::chain_arguments(chain, false));
    quote!(#name<#(#arguments),*>)
}

fn exit(plan: &Plan<'_>, at: usize) -> TokenStream {
    let chain = plan.chain;
    let Step { node, span, has_hooks, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let itself = itself(chain);
    let hook = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::FACTS.exit);
    // For a node without `exit` this cannot return, and rustc drops what stands behind it, scope and all.
    let way = quote_spanned!(*span=> <<#node as #rt::Cancel<'_, #itself>>::WayOut as #rt::node::way_out::WayOut>::go());
    let call = called(plan, at, "exit", &quote!(#hook.suspends()));
    let [leaving, left, passed] = ["leave", "left", "passed"].map(|what| watched(chain, what, &quote!(#at)));
    if !has_hooks {
        return passed.unwrap_or_default();
    }
    let otherwise = passed.map(|passed| quote!(else { #passed }));
    quote! {
        if #hook.is_present() {
            let _ = #way;
            #leaving
            #call
            #left
        } #otherwise
    }
}

/// What the reply is made with. A reply by another name may be a `Result`, too.
fn mode(chain: &Chain) -> TokenStream {
    let rt = &names::runtime_alias();
    let reply = &chain.run.reply;
    if types::is_named(reply, "Result") {
        return quote!(#rt::flow::reply::Fallible);
    }
    if chain.form == Form::Short || !types::may_hide_a_break(reply) || types::mentions(reply, &chain.generics) {
        return quote!(#rt::flow::reply::Plain);
    }
    let flow = names::static_of("Flow", &chain.name);
    quote!(<#rt::flow::reply::By<#flow> as #rt::flow::reply::Is>::Mode)
}

/// The constant that says what the reply is, where its name does not.
pub(super) fn reply_flow(chain: &Chain) -> TokenStream {
    let (rt, flow, reply) =
        (&names::runtime_alias(), names::static_of("Flow", &chain.name), types::anonymous(&chain.run.reply));
    let is =
        match types::mentions(&reply, &chain.generics) || chain.form == Form::Short || !types::may_hide_a_break(&reply)
        {
            true => return TokenStream::new(),
            false => quote!({ use #rt::private::Plainly as _; #rt::private::Probe::<#reply>::FLOW }),
        };
    quote!(const #flow: usize = #is;)
}

/// The constants that say whether a field is a `Reloadable`, where its name does not.
pub(super) fn versions(chain: &Chain) -> TokenStream {
    let rt = &names::runtime_alias();
    let fields = chain.fields.iter().enumerate().filter(|(index, _)| chain.may_be_reloadable(*index));
    let versions = fields.map(|(index, field)| {
        let (cfg, by, ty) = (field.cfg(), names::version_by(chain, index), &field.ty);
        quote! {
            #(#cfg)*
            const #by: #rt::private::bool = { use #rt::private::Plainly as _; #rt::private::Probe::<#ty>::IS_RELOADABLE };
        }
    });
    versions.collect()
}

/// The same of what ends the chain: what is the reply already, under another name, is not made one.
fn mode_of_end(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { node, .. } = &plan.steps[at];
    let (chain, rt) = (plan.chain, &names::runtime_alias());
    let mode = mode(chain);
    if types::mentions(node, &chain.generics) || mode.to_string().ends_with("Plain") {
        return mode;
    }
    let node = super::describe::outside(plan, &plan.steps[at]);
    quote!(<#rt::flow::reply::Ends<{ <#node as #rt::Signature<'_>>::FACTS.hides.a_break() }, #mode> as #rt::flow::reply::Is>::Mode)
}

/// The node broke with `value`: that becomes the reply.
fn broke(plan: &Plan<'_>, at: usize, frame: &Frame) -> TokenStream {
    let broke = watched(plan.chain, "broke", &quote!(#at));
    let label = &frame.label;
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let kind = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::Kind);
    let of = quote_spanned!(*span=> #rt::node::Breaks<'_, (#node)>);
    let assign = assign(plan, at, "Cut", &kind, &of, at * 2 + 1, frame);
    quote!(#broke #assign break #label;)
}

/// The around node gave up with `value`: that becomes the reply.
fn gave_up(plan: &Plan<'_>, at: usize, as_around: &TokenStream, frame: &Frame) -> TokenStream {
    let broke = watched(plan.chain, "broke", &quote!(#at));
    let label = &frame.label;
    let span = &plan.steps[at].span;
    let kind = quote_spanned!(*span=> #as_around::Kind);
    let of = quote_spanned!(*span=> #as_around::GivesUp);
    let assign = assign(plan, at, "Cut", &kind, &of, at * 2 + 1, frame);
    quote!(#broke #assign break #label;)
}

/// The last node gave `value`: that becomes the reply.
fn gave(plan: &Plan<'_>, at: usize, frame: &Frame) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let kind = quote_spanned!(*span=> <#node as #rt::Signature<'_>>::Kind);
    let of = quote_spanned!(*span=> #rt::node::Gives<'_, (#node)>);
    assign(plan, at, "End", &kind, &of, at * 2, frame)
}

/// The last node of a block that goes on gave `value`, which is nothing.
fn goes_on(plan: &Plan<'_>, at: usize) -> TokenStream {
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let value = names::single("value");
    quote_spanned!(*span=> <#rt::node::Gives<'_, (#node)> as #rt::flow::GoOn<#node>>::go_on(#value);)
}

/// How the chain can end.
fn endings(plan: &Plan<'_>) -> TokenStream {
    let scope = &plan.levels[0].scope;
    let scope_arguments = scope_arguments(plan.chain, true);
    match plan.is_generic {
        true => quote!(<#scope #scope_arguments>::ENDINGS),
        false => names::static_of("Endings", &plan.chain.name).into_token_stream(),
    }
}

fn assign(
    plan: &Plan<'_>,
    at: usize,
    what: &str,
    reading: &TokenStream,
    of: &TokenStream,
    ending_index: usize,
    frame: &Frame,
) -> TokenStream {
    let chain = plan.chain;
    let Step { node, span, .. } = &plan.steps[at];
    let rt = &names::alias(*span);
    let span = *span;
    let (value, ending) = (names::single("value"), names::single("ending"));
    let kind = Ident::new(what, span);
    let function = Ident::new(&what.to_lowercase(), span);
    let endings = endings(plan);
    let ended = plan.tells_ending().then(|| quote!(#ending = &#endings[#ending_index];));
    if chain.form == Form::Short {
        let context = names::input(&chain.run.inputs[0].name);
        let into = Ident::new(&format!("{what}Into"), span);
        let call = quote_spanned! {span=>
            <#reading as #rt::short::#into<#of, (#node)>>::write(#value, &mut #context.response)
        };
        let replied = frame.replied(&quote!(*#ending));
        return quote!(#ended #call; #replied);
    }
    let mode = if what == "End" { mode_of_end(plan, at) } else { mode(chain) };
    let reply_ty = in_run(chain, &chain.run.reply);
    let call = quote_spanned! {span=>
        <#reading as #rt::flow::#kind<#of, (#node), #reply_ty, #mode>>::#function(#value)
    };
    let replied = frame.replied(&call);
    quote!(#ended #replied)
}
