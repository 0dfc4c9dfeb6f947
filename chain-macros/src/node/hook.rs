//! Reads a hook: what it needs, how it is called, and whether it is awaited.

use proc_macro2::TokenStream;
use syn::{FnArg, Pat, ReturnType, Signature, Type};

use super::kept::{Kept, lifetimes_kept};
use super::signature::{Hook, Parameter, Place, Role};
use crate::diagnostics::{Code, Diagnostics};
use crate::told::Access;
use crate::types;

pub(super) fn refuse_odd_functions(signature: &Signature, diagnostics: &mut Diagnostics) {
    if let Some(token) = &signature.unsafety {
        diagnostics.error(
            Code::E316,
            token,
            "a node cannot be an `unsafe fn`",
            "call the unsafe function inside a safe node",
        );
    }
    if let Some(token) = &signature.variadic {
        diagnostics.error(Code::E316, token, "a node cannot be variadic", "name each parameter");
    }
    if let Some(abi) = &signature.abi {
        diagnostics.error(Code::E316, abi, "a node cannot be an `extern fn`", "call it inside a node of your own");
    }
    if let ReturnType::Type(_, ty) = &returned(signature)
        && let Some(token) = types::find_impl_trait(ty)
    {
        diagnostics.error(
            Code::E008,
            token,
            "what a node provides is found by its type, which `impl Trait` does not name",
            "name the type, or wrap the value in a type of its own",
        );
    }
}

pub(super) fn read_hook(signature: &Signature, call: TokenStream, place: Place, diagnostics: &mut Diagnostics) -> Hook {
    let kept = lifetimes_kept(signature);
    let mut parameters: Vec<Parameter> = Vec::new();
    for argument in &signature.inputs {
        let FnArg::Typed(argument) = argument else {
            continue;
        };
        let parameter = read_parameter(argument, &kept, place, diagnostics);
        let Some(parameter) = parameter else { continue };
        let twin =
            parameters.iter().find(|other| other.role == parameter.role && types::same_text(&other.ty, &parameter.ty));
        if twin.is_some() {
            let ty = types::text(&parameter.ty);
            diagnostics.error(
                Code::E109,
                &argument.ty,
                format_args!("{} asks for `{ty}` twice", place.name()),
                format_args!("a scope has one `{ty}`; wrap the other in a type of its own"),
            );
        }
        parameters.push(parameter);
    }
    let future = future_of(signature);
    let is_async = signature.asyncness.is_some() || future.is_some();
    let is_owned = future.is_some_and(|(_, is_owned)| is_owned);
    Hook { call, is_async, is_owned, parameters }
}

/// For a function that returns a future and is not an `async fn`: the output of the future, and whether the future is
/// `'static` and `Send`.
fn future_of(signature: &Signature) -> Option<(Type, bool)> {
    let ReturnType::Type(_, ty) = &signature.output else { return None };
    let Type::ImplTrait(bounds) = types::ungrouped(ty) else { return None };
    let mut output = None;
    let (mut is_static, mut is_send) = (false, false);
    for bound in &bounds.bounds {
        match bound {
            syn::TypeParamBound::Lifetime(lifetime) => is_static |= lifetime.ident == "static",
            syn::TypeParamBound::Trait(bound) => {
                let segment = bound.path.segments.last()?;
                is_send |= segment.ident == "Send";
                let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else { continue };
                let of_future = arguments.args.iter().find_map(|argument| match argument {
                    syn::GenericArgument::AssocType(assigned) if assigned.ident == "Output" => {
                        Some(assigned.ty.clone())
                    }
                    _ => None,
                });
                if segment.ident == "Future" {
                    output = of_future;
                }
            }
            _ => {}
        }
    }
    output.map(|output| (output, is_static && is_send))
}

/// The return type of a hook, once it was awaited.
pub(super) fn returned(signature: &Signature) -> ReturnType {
    match future_of(signature) {
        Some((output, _)) => ReturnType::Type(<syn::Token![->]>::default(), Box::new(output)),
        None => signature.output.clone(),
    }
}

/// Whether a hook returns a type without a size. rustc reports that at the user's function.
pub(super) fn returns_no_size(signature: &Signature) -> bool {
    match (future_of(signature), &signature.output) {
        (Some((output, _)), _) => types::has_no_size(&output),
        (None, ReturnType::Type(_, ty)) => types::has_no_size(ty),
        (None, ReturnType::Default) => false,
    }
}

/// Whether a hook takes a value without a size, or is lent an `Option` of one.
pub(super) fn takes_no_size(signature: &Signature) -> bool {
    signature.inputs.iter().any(|argument| match argument {
        FnArg::Typed(argument) => match types::ungrouped(&argument.ty) {
            Type::Reference(reference) => {
                types::has_no_size(&reference.elem)
                    && types::last_segment(&reference.elem).is_some_and(|last| last.ident != "str")
            }
            ty => types::has_no_size(ty),
        },
        FnArg::Receiver(_) => false,
    })
}

fn read_parameter(
    argument: &syn::PatType,
    kept: &Kept,
    place: Place,
    diagnostics: &mut Diagnostics,
) -> Option<Parameter> {
    let ty = types::ungrouped(&argument.ty);
    let span = types::name_span(types::referent(ty));
    if let Some(token) = types::find_impl_trait(ty) {
        diagnostics.error(
            Code::E008,
            token,
            "a node's parameter is found by its type, which `impl Trait` does not name",
            "name the type, or add a type parameter and name the node with it: `node::<Type>`",
        );
        return None;
    }
    let is_reply = place == Place::Exit && matches!(&*argument.pat, Pat::Ident(pat) if pat.ident == "reply");
    let role = if is_reply { Role::Reply } else { Role::Scope };
    let Type::Reference(reference) = ty else {
        if matches!(place, Place::Exit | Place::Cancelled) {
            let text = types::text(ty);
            let what = format!("{} borrows what it needs, it cannot take `{text}` by value", place.name());
            let help = match types::option_of_a_reference(ty).map(|held| types::text(&held)) {
                Some(held) => {
                    format!("write `&{held}`, or `&Option<{held}>` where the node that provides it may be skipped")
                }
                None => format!("write `&{text}` or `&mut {text}`"),
            };
            diagnostics.error(Code::E310, ty, what, help);
            return None;
        }
        return Some(Parameter {
            ty: ty.clone(),
            behind: 0,
            access: Access::Taken,
            is_kept: false,
            role,
            is_own: false,
            span,
        });
    };
    let (reference, behind) = match is_reply {
        false => innermost(reference, kept, place, diagnostics)?,
        true => (reference, 0),
    };
    let span = types::name_span(types::ungrouped(&reference.elem));
    if let Some(lifetime) = reference.lifetime.as_ref().filter(|lifetime| !is_reply && lifetime.ident == "static") {
        let text = types::text(&reference.elem);
        diagnostics.error(
            Code::E118,
            lifetime,
            format_args!("a node is lent `{text}` for its run, and not for `'static`"),
            format_args!(
                "ask for `&{text}`; what is `'static` is found in a type of its own, `struct Name(&'static {text})`"
            ),
        );
        return None;
    }
    let is_kept = matches!(place, Place::Function | Place::Enter) && kept.keeps(reference.lifetime.as_ref());
    let is_kept = is_kept || (reference.mutability.is_none() && kept.is_written_through(reference.lifetime.as_ref()));
    let access = match (reference.mutability, is_kept) {
        (Some(_), true) => {
            diagnostics.error(
                Code::E119,
                ty,
                "what a node provides cannot borrow from what it was lent for writing",
                "borrow it as `&T`, or return a value of its own",
            );
            return None;
        }
        (Some(_), false) => Access::LentMut,
        (None, _) => Access::Lent,
    };
    Some(Parameter { ty: (*reference.elem).clone(), behind, access, is_kept, role, is_own: false, span })
}

/// The innermost of several shared references, and how many stand before it. A value is found by the type to which
/// references lead, so `&&T` asks for a `T`, too.
fn innermost<'a>(
    reference: &'a syn::TypeReference,
    kept: &Kept,
    place: Place,
    diagnostics: &mut Diagnostics,
) -> Option<(&'a syn::TypeReference, usize)> {
    let (mut reference, mut behind) = (reference, 0);
    while let Type::Reference(inner) = types::ungrouped(&reference.elem)
        && reference.mutability.is_none()
        && inner.mutability.is_none()
    {
        // The outer reference is made for the call.
        if let Some(lifetime) = &reference.lifetime
            && lifetime.ident != "_"
            && matches!(place, Place::Function | Place::Enter)
            && kept.keeps(Some(lifetime))
        {
            let text = types::text(&inner.elem);
            diagnostics.error(
                Code::E120,
                lifetime,
                format_args!("a node cannot keep a reference to a `&{text}`, which is made for the call"),
                format_args!("ask for `&{lifetime} {text}`, or keep the inner reference: `&&{lifetime} {text}`"),
            );
            return None;
        }
        (reference, behind) = (inner, behind + 1);
    }
    Some((reference, behind))
}
