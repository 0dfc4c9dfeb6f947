//! Takes a node's result apart.

use core::ops::ControlFlow::{self, Break, Continue};

use super::never::{Empty, Never};
use super::{Reads, ResultLike, kind};

impl<T, E> ResultLike for Result<T, E> {
    type Value = T;
}

macro_rules! reads {
    ($($kind:ident: <$($parameter:ident $(: $bound:ident)?),*> $out:ty => $gives:ty, $breaks:ty, |$value:ident| $read:expr;)*) => { $(
        impl<$($parameter $(: $bound)?),*> Reads<$out> for kind::$kind {
            type Gives = $gives;
            type Breaks = $breaks;
            #[inline(always)]
            fn read($value: $out) -> ControlFlow<$breaks, $gives> {
                $read
            }
        }
    )* };
}

reads! {
    Gives: <T> T => T, Never, |out| Continue(out);
    Never: <N: Empty> N => Never, Never, |out| out.cannot_be();
    Fails: <T, E> Result<T, E> => T, E, |out| match out { Ok(value) => Continue(value), Err(broken) => Break(broken) };
    NeverFails: <T, N: Empty> Result<T, N> => T, Never, |out| Continue(out.unwrap_or_else(N::cannot_be));
    OnlyFails: <N: Empty, E> Result<N, E> => Never, E, |out| Break(out.map_or_else(|broken| broken, N::cannot_be));
    Breaks: <R, T> ControlFlow<R, T> => T, R, |out| match out { Continue(value) => Continue(value), Break(broken) => Break(broken) };
    NeverBreaks: <N: Empty, T> ControlFlow<N, T> => T, Never, |out| match out { Continue(value) => Continue(value), Break(broken) => broken.cannot_be() };
    OnlyBreaks: <R, N: Empty> ControlFlow<R, N> => Never, R, |out| match out { Continue(value) => value.cannot_be(), Break(broken) => Break(broken) };
}
