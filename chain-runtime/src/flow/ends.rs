//! What the last node gives, of a chain or of a block: it becomes the reply, is the block's value, or is nothing.

use core::ops::ControlFlow::{self, Continue};

use super::never::Never;
use super::{Elsewise, End, Give, GoOn, IntoReply, Itself, kind, reply};

macro_rules! ends {
    (gives: $($gives:ident)*; never: $($never:ident)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<T: IntoReply<R>, N, R> End<T, N, R, reply::Plain> for kind::$gives {
                #[inline]
                fn end(gave: T) -> R {
                    gave.into_reply()
                }
            }
            #[diagnostic::do_not_recommend]
            impl<T: IntoReply<V>, N, V, X> End<T, N, Result<V, X>, reply::Fallible> for kind::$gives {
                #[inline]
                fn end(gave: T) -> Result<V, X> {
                    Ok(gave.into_reply())
                }
            }
            #[diagnostic::do_not_recommend]
            impl<T: IntoReply<V>, N, B, V> End<T, N, ControlFlow<B, V>, reply::Flowing> for kind::$gives {
                #[inline]
                fn end(gave: T) -> ControlFlow<B, V> {
                    Continue(gave.into_reply())
                }
            }
        )*
        $(
            #[diagnostic::do_not_recommend]
            impl<N, R, Mode> End<Never, N, R, Mode> for kind::$never {
                #[inline]
                fn end(gave: Never) -> R {
                    match gave {}
                }
            }
        )*
    };
}

ends! { gives: Gives Fails NeverFails Breaks NeverBreaks; never: Never OnlyFails OnlyBreaks }

macro_rules! gives {
    (gives: $($gives:ident)*; never: $($never:ident)*) => {
        $(
            #[diagnostic::do_not_recommend]
            impl<T, N: ?Sized> Give<T, N, T, Itself> for kind::$gives {
                #[inline(always)]
                fn give(gave: T) -> T {
                    gave
                }
            }
            #[diagnostic::do_not_recommend]
            impl<T, N: ?Sized> Give<T, N, T, Elsewise> for kind::$gives {
                fn give(gave: T) -> T {
                    gave
                }
            }
        )*
        $(
            #[diagnostic::do_not_recommend]
            impl<T, N: ?Sized> Give<Never, N, T, Itself> for kind::$never {
                #[inline(always)]
                fn give(gave: Never) -> T {
                    match gave {}
                }
            }
        )*
    };
}

gives! { gives: Gives Fails NeverFails Breaks NeverBreaks; never: Never OnlyFails OnlyBreaks }

#[diagnostic::do_not_recommend]
impl<N: ?Sized> GoOn<N> for () {
    #[inline(always)]
    fn go_on(self) {}
}

#[diagnostic::do_not_recommend]
impl<N: ?Sized> GoOn<N> for Never {
    #[inline(always)]
    fn go_on(self) {
        match self {}
    }
}
