//! What a node breaks with: it becomes the reply, or is shown to `#[open(..)]`.

use core::ops::ControlFlow::{self, Break};

use super::never::Never;
use super::{Cut, CutsTo, IntoReply, Shows, kind, reply};

#[diagnostic::do_not_recommend]
impl<E: IntoReply<R>, R, N: ?Sized> CutsTo<R, N> for E {
    #[inline]
    fn cut_to(self) -> R {
        out_of_line(self)
    }
}

/// Makes the reply of a break: one copy for all nodes that break with an `E`, out of the way of the nodes that do not
/// break. Inlined, it would cost every node an instruction, because rustc makes a small reply before it asks whether
/// the reply is needed.
#[cold]
#[inline(never)]
fn out_of_line<E: IntoReply<R>, R>(broke_with: E) -> R {
    broke_with.into_reply()
}

/// The same, for a reply that is a `ControlFlow`.
#[cold]
#[inline(never)]
fn as_a_break<E: IntoReply<B>, B, V>(broke_with: E) -> ControlFlow<B, V> {
    Break(broke_with.into_reply())
}

/// The same conversion as `?`.
#[cold]
#[inline(never)]
fn as_an_error<E, T, X: From<E>>(broke_with: E) -> Result<T, X> {
    Err(X::from(broke_with))
}

macro_rules! cuts {
    (fails: $($fails:ident)*; breaks: $($breaks:ident)*; never: $($never:ident)*) => {
        cuts! { into_a_break: $($fails)* $($breaks)* }
        $(
            #[diagnostic::do_not_recommend]
            impl<E: IntoReply<R>, N, R> Cut<E, N, R, reply::Plain> for kind::$fails {
                #[inline]
                fn cut(broke_with: E) -> R {
                    out_of_line(broke_with)
                }
            }
            #[diagnostic::do_not_recommend]
            impl<E, N, T, X: From<E>> Cut<E, N, Result<T, X>, reply::Fallible> for kind::$fails {
                #[inline]
                fn cut(broke_with: E) -> Result<T, X> {
                    as_an_error(broke_with)
                }
            }
        )*
        $(
            #[diagnostic::do_not_recommend]
            impl<E: IntoReply<R>, N, R> Cut<E, N, R, reply::Plain> for kind::$breaks {
                #[inline]
                fn cut(broke_with: E) -> R {
                    out_of_line(broke_with)
                }
            }
            #[diagnostic::do_not_recommend]
            impl<E: IntoReply<R>, N, R> Cut<E, N, R, reply::Fallible> for kind::$breaks {
                #[inline]
                fn cut(broke_with: E) -> R {
                    out_of_line(broke_with)
                }
            }
        )*
        $(
            #[diagnostic::do_not_recommend]
            impl<N, R, Mode> Cut<Never, N, R, Mode> for kind::$never {
                #[inline]
                fn cut(broke_with: Never) -> R {
                    match broke_with {}
                }
            }
        )*
    };
    (into_a_break: $($breaks:ident)*) => { $(
        #[diagnostic::do_not_recommend]
        impl<E: IntoReply<B>, N, B, V> Cut<E, N, ControlFlow<B, V>, reply::Flowing> for kind::$breaks {
            #[inline]
            fn cut(broke_with: E) -> ControlFlow<B, V> {
                as_a_break(broke_with)
            }
        }
    )* };
}

cuts! { fails: Fails OnlyFails; breaks: Breaks OnlyBreaks; never: Gives Never NeverFails NeverBreaks }

macro_rules! shows {
    (breaks: $($breaks:ident)*; never: $($never:ident)*) => {
        $(
            impl<E> Shows<E, E> for kind::$breaks {
                #[inline(always)]
                fn shows(broke_with: &E) -> &E {
                    broke_with
                }
            }
        )*
        $(
            impl<T> Shows<Never, T> for kind::$never {
                fn shows(broke_with: &Never) -> &T {
                    match *broke_with {}
                }
            }
        )*
    };
}

shows! { breaks: Fails OnlyFails Breaks OnlyBreaks; never: Gives Never NeverFails NeverBreaks }
