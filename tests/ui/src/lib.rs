//! Nodes and types that the compile-fail cases share.

use chain_runtime::{IntoReply, chain, node};

/// What came in.
#[derive(Debug)]
pub struct Request {
    /// Of the page that is asked for.
    pub path: String,
}

/// What goes out.
#[derive(Debug)]
pub struct Reply(pub u16);

/// Who sent the request.
#[derive(Debug)]
pub struct User(pub String);

/// What `auth` looks a user up in.
#[derive(Debug)]
pub struct Keys;

/// Nobody knows who sent the request.
#[derive(Debug)]
pub struct Unauthorized;

impl IntoReply<Reply> for Unauthorized {
    fn into_reply(self) -> Reply {
        Reply(401)
    }
}

/// Asks what `tokio::spawn` asks. rustc quotes it where a case does not hold: what it quotes has to be ours, and stay.
pub fn spawn<F: Future<Output: Send> + Send + 'static>(_: F) {}

/// Asks what `std::thread::spawn` asks.
pub fn spawn_thread<F: FnOnce() + Send + 'static>(_: F) {}

/// Provides a `User`.
#[node]
pub async fn auth(request: &Request) -> Result<User, Unauthorized> {
    let name = request.path.strip_prefix("/~").ok_or(Unauthorized)?;
    Ok(User(name.to_owned()))
}

/// Needs a `User`, and gives the reply.
#[node]
pub fn greet(user: &User) -> Reply {
    if user.0.is_empty() { Reply(404) } else { Reply(200) }
}

/// Takes the request, and gives the reply.
#[node]
pub async fn proxy(request: Request) -> Reply {
    drop(request);
    Reply(200)
}

chain! {
    /// A segment that other crates use: its nodes are found where it is declared.
    pub segment front { crate::auth => counted }
}

/// How many letters the user's name has.
#[derive(Debug)]
pub struct Letters(pub usize);

/// Counts them.
#[node]
pub fn counted(user: &User) -> Letters {
    Letters(user.0.len())
}

/// Segments that other crates use, in which names mean what they mean here.
pub mod pages {
    use chain_runtime::{chain, node};

    use crate::Reply;

    const ADMIN: usize = 3;

    /// How many letters there are, if any.
    #[derive(Debug)]
    pub enum Length {
        /// None.
        Empty,
        /// So many.
        Of(Count),
    }

    /// So many.
    #[derive(Debug)]
    pub struct Count(pub usize);

    /// Counts.
    #[node]
    pub fn length(letters: &str) -> Length {
        if letters.is_empty() { Length::Empty } else { Length::Of(Count(letters.len())) }
    }

    /// Gives a number.
    #[node]
    pub fn size(letters: &str) -> usize {
        letters.len()
    }

    /// Gives it back.
    #[node]
    pub fn counted(count: &Count) -> Reply {
        Reply(count.0 as u16)
    }

    /// Gives a number.
    #[node]
    pub fn fixed<const N: u16>() -> Reply {
        Reply(N)
    }

    const fn is_long(count: &Count) -> bool {
        count.0 > ADMIN
    }

    chain! {
        /// A constant, a guard, a binding and an argument.
        pub segment branches {
            match size {
                ADMIN => fixed::<{ ADMIN as u16 * 100 }>,
                _ => match length {
                    Length::Of(count: Count) if is_long(&count) => counted,
                    Length::Of(_) => fixed::<1>,
                    Length::Empty => fixed::<0>,
                },
            }
        }
    }
}

/// What the cases about chains inside of chains share.
pub mod composed {
    pub use std::future::Future;
    pub use std::pin::Pin;

    pub use chain_runtime::around::{CatchPanic, Expired};
    pub use chain_runtime::share::StickyKey;
    pub use chain_runtime::tasks::Tasks;
    pub use chain_runtime::{Ending, IntoReply, Reloadable, Shedding, Toggles, chain, node};

    pub use crate::{Keys, Reply, Request, Unauthorized, User, auth, greet, proxy};

    /// Where a request goes.
    #[derive(Debug)]
    pub enum Route {
        /// With its version.
        Api(u32),
        /// With its name.
        File {
            /// Of the file.
            name: String,
        },
    }

    /// Gives a `Route`.
    #[node]
    pub fn route(request: &Request) -> Route {
        Route::File { name: request.path.clone() }
    }

    /// Gives a `bool`.
    #[node]
    pub fn is_local(request: &Request) -> bool {
        request.path.is_empty()
    }

    /// Gives a number.
    #[node]
    pub fn count(request: &Request) -> u32 {
        request.path.len() as u32
    }

    /// Needs a number.
    #[node]
    pub fn number(number: &u32) -> Reply {
        Reply(*number as u16)
    }

    /// Needs a `User`, and provides nothing.
    #[node]
    pub fn check(user: &User) {
        assert!(!user.0.is_empty());
    }

    /// Provides nothing.
    #[node]
    pub fn nothing() {}

    /// Takes the request, and provides nothing.
    #[node]
    pub fn drop_it(request: Request) {
        drop(request);
    }

    /// Gives the reply.
    #[node]
    pub fn last(request: &Request) -> Reply {
        Reply(request.path.len() as u16)
    }

    /// Gives the reply, after a while.
    #[node]
    pub async fn slow(request: &Request) -> Reply {
        Reply(request.path.len() as u16)
    }

    /// Borrows from the request, and gives nothing.
    #[node]
    pub async fn audit(request: &Request) {
        assert!(!request.path.is_empty());
    }

    /// Owns what it needs, and gives the reply.
    #[node]
    pub fn owned(request: &Request) -> impl Future<Output = Reply> + Send + 'static {
        let path = request.path.clone();
        async move { Reply(path.len() as u16) }
    }

    /// For `#[split(..)]`.
    #[node]
    pub fn key(request: &Request) -> StickyKey {
        StickyKey::from_u64(request.path.len() as u64)
    }

    /// Wraps a block.
    #[derive(Debug)]
    pub struct Pass;
    #[node]
    impl Pass {
        /// Polls it.
        pub async fn around<B: Future>(&self, block: Pin<&mut B>) -> Result<B::Output, Unauthorized> {
            Ok(block.await)
        }
    }

    /// Wraps a block, and may run it again.
    #[derive(Debug)]
    pub struct Again;
    #[node]
    impl Again {
        /// Polls it.
        pub async fn around<B: Future>(&self, block: Pin<&mut B>) -> B::Output {
            block.await
        }
        fn again(&self, attempt: u32, reply: &Reply) -> bool {
            attempt < 3 && reply.0 == 503
        }
    }

    /// What `Log` provides.
    #[derive(Debug)]
    pub struct Started;

    /// Sees the reply on its way out.
    #[derive(Debug)]
    pub struct Log;
    #[node]
    impl Log {
        fn enter(&self) -> Started {
            Started
        }
        fn exit(&self, _started: &Started, reply: &mut Reply) {
            reply.0 += 1;
        }
    }

    /// Asks how the chain ended.
    #[derive(Debug)]
    pub struct Ends;
    #[node]
    impl Ends {
        fn exit(&self, ending: &Ending) {
            println!("{ending}");
        }
    }

    /// Needs the request on its way out.
    #[derive(Debug)]
    pub struct Remembers;
    #[node]
    impl Remembers {
        fn exit(&self, request: &Request) {
            println!("{}", request.path);
        }
    }

    /// Gives a `bool`, and has `cancelled`.
    #[derive(Debug)]
    pub struct Cancels;
    #[node]
    impl Cancels {
        fn enter(&self) -> bool {
            true
        }
        fn cancelled(&self) {}
    }

    /// What a `Reloadable` holds.
    #[derive(Debug)]
    pub struct Limits(pub u32);
}

/// What the cases about tasks, and about what rejects, share.
pub mod tasks {
    use std::future::Future;
    use std::pin::Pin;

    use chain_runtime::{chain, node};

    use crate::{Keys, Request, Unauthorized};

    /// Tells somebody, and does not wait.
    #[node]
    pub async fn tell(request: &Request) {
        let path = request.path.clone();
        drop(tokio::spawn(async move { println!("{path}") }));
    }

    chain! {
        /// A segment that other crates use.
        pub segment told { tell }
    }

    /// Takes an input.
    #[node]
    pub fn read(keys: Keys) {
        let Keys = keys;
    }

    /// Lets none pass.
    #[derive(Debug)]
    pub struct Few;
    #[node(rejects)]
    impl Few {
        /// Polls none.
        pub async fn around<B: Future>(&self, _block: Pin<&mut B>) -> Result<B::Output, Unauthorized> {
            Err(Unauthorized)
        }
    }
}
