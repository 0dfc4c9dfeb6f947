//! What stands for the type parameters of a chain while it is checked.

/// Stands for a type parameter while a chain with type parameters is checked. It implements the traits of core that a
/// bound may ask for.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, Hash)]
pub struct Opaque<const P: usize>;

impl<const P: usize, const Q: usize> PartialEq<Opaque<Q>> for Opaque<P> {
    fn eq(&self, _: &Opaque<Q>) -> bool {
        P == Q
    }
}

impl<const P: usize, const Q: usize> PartialOrd<Opaque<Q>> for Opaque<P> {
    fn partial_cmp(&self, _: &Opaque<Q>) -> Option<core::cmp::Ordering> {
        P.partial_cmp(&Q)
    }
}

impl<const P: usize, T: ?Sized> AsRef<T> for Opaque<P> {
    fn as_ref(&self) -> &T {
        unreachable!("nothing is run with an opaque type")
    }
}

impl<const P: usize, T: ?Sized> AsMut<T> for Opaque<P> {
    fn as_mut(&mut self) -> &mut T {
        unreachable!("nothing is run with an opaque type")
    }
}

impl<const P: usize> core::str::FromStr for Opaque<P> {
    type Err = Self;
    fn from_str(_: &str) -> Result<Self, Self> {
        Err(Self)
    }
}

macro_rules! calculates {
    ($($operation:ident $function:ident)*) => { $(
        impl<const P: usize> core::ops::$operation for Opaque<P> {
            type Output = Self;
            fn $function(self, _: Self) -> Self {
                self
            }
        }
    )* };
}
calculates! { Add add Sub sub Mul mul Div div Rem rem BitAnd bitand BitOr bitor BitXor bitxor }

impl<const P: usize> core::fmt::Display for Opaque<P> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("an opaque type")
    }
}

impl<const P: usize> core::error::Error for Opaque<P> {}

/// What the check falls back on for a chain whose bounds [`Opaque`] does not meet. Nothing is known of such a chain
/// here.
pub trait Unchecked {
    /// Nothing is checked.
    const WIRED: () = ();
    /// Which nodes there are, and what they take, is not known.
    const NODES: Option<&'static [crate::NodeInfo]> = None;
    /// Nothing is looked for.
    const LOOKS: usize = 0;
}
impl<T: ?Sized> Unchecked for T {}
