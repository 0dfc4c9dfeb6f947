//! Reads an `impl` block with hooks as a node.

use quote::{ToTokens, quote};
use syn::{FnArg, Generics, Ident, ImplItem, ItemImpl, ReturnType, Signature, Type};

use super::flow::{Gives, read_flow};
use super::hook::{read_hook, refuse_odd_functions, returned, returns_no_size, takes_no_size};
use super::kept::mentions;
use super::signature::{Around, Handshake, Hook, Node, Place, Promises, Role};
use super::{around, elsewhere, spawns};
use crate::diagnostics::{Code, Diagnostics};
use crate::names;
use crate::nearby;
use crate::told::Access;
use crate::types;

/// Whether a type in the signature of a hook, or the block's own, certainly does not exist. rustc says so, and would say it
/// once more of what is emitted for the hook.
pub(super) fn names_no_type(block: &ItemImpl) -> bool {
    let Some(last) = types::last_segment(&block.self_ty) else { return false };
    let texts: Vec<_> = written(block).into_iter().map(types::text).collect();
    let lacks_one = nearby::Seen::of(&last.ident).lacks_one(&last.ident, texts.iter().map(String::as_str));
    if lacks_one {
        nearby::note_block(&last.ident);
    }
    lacks_one
}

/// The block's type, and the types in the signatures of the hooks that have no parameters of their own. A type that names a
/// parameter is not among them.
pub(super) fn written(block: &ItemImpl) -> Vec<&Type> {
    let all = std::iter::once(&*block.self_ty).chain(hooks(block).flat_map(types_in));
    all.filter(|ty| !types::mentions(ty, &block.generics)).collect()
}

/// The hooks that have no parameters of their own.
pub(super) fn hooks(block: &ItemImpl) -> impl Iterator<Item = &Signature> {
    block.items.iter().filter_map(|item| match item {
        ImplItem::Fn(method) if elsewhere::is_hook(&method.sig.ident) && method.sig.generics.params.is_empty() => {
            Some(&method.sig)
        }
        _ => None,
    })
}

/// The same, to change them.
pub(super) fn hooks_mut(block: &mut ItemImpl) -> impl Iterator<Item = &mut Signature> {
    block.items.iter_mut().filter_map(|item| match item {
        ImplItem::Fn(method) if elsewhere::is_hook(&method.sig.ident) => Some(&mut method.sig),
        _ => None,
    })
}

/// The name of the block's type.
pub(super) fn name(block: &ItemImpl) -> Option<Ident> {
    types::last_segment(&block.self_ty).map(|last| last.ident.clone())
}

/// The types of a function's parameters, and of its result.
fn types_in(signature: &Signature) -> impl Iterator<Item = &Type> {
    let inputs = signature.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) => Some(&*input.ty),
        FnArg::Receiver(_) => None,
    });
    inputs.chain(match &signature.output {
        ReturnType::Type(_, ty) => Some(&**ty),
        ReturnType::Default => None,
    })
}

pub(super) fn of_impl(
    block: &ItemImpl,
    stateless: bool,
    promises: Promises,
    diagnostics: &mut Diagnostics,
) -> Option<Node> {
    if let Some((_, path, _)) = &block.trait_ {
        diagnostics.error(
            Code::E302,
            path,
            "`#[node]` goes on an inherent `impl` block, not on one of a trait",
            "write `#[node] impl Type { fn enter(&self, ..) { .. } }`",
        );
        return None;
    }
    // The emitted items stand elsewhere, where `Self` is another type or does not exist.
    let block = &types::without_self(block);
    let see_spawns = |first: &mut Option<_>, method: &syn::ImplItemFn| {
        *first = first.take().or_else(|| spawns::first(method.block.to_token_stream()));
    };
    let mut enter = None;
    let mut enter_gives = None;
    let mut exit = None;
    let mut exit_reply = None;
    let mut cancelled = None;
    let mut around = None;
    let mut is_almost_one = false;
    let mut again = None;
    let mut spawns = None;
    let mut flow = read_flow(&ReturnType::Default);
    let mut is_refused = false;
    for item in &block.items {
        let ImplItem::Fn(method) = item else { continue };
        let signature = &method.sig;
        let name = &signature.ident;
        let place = match name.to_string().as_str() {
            "enter" => Place::Enter,
            "exit" => Place::Exit,
            "cancelled" => Place::Cancelled,
            "around" => {
                see_spawns(&mut spawns, method);
                refuse_odd_functions(signature, diagnostics);
                check_receiver(signature, Place::Around, diagnostics);
                // An `around` that cannot be read is still one: a node that wraps a block causes no other error.
                around = Some(around::read(signature, diagnostics).unwrap_or_else(Around::kept_alive));
                continue;
            }
            "again" => {
                see_spawns(&mut spawns, method);
                check_receiver(signature, Place::Again, diagnostics);
                again = Some((name, around::read_again(signature, diagnostics)));
                continue;
            }
            _ => {
                is_almost_one |= elsewhere::refuse_almost_a_hook(method, diagnostics);
                continue;
            }
        };
        see_spawns(&mut spawns, method);
        refuse_odd_functions(signature, diagnostics);
        check_receiver(signature, place, diagnostics);
        let returns_what_it_takes = place == Place::Exit && check_returns_what_it_takes(signature, diagnostics);
        if place != Place::Enter && !returns_what_it_takes {
            check_returns_nothing(signature, place, diagnostics);
        }
        let mut said = Diagnostics::new();
        let of_hook = if returns_what_it_takes { &mut said } else { &mut *diagnostics };
        let hook = read_hook(signature, quote!(Self::#name), place, of_hook);
        said.verdict();
        let reply = check_generics(signature, place, &hook, diagnostics);
        match place {
            Place::Enter => {
                let returned = returned(signature);
                let gives_no_size = returns_no_size(signature);
                is_refused = gives_no_size || takes_no_size(signature);
                flow = read_flow(if gives_no_size { &ReturnType::Default } else { &returned });
                if let ReturnType::Type(_, ty) = returned {
                    enter_gives = Some(*ty);
                }
                enter = Some(hook);
            }
            Place::Exit => {
                exit_reply = reply;
                exit = Some(hook);
            }
            _ => {
                if let Some(token) = &signature.asyncness {
                    diagnostics.error(
                        Code::E309,
                        token,
                        "`cancelled` cannot be `async`: it runs while the request's future is being dropped",
                        "make it a plain `fn`; hand longer work to a task of its own",
                    );
                }
                cancelled = Some(hook);
            }
        }
    }
    if let Some((name, again)) = again {
        match &mut around {
            Some(around) => around.again = again,
            None => diagnostics.error(
                Code::E320,
                name,
                "`again` belongs to a node that wraps a block, and this one has no `around`",
                "add `around`, which may just await the block: `async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output { block.await }`",
            ),
        }
    }
    if let Some(ty) = &enter_gives {
        gives_what_is_visible(block, ty, diagnostics);
    }
    if let (Some(ty), None, true) = (&enter_gives, &cancelled, block.generics.params.is_empty()) {
        flow = flow.by_type(&ReturnType::Type(<syn::Token![->]>::default(), Box::new(ty.clone())));
    }
    if around.is_some() && (exit.is_some() || cancelled.is_some()) {
        diagnostics.error(
            Code::E319,
            &block.self_ty,
            "a node that wraps a block sees its end, so it has neither `exit` nor `cancelled`",
            "do it in `around`, behind `block.await`; what has to happen in any case, in the `Drop` of a local there",
        );
    }
    if enter.is_none() && exit.is_none() && cancelled.is_none() && around.is_none() {
        if is_almost_one {
            return None;
        }
        diagnostics.error(
            Code::E305,
            &block.self_ty,
            "a node needs a hook, and this `impl` block has none",
            "give it `fn enter(&self, ..)`, `fn exit(&self, ..)`, `fn cancelled(&self, ..)` or `async fn around(&self, ..)`",
        );
        return None;
    }
    if let Gives::Value(_, _, Some(own)) = &flow.gives {
        // Whatever names the lifetimes have in either hook, and whether they are written or not.
        let own = types::without_lifetimes(own);
        let hooks = [&mut exit, &mut cancelled].into_iter().flatten();
        for parameter in hooks.flat_map(|hook| &mut hook.parameters) {
            parameter.is_own = types::same_text(&types::without_lifetimes(&parameter.ty), types::referent(&own));
        }
        for parameter in cancelled.iter_mut().flat_map(|hook| &mut hook.parameters) {
            // Here it is found by the text. For the others, rustc finds what has another name.
            if parameter.is_own || nearby::are_one(&block.self_ty, &parameter.ty, types::referent(&own)) {
                parameter.is_own = true;
                parameter.role = Role::Own;
            }
        }
    }
    for parameter in cancelled.iter().flat_map(|hook| &hook.parameters) {
        if parameter.access == Access::LentMut && parameter.role == Role::Scope {
            let ty = types::text(&parameter.ty);
            diagnostics.error_at(
                Code::E312,
                parameter.span,
                format_args!("`cancelled` asks for `&mut {ty}`, but a field of the chain is shared between requests"),
                format_args!("ask for `&{ty}`; only the node's own provided value can be `&mut` here"),
            );
        }
    }
    let self_ty = &block.self_ty;
    let generics = block.generics.clone();
    let bare = generics.clone();
    let gives_for_longer = match (&enter, &enter_gives) {
        (Some(enter), Some(ty)) => enter.is_async && mentions(ty, &generics),
        _ => false,
    };
    let name = types::last_segment(self_ty).map_or_else(|| types::text(self_ty), |last| names::unraw(&last.ident));
    let node = Node {
        ty: self_ty.to_token_stream(),
        name,
        span: types::name_span(self_ty),
        generics,
        bare,
        is_function: false,
        is_chain: false,
        declaration: None,
        stateless,
        promises,
        spawns,
        enter,
        exit,
        exit_reply,
        cancelled,
        around,
        flow,
        is_stub: false,
        gives_for_longer,
        is_refused,
        handshake: Handshake::of_a_type(self_ty),
    };
    match node.handshake {
        Some(_) => Some(node),
        None => Some(Node { handshake: Handshake::of_hooks(&node), ..node }),
    }
}

/// What a node gives is named in a trait, where rustc asks that it is as visible as the node.
fn gives_what_is_visible(block: &ItemImpl, gives: &Type, diagnostics: &mut Diagnostics) {
    let Some(own) = types::last_segment(&block.self_ty).map(|last| &last.ident) else { return };
    let is_parameter = |name: &Ident| block.generics.type_params().any(|parameter| parameter.ident == *name);
    let all: Vec<_> = types::idents(gives).into_iter().filter(|ty| !is_parameter(ty)).collect();
    if let Some((ty, visibility)) = nearby::less_visible(own, &all) {
        let (ty, own) = (names::unraw(ty), names::unraw(own));
        diagnostics.error(
            Code::E327,
            gives,
            format_args!("`{own}` is `{visibility}`, and the `{ty}` that it gives is less visible"),
            format_args!("write `{visibility}` before `{ty}`"),
        );
    }
}

fn check_receiver(signature: &Signature, place: Place, diagnostics: &mut Diagnostics) {
    let name = place.name();
    match signature.receiver() {
        None => diagnostics.error(
            Code::E307,
            &signature.ident,
            format_args!("{name} has no `&self`"),
            format_args!("write `fn {}(&self, ..)`", signature.ident),
        ),
        Some(receiver) => {
            // `self: &Self` counts as `&self`.
            let mutability = match types::ungrouped(&receiver.ty) {
                Type::Reference(reference) => Some(reference.mutability.is_some()),
                _ => None,
            };
            match mutability {
                Some(false) => {}
                Some(true) => diagnostics.error(
                    Code::E307,
                    receiver,
                    format_args!("{name} takes `&mut self`, but a node is shared between requests"),
                    "write `&self`, and keep what changes in an atomic, a `Mutex`, or the value that the node provides",
                ),
                None => diagnostics.error(
                    Code::E307,
                    receiver,
                    format_args!("{name} takes the node by value, but a node serves every request"),
                    "write `&self`",
                ),
            }
        }
    }
}

/// `exit(&self, response: Response) -> Response`, as in middleware that maps a response. Whether it is one.
fn check_returns_what_it_takes(signature: &Signature, diagnostics: &mut Diagnostics) -> bool {
    let ReturnType::Type(_, returned) = &signature.output else { return false };
    let is_taken = |input: &FnArg| matches!(input, FnArg::Typed(input) if types::same_text(&input.ty, returned));
    let is_one = !types::is_unit(returned) && signature.inputs.iter().any(is_taken);
    if is_one {
        let text = types::text(returned);
        diagnostics.error(
            Code::E308,
            returned,
            "`exit` changes the reply where it is, and does not return it",
            format_args!("write `reply: &mut {text}` among its parameters, and let it return nothing"),
        );
    }
    is_one
}

fn check_returns_nothing(signature: &Signature, place: Place, diagnostics: &mut Diagnostics) {
    if let ReturnType::Type(_, ty) = &signature.output
        && !types::is_unit(ty)
    {
        diagnostics.error(
            Code::E308,
            ty,
            format_args!("{} returns `{}`, but nobody would see it", place.name(), types::text(ty)),
            "let it return nothing; `exit` changes the reply through `reply: &mut Reply`",
        );
    }
}

/// A hook has no generics of its own, except for the type of the reply in `exit`.
fn check_generics(
    signature: &Signature,
    place: Place,
    hook: &Hook,
    diagnostics: &mut Diagnostics,
) -> Option<syn::TypeParam> {
    let mut reply = None;
    for parameter in signature.generics.type_params() {
        let stands_for_reply = hook.parameters.iter().any(|other| {
            other.role == Role::Reply
                && matches!(types::ungrouped(&other.ty), Type::Path(path) if path.path.is_ident(&parameter.ident))
        });
        if stands_for_reply && reply.is_none() {
            let mut parameter = parameter.clone();
            parameter.bounds.extend(where_bounds(&signature.generics, &parameter.ident));
            reply = Some(parameter);
        } else {
            diagnostics.error(
                Code::E317,
                parameter,
                format_args!("nothing says which `{}` {} is meant for", parameter.ident, place.name()),
                "put the type parameter on the `impl` block, so that the node's type names it",
            );
        }
    }
    reply
}

fn where_bounds(generics: &Generics, name: &Ident) -> Vec<syn::TypeParamBound> {
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let bounds = predicates.filter_map(|predicate| match predicate {
        syn::WherePredicate::Type(predicate) => match types::ungrouped(&predicate.bounded_ty) {
            Type::Path(path) if path.path.is_ident(name) => Some(predicate.bounds.iter().cloned()),
            _ => None,
        },
        _ => None,
    });
    bounds.flatten().collect()
}
