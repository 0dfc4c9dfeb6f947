//! A chain with a lifetime, a type, a constant and a where-clause.

use core::fmt::Debug;

use links::{chain, node};

/// Whoever can be called.
pub trait Client: Debug + Sync {
    /// Calls.
    fn call(&self, line: &str) -> String;
}

/// A node of any client.
#[derive(Debug)]
pub struct Proxy<C>(pub C);

#[node]
impl<C: Client> Proxy<C> {
    fn enter(&self, line: &str, names: &Names<'_>) -> String {
        format!("{} {}", self.0.call(line), names.0.len())
    }
}

/// Borrowed for longer than any run.
#[derive(Clone, Copy, Debug)]
pub struct Names<'k>(pub &'k [&'k str]);

/// Room for so much.
#[derive(Clone, Copy, Debug)]
pub struct Room<const N: usize>;

/// A node with parameters of each kind.
#[node]
#[must_use]
pub fn room<T, const N: usize>(room: &Room<N>, line: &str) -> Vec<T>
where
    T: Default + Clone,
{
    let _ = room;
    vec![T::default(); N.min(line.len())]
}

chain! {
    /// Where all of it comes together.
    #[derive(Debug)]
    pub struct Gateway<'k, C: Client, const N: usize>
    where
        Proxy<C>: Send,
    {
        /// Lent to the proxy.
        pub names: Names<'k>,
        /// A node.
        pub proxy: Proxy<C>,
        /// Lent to `room`.
        pub size: Room<N>,
    }

    async fn<'r>(line: &'r str) -> String {
        room::<(u8, Vec<Vec<u8>>), N> => proxy
    }
}
