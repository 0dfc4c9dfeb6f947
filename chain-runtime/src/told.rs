//! Checks of functions whose signature `chain!` knows, and which have no [`Node`](crate::Node) of their own: for each
//! number of parameters, functions that take such a function as an argument. The file is long because rustc shows these
//! functions in errors, and would not show them if a macro made them.

#![allow(clippy::type_complexity, reason = "a function of twelve parameters has a type of twelve parameters")]

pub mod hook;
pub mod search;

/// The type that a parameter refers to.
pub trait Refers {
    /// That type.
    type To: ?Sized;
}

impl<T: ?Sized> Refers for &T {
    type To = T;
}

impl<T: ?Sized> Refers for &mut T {
    type To = T;
}

/// What a function tells of its types. There is one impl for each such function, and rustc takes longer for types in it
/// that it has to look up: so all of them are one type, that of a function.
///
/// It is told to the chain `C`: with a chain's own type among the parameters, what a function of another crate tells is
/// settled there (see [`Joins`](crate::Joins)).
pub trait Tells<'a, C: ?Sized> {
    /// `fn(&'a ()) -> (Takes, Returns, Gives)`: a lifetime that is left out in the result is that of the call.
    type Types;
}

/// The types of a function, for a segment that passes the function on.
pub trait Takes<'a> {
    /// Its parameters, with this lifetime for each reference.
    type Takes;
    /// The type that it returns; for an `async fn`, the output of its future.
    type Returns;
}

#[diagnostic::do_not_recommend]
impl<'a, N: ?Sized + Tells<'a, (), Types = fn(&'a ()) -> (T, R, G)>, T, R, G> Takes<'a> for N {
    type Takes = T;
    type Returns = R;
}

/// The value that a function gives the chain `C`.
pub trait Gives<'a, C: ?Sized> {
    /// Its type; `()` if the function gives nothing.
    type It;
}

#[diagnostic::do_not_recommend]
impl<'a, C: ?Sized, N: ?Sized + Tells<'a, C, Types: Third<C>>> Gives<'a, C> for N {
    type It = <N::Types as Third<C>>::It;
}

/// The last one of a function's types. It is looked up, and not a parameter of the impl above: rustc would take such a
/// parameter for any type that is asked for, until it has looked.
pub trait Third<C: ?Sized> {
    /// That type.
    type It;
}

#[diagnostic::do_not_recommend]
impl<'a, C: ?Sized, T, R, G> Third<C> for fn(&'a ()) -> (T, R, G) {
    type It = G;
}

/// The type at a place in a tuple.
pub trait Nth<const AT: usize> {
    /// That type.
    type It;
}

macro_rules! nth {
    ($all:tt: $($at:literal $it:ident)*) => { $( nth! { $all $at $it } )* };
    (($($all:ident)*) $at:literal $it:ident) => {
        impl<$($all),*> Nth<$at> for ($($all,)*) {
            type It = $it;
        }
    };
}
nth! { (A): 0 A }
nth! { (A B): 0 A 1 B }
nth! { (A B C): 0 A 1 B 2 C }
nth! { (A B C D): 0 A 1 B 2 C 3 D }
nth! { (A B C D E): 0 A 1 B 2 C 3 D 4 E }
nth! { (A B C D E F): 0 A 1 B 2 C 3 D 4 E 5 F }
nth! { (A B C D E F G): 0 A 1 B 2 C 3 D 4 E 5 F 6 G }
nth! { (A B C D E F G H): 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H }
nth! { (A B C D E F G H I): 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I }
nth! { (A B C D E F G H I J): 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J }
nth! { (A B C D E F G H I J K): 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K }
nth! { (A B C D E F G H I J K L): 0 A 1 B 2 C 3 D 4 E 5 F 6 G 7 H 8 I 9 J 10 K 11 L }

/// The size in bytes of what a function with 0 parameters returns.
pub const fn size_0<F>(_: fn() -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 0 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_0<N: ?Sized, F>(_: fn() -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 1 parameters returns.
pub const fn size_1<A, F>(_: fn(A) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 1 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_1<N: ?Sized, A, F>(_: fn(A) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 2 parameters returns.
pub const fn size_2<A, B, F>(_: fn(A, B) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 2 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_2<N: ?Sized, A, B, F>(_: fn(A, B) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 3 parameters returns.
pub const fn size_3<A, B, C, F>(_: fn(A, B, C) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 3 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_3<N: ?Sized, A, B, C, F>(_: fn(A, B, C) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 4 parameters returns.
pub const fn size_4<A, B, C, D, F>(_: fn(A, B, C, D) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 4 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_4<N: ?Sized, A, B, C, D, F>(_: fn(A, B, C, D) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 5 parameters returns.
pub const fn size_5<A, B, C, D, E, F>(_: fn(A, B, C, D, E) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 5 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_5<N: ?Sized, A, B, C, D, E, F>(_: fn(A, B, C, D, E) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 6 parameters returns.
pub const fn size_6<A, B, C, D, E, G, F>(_: fn(A, B, C, D, E, G) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 6 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_6<N: ?Sized, A, B, C, D, E, G, F>(_: fn(A, B, C, D, E, G) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 7 parameters returns.
pub const fn size_7<A, B, C, D, E, G, H, F>(_: fn(A, B, C, D, E, G, H) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 7 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_7<N: ?Sized, A, B, C, D, E, G, H, F>(_: fn(A, B, C, D, E, G, H) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 8 parameters returns.
pub const fn size_8<A, B, C, D, E, G, H, I, F>(_: fn(A, B, C, D, E, G, H, I) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 8 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_8<N: ?Sized, A, B, C, D, E, G, H, I, F>(_: fn(A, B, C, D, E, G, H, I) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 9 parameters returns.
pub const fn size_9<A, B, C, D, E, G, H, I, J, F>(_: fn(A, B, C, D, E, G, H, I, J) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 9 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_9<N: ?Sized, A, B, C, D, E, G, H, I, J, F>(_: fn(A, B, C, D, E, G, H, I, J) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 10 parameters returns.
pub const fn size_10<A, B, C, D, E, G, H, I, J, K, F>(_: fn(A, B, C, D, E, G, H, I, J, K) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 10 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_10<N: ?Sized, A, B, C, D, E, G, H, I, J, K, F>(_: fn(A, B, C, D, E, G, H, I, J, K) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 11 parameters returns.
pub const fn size_11<A, B, C, D, E, G, H, I, J, K, L, F>(_: fn(A, B, C, D, E, G, H, I, J, K, L) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 11 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_11<N: ?Sized, A, B, C, D, E, G, H, I, J, K, L, F>(_: fn(A, B, C, D, E, G, H, I, J, K, L) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

/// The size in bytes of what a function with 12 parameters returns.
pub const fn size_12<A, B, C, D, E, G, H, I, J, K, L, M, F>(_: fn(A, B, C, D, E, G, H, I, J, K, L, M) -> F) -> usize {
    size_of::<F>()
}

/// Requires that the future of a function with 12 parameters can move between threads.
#[rustfmt::skip]
pub const fn moves_12<N: ?Sized, A, B, C, D, E, G, H, I, J, K, L, M, F>(_: fn(A, B, C, D, E, G, H, I, J, K, L, M) -> F)
where
    F: Send, // chain[E701]: drop guards before `.await`; `&mut T` if `&T` is not `Send`; `Mutex`, not `Cell`; `Arc`, not `Rc`
{
}

// rustc quotes the line of the function if a value has another type than the parameter that is written alike.

/// Calls a function of 1 parameter with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_1 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, F>(a: A, function: fn(A) -> F) -> F {
    function(a)
}

/// Calls a function of 2 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_2 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, F>(a: A, b: B, function: fn(A, B) -> F) -> F {
    function(a, b)
}

/// Calls a function of 3 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_3 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, F>(a: A, b: B, c: C, function: fn(A, B, C) -> F) -> F {
    function(a, b, c)
}

/// Calls a function of 4 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_4 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, D, F>(a: A, b: B, c: C, d: D, function: fn(A, B, C, D) -> F) -> F {
    function(a, b, c, d)
}

/// Calls a function of 5 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_5 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, D, E, F>(a: A, b: B, c: C, d: D, e: E, function: fn(A, B, C, D, E) -> F) -> F {
    function(a, b, c, d, e)
}

/// Calls a function of 6 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_6 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, D, E, G, F>(a: A, b: B, c: C, d: D, e: E, g: G, function: fn(A, B, C, D, E, G) -> F) -> F {
    function(a, b, c, d, e, g)
}

/// Calls a function of 7 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_7 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, D, E, G, H, F>(a: A, b: B, c: C, d: D, e: E, g: G, h: H, function: fn(A, B, C, D, E, G, H) -> F) -> F {
    function(a, b, c, d, e, g, h)
}

/// Calls a function of 8 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_8 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, D, E, G, H, I, F>(a: A, b: B, c: C, d: D, e: E, g: G, h: H, i: I, function: fn(A, B, C, D, E, G, H, I) -> F) -> F {
    function(a, b, c, d, e, g, h, i)
}

/// Calls a function of 9 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_9 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, D, E, G, H, I, J, F>(a: A, b: B, c: C, d: D, e: E, g: G, h: H, i: I, j: J, function: fn(A, B, C, D, E, G, H, I, J) -> F) -> F {
    function(a, b, c, d, e, g, h, i, j)
}

/// Calls a function of 10 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_10 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, D, E, G, H, I, J, K, F>(a: A, b: B, c: C, d: D, e: E, g: G, h: H, i: I, j: J, k: K, function: fn(A, B, C, D, E, G, H, I, J, K) -> F) -> F {
    function(a, b, c, d, e, g, h, i, j, k)
}

/// Calls a function of 11 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_11 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, D, E, G, H, I, J, K, L, F>(a: A, b: B, c: C, d: D, e: E, g: G, h: H, i: I, j: J, k: K, l: L, function: fn(A, B, C, D, E, G, H, I, J, K, L) -> F) -> F {
    function(a, b, c, d, e, g, h, i, j, k, l)
}

/// Calls a function of 12 parameters with arguments of just its types.
#[inline(always)]
#[rustfmt::skip]
#[allow(clippy::too_many_arguments, reason = "as many as the function has")]
pub fn call_12 // chain[E101]: two types have this name: let both nodes import the same one, or give one of them another name
<A, B, C, D, E, G, H, I, J, K, L, M, F>(a: A, b: B, c: C, d: D, e: E, g: G, h: H, i: I, j: J, k: K, l: L, m: M, function: fn(A, B, C, D, E, G, H, I, J, K, L, M) -> F) -> F {
    function(a, b, c, d, e, g, h, i, j, k, l, m)
}
