//! Emits a function's own macro, which tells a chain the signature: see [`crate::handshake`].

use std::rc::Rc;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Ident, ItemFn, Visibility};

use super::flow::{Flow, FlowKind, Gives};
use super::signature::{Handshake, Hook, Node, Parameter, Role};
use crate::handshake::{Access, Exit, Hooks, Kind, Of, Told, Untold};
use crate::names;
use crate::nearby;
use crate::told::Open;
use crate::types;

/// The most parameters of a function that tells its signature: the runtime has no form for more.
pub(super) const MOST: usize = 12;

impl Handshake {
    /// The macro of a function, if the function's name can be a macro's.
    pub(super) fn of(function: &ItemFn, hook: &Hook, flow: &Flow) -> Option<Self> {
        let name = &function.sig.ident;
        names::has_macro(name)
            .then(|| Self { told: told(function, hook, flow), ..Self::beside(name, &names::vis_beside(&function.vis)) })
    }

    /// The macro of a type that is named like a function: a chain asks it by its name. It tells nothing.
    pub(super) fn of_a_type(ty: &syn::Type) -> Option<Self> {
        let syn::Type::Path(path) = types::ungrouped(ty) else { return None };
        let name = path.path.get_ident().filter(|name| names::has_macro(name))?;
        Some(Self::beside(name, &syn::parse_quote!(pub(crate))))
    }

    /// The macro beside a type with hooks: a chain asks it by the name of a field's type.
    pub(super) fn of_hooks(node: &Node) -> Option<Self> {
        let ty: syn::Type = syn::parse2(node.ty.clone()).ok()?;
        let syn::Type::Path(path) = types::ungrouped(&ty) else { return None };
        // The macro stands where the block stands. A path may lead elsewhere.
        let last = path.path.segments.last().filter(|_| path.qself.is_none() && path.path.segments.len() == 1)?;
        let name = Some(&last.ident).filter(|name| may_have_a_macro(name))?;
        // Two blocks for different arguments would have two macros of one name.
        if !last.arguments.is_none() && !types::are_parameters(last, &node.generics) {
            return None;
        }
        let told = told_hooks(node).filter(|_| last.arguments.is_none() && node.is_found_by_text());
        let sought = if told.is_none() { node.told_in_part().map(Rc::new) } else { None };
        let open = open_result(node, last).filter(|_| !last.arguments.is_none() && !node.is_refused);
        let is_limited = !types::are_unlimited(&node.generics);
        let untold = Untold { is_limited, open, sought, ..Untold::default() };
        let tells = told.is_some() || untold.is_of_hooks();
        // The chain asks by the second name, so there has to be a macro.
        (tells || nearby::own(name).is_some()).then(|| Self {
            told,
            untold,
            ..Self::beside(name, &syn::parse_quote!(pub))
        })
    }

    /// The macro of an item about which there is an error.
    pub(super) fn of_broken(name: &Ident, vis: &Visibility) -> Self {
        Self { is_broken: true, ..Self::beside(name, vis) }
    }

    /// The same beside hooks.
    fn of_broken_hooks(ty: &TokenStream) -> Option<Self> {
        let syn::Type::Path(path) = syn::parse2(ty.clone()).ok()? else { return None };
        let name = path.path.get_ident().filter(|name| may_have_a_macro(name))?;
        Some(Self::of_broken(name, &syn::parse_quote!(pub)))
    }

    /// The macro of a function elsewhere, under this name.
    pub(super) fn beside(name: &Ident, vis: &Visibility) -> Self {
        Self {
            name: name.clone(),
            vis: vis.clone(),
            told: None,
            is_broken: false,
            untold: Untold::default(),
            docs: TokenStream::new(),
        }
    }

    /// The macro tells this signature, or nothing.
    pub(super) fn expand(&self, told: Option<&Told>) -> TokenStream {
        let Self { name, vis, is_broken, untold, .. } = self;
        let own = nearby::own(name);
        let is_of_a_type = names::may_have_a_macro(name);
        let tells_hooks = told.is_some_and(|told| told.hooks.is_some());
        let has_hooks = tells_hooks || (is_of_a_type && untold.is_of_hooks()) || (*is_broken && is_of_a_type);
        let is_only_own = own.is_some() && is_of_a_type && !has_hooks;
        let otherwise = || if *is_broken { Told::broken() } else { untold.tokens() };
        let told = told.map_or_else(otherwise, Told::tokens);
        let made = names::unique("node", name);
        let exported = matches!(vis, Visibility::Public(_)).then(|| quote!(#[macro_export]));
        let name = names::emitted(name);
        let module = has_hooks.then(|| names::unique("hooks", &name));
        let tells = quote! {
            #[doc(hidden)]
            #[allow(unused_macros, non_local_definitions)]
            #exported
            macro_rules! #made {
                ({ $($before:tt)* } [$($next:tt)*] $($rest:tt)*) => { $($next)* ! { { $($before)* #told } $($rest)* } };
            }
        };
        let named = quote! {
            #[doc(hidden)]
            #[allow(unused_imports)]
            #vis use #made as #name;
        };
        match module {
            // What the user imports under this name, a derive macro for example, takes precedence over a glob.
            Some(module) => {
                let own = own_name(own, &quote!(#module::#name));
                quote! {
                    #[doc(hidden)]
                    mod #module { #tells #named }
                    #[doc(hidden)]
                    #[allow(unused_imports)]
                    pub use #module::*;
                    #own
                }
            }
            None => {
                let own = own_name(own, &made.to_token_stream());
                let named = (!is_only_own).then_some(named);
                quote!(#tells #named #own)
            }
        }
    }
}

/// The second name of a macro.
fn own_name(own: Option<Ident>, made: &TokenStream) -> Option<TokenStream> {
    own.map(|own| {
        quote! {
            #[doc(hidden)]
            #[allow(unused_imports)]
            use #made as #own;
        }
    })
}

/// Whether there may be a macro beside the hooks of this type. Beside a type that does not exist, rustc would find the
/// macro in its place, and say that.
fn may_have_a_macro(name: &Ident) -> bool {
    names::may_have_a_macro(name) && !nearby::is_unknown(name)
}

/// Whether a type can be used by its text: one that borrows has a lifetime, written or not.
fn is_plain(text: &str) -> bool {
    !text.contains(['\'', '&'])
}

/// How a parameter is wanted, and its type as text, if its type can be used by its text.
fn told_parameter(parameter: &Parameter) -> Option<(Access, String)> {
    let is_odd = matches!(types::ungrouped(&parameter.ty), syn::Type::Reference(_) | syn::Type::Macro(_));
    let text = types::text(&parameter.ty);
    let is_plain = parameter.behind == 0 && !is_odd && is_plain(&text) && !parameter.is_kept;
    is_plain.then_some((parameter.access, text))
}

/// What hooks of a type with parameters give, if it is one of the parameters or a type of one.
fn open_result(node: &Node, ty: &syn::PathSegment) -> Option<Open> {
    let Gives::Value(_, text, Some(gives)) = &node.flow.gives else { return None };
    let of = types::parameter(gives)?;
    let at = types::type_arguments(ty).iter().position(|argument| types::named(argument) == Some(of))?;
    is_plain(text).then(|| Open::new(at, text, gives, &node.generics))
}

/// The signatures of hooks whose types can be used by their text.
fn told_hooks(node: &Node) -> Option<Told> {
    let has_more = node.around.is_some() || node.cancelled.is_some() || node.exit_reply.is_some();
    if has_more || !node.generics.params.is_empty() || node.generics.where_clause.is_some() || node.is_stub {
        return None;
    }
    if node.gives_for_longer || node.is_refused || node.gives_what_it_keeps() || node.gives_what_it_takes() {
        return None;
    }
    let (kind, provides, breaks) = told_flow(&node.flow)?;
    let parameters = match &node.enter {
        Some(hook) => hook
            .parameters
            .iter()
            .map(|parameter| told_parameter(parameter).filter(|_| parameter.role == Role::Scope))
            .collect::<Option<Vec<_>>>()?,
        None => Vec::new(),
    };
    let exit = match &node.exit {
        Some(hook) => {
            let parameters = hook.parameters.iter().map(|parameter| {
                let (access, text) = told_parameter(parameter)?;
                let of = if parameter.role == Role::Reply { Of::Reply } else { Of::Scope };
                Some((of, access, text))
            });
            Some(Exit { is_async: hook.is_async, parameters: parameters.collect::<Option<_>>()? })
        }
        None => None,
    };
    let told = Told {
        name: node.name.clone(),
        is_async: node.enter.as_ref().is_some_and(|hook| hook.is_async),
        is_owned: false,
        kind,
        provides,
        breaks,
        parameters,
        hooks: Some(Hooks { is_whole: true, enters: node.enter.is_some(), exit, cancelled: Vec::new(), shape: 0 }),
    };
    let is_short = told.parameters.len() <= MOST;
    (told.gives_back().is_none() && is_short).then(|| told.with_a_shape())
}

/// What a hook or a function gives and breaks with, if it can be told by text.
fn told_flow(flow: &Flow) -> Option<(Kind, String, String)> {
    let kind = match flow.kind {
        FlowKind::Plain => Kind::Gives,
        FlowKind::Result => Kind::Fails,
        FlowKind::ControlFlow => Kind::Breaks,
        FlowKind::ByType(_) => return None,
    };
    let provides = match &flow.gives {
        Gives::Nothing => String::new(),
        Gives::Never => return None,
        Gives::Value(_, _, None) => return None,
        Gives::Value(_, text, Some(ty)) => {
            if matches!(types::ungrouped(ty), syn::Type::Reference(_) | syn::Type::Macro(_)) {
                return None;
            }
            text.clone()
        }
    };
    let breaks = flow.breaks.as_ref().map(|(_, text)| text.clone());
    // `Result<T, Infallible>` cannot break: its type says so.
    if breaks.is_none() && kind != Kind::Gives {
        return None;
    }
    let breaks = breaks.unwrap_or_default();
    (is_plain(&provides) && is_plain(&breaks)).then_some((kind, provides, breaks))
}

/// The signature of a function whose types can be used by their text: no generics, no lifetimes, and no aliases that
/// would have to be resolved.
fn told(function: &ItemFn, hook: &Hook, flow: &Flow) -> Option<Told> {
    let generics = &function.sig.generics;
    if !generics.params.is_empty() || generics.where_clause.is_some() || hook.parameters.len() > MOST {
        return None;
    }
    let (kind, provides, breaks) = told_flow(flow)?;
    let parameters =
        hook.parameters.iter().map(|parameter| told_parameter(parameter).filter(|_| parameter.role == Role::Scope));
    Some(Told {
        name: names::unraw(&function.sig.ident),
        is_async: hook.is_async,
        is_owned: hook.is_owned,
        kind,
        provides,
        breaks,
        parameters: parameters.collect::<Option<_>>()?,
        hooks: None,
    })
}

impl Node {
    /// A node about which there is an error. It tells that to its chains, which then have no errors of their own.
    pub(super) fn broken(mut self) -> Self {
        match &mut self.handshake {
            Some(handshake) => handshake.is_broken = true,
            None if !self.is_function => self.handshake = Handshake::of_broken_hooks(&self.ty),
            None => {}
        }
        self
    }

    /// The signature, if the chain needs to know nothing else of the node.
    pub(super) fn told(&self) -> Option<&Told> {
        let told = self.handshake.as_ref()?.told.as_ref()?;
        self.is_found_by_text().then_some(told)
    }

    /// Whether it promises nothing, and begins no tasks.
    fn is_found_by_text(&self) -> bool {
        let promises = [self.promises.last, self.promises.rejects, self.promises.wanted, self.promises.once];
        self.spawns.is_none() && promises == [false; 4]
    }

    /// Whether the signature is not told: not that of a plain function.
    pub(super) fn is_untold(&self) -> bool {
        self.handshake.as_ref().is_none_or(|handshake| handshake.told.is_none())
    }

    /// Whether a type in the signature certainly does not exist. rustc says so, and would find that such a type is any other
    /// one in a chain.
    pub(super) fn names_no_type(&self, seen: &nearby::Seen) -> bool {
        self.handshake.as_ref().is_some_and(|Handshake { name, told, .. }| {
            let texts = told.iter().flat_map(|told| {
                let parameters = told.parameters.iter().map(|(_, text)| text.as_str());
                parameters.chain([told.provides.as_str(), told.breaks.as_str()])
            });
            seen.lacks_one(name, texts)
        })
    }

    /// The hooks as a chain calls them that knows their signatures.
    pub(super) fn hooks_by_text(&self, rt: &TokenStream, told: &Told) -> TokenStream {
        let Some(Hooks { shape, .. }) = &told.hooks else { return TokenStream::new() };
        let (ty, run, call, with) = (&self.ty, names::run_lifetime(), names::call_lifetime(), names::single("with"));
        let hook = |hook: &Hook, name: &str, traits: [&str; 2], out: TokenStream| {
            let types: Vec<_> = hook
                .parameters
                .iter()
                .map(|parameter| {
                    let ty = match parameter.role {
                        Role::Reply => parameter.ty.to_token_stream(),
                        _ => self.asked(rt, parameter),
                    };
                    match parameter.access {
                        Access::Taken => ty,
                        Access::LentMut => quote!(&#call mut #ty),
                        Access::Lent => quote!(&#call #ty),
                    }
                })
                .collect();
            let arguments = (0..hook.parameters.len()).map(|at| {
                let at = syn::Index::from(at);
                quote!(#with.#at)
            });
            let name = syn::Ident::new(name, proc_macro2::Span::call_site());
            let [now, later] = traits.map(|name| syn::Ident::new(name, proc_macro2::Span::call_site()));
            let (of, out) = match hook.is_async {
                true => (later, quote!(impl #rt::private::Future<Output = #out>)),
                false => (now, out),
            };
            let function = &hook.call;
            let borrows = hook.parameters.iter().any(|parameter| parameter.access != Access::Taken);
            let lives = if borrows { quote!(#run: #call, #call) } else { quote!(#run) };
            quote! {
                #[automatically_derived]
                impl<#lives> #rt::told::hook::#of<#run, (#(#types,)*), #shape> for #ty {
                    #[inline(always)]
                    fn #name(&#run self, #with: (#(#types,)*)) -> #out { #function(self, #(#arguments),*) }
                }
            }
        };
        let enter = self.enter.as_ref().map(|enter| {
            hook(enter, "enter", ["EntersNow", "EntersLater"], quote!(<Self as #rt::Signature<#run>>::Out))
        });
        let exit = self.exit.as_ref().map(|exit| hook(exit, "exit", ["ExitsNow", "ExitsLater"], quote!(())));
        quote!(#enter #exit)
    }

    /// The items for a function that tells its signature: its type, what it provides, and its macro. A macro by example
    /// of the runtime writes them, which takes rustc less time than the tokens of a procedural macro.
    pub(super) fn expand_told(&self, rt: &TokenStream, told: &Told, handshake: &Handshake) -> TokenStream {
        let Handshake { name, vis, docs, .. } = handshake;
        let (call, returns) = (names::call_lifetime(), &self.flow.out);
        // A lifetime that is left out in one of the types is that of the call.
        let takes = self.enter.iter().flat_map(|hook| &hook.parameters).map(|parameter| {
            let ty = &parameter.ty;
            match parameter.access {
                Access::Taken => quote!(#ty,),
                Access::LentMut => quote!(&#call mut #ty,),
                Access::Lent => quote!(&#call #ty,),
            }
        });
        let gives = match &self.flow.gives {
            Gives::Value(value, ..) => Some(value),
            Gives::Nothing | Gives::Never => None,
        };
        let nothing = quote!(());
        let gives = gives.unwrap_or(&nothing);
        let (made, told) = (names::unique("node", name), told.tokens());
        let own = own_name(nearby::own(name), &made.to_token_stream());
        let is_public = matches!(vis, Visibility::Public(_));
        let exported = is_public.then(|| quote!(#[macro_export]));
        let (name, dollar) = (names::emitted(name), names::dollar());
        // The struct's own tokens are from here: an error about its visibility names the attribute, and no macro of ours.
        quote! {
            #rt::__told! {
                #dollar [#docs] [#vis struct #name {}] [#vis] #name #made [#exported] #call [#(#takes)*] [#returns] [#gives] #told
            }
            #own
        }
    }
}
