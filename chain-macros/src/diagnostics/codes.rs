//! The codes of all messages, including those of chain-runtime. A code never changes its meaning, and is never used
//! again.
//!
//! Each has a page in `chain-runtime/src/errors/`: what it means, an example, and the way out.

use std::fmt;

use proc_macro2::Span;
use quote::ToTokens;
use syn::parse::ParseStream;

/// The kinds of mistakes. The comment of each is its title on the page.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code, reason = "some are said by chain-runtime alone")]
pub(crate) enum Code {
    // 0: how a chain is written.
    /// This cannot be read
    E001,
    /// A macro that is the library's own
    E002,
    /// The chain's struct cannot be read
    E003,
    /// A field or an input has no type
    E004,
    /// The chain does not say what runs through it
    E005,
    /// The chain's `fn` says too much
    E006,
    /// An input is declared like a parameter of a method
    E007,
    /// A type that is not named
    E008,
    /// Nodes are joined with `=>`
    E009,
    /// An arrow without a node
    E010,
    /// A chain without nodes
    E011,
    /// A node is named, not called
    E012,
    /// An expression in the place of a node
    E013,
    /// A chain has no loops
    E014,
    /// A node with state is declared wrongly
    E015,
    /// Two things with the same name
    E016,
    /// A chain's type is declared twice
    E017,
    /// Fields and inputs are parted by `,`
    E018,

    // 1: how nodes find what they need.
    /// Nothing provides it
    E101,
    /// The node that provides it comes later
    E102,
    /// Only the node itself provides it
    E103,
    /// It can be lent, but not for writing
    E104,
    /// It can be lent, but not taken
    E105,
    /// A borrowed value does not live as long as the run
    E106,
    /// The value was taken before
    E107,
    /// The value is gone on the way out
    E108,
    /// A node asks twice for the same value
    E109,
    /// A node asks for a thing and for its part
    E110,
    /// Two things of the same type
    E111,
    /// A type parameter may be the type of something else
    E112,
    /// The name of a type hides a reference
    E113,
    /// A reference to a reference, for writing
    E114,
    /// A node that may be skipped provides an `Option`
    E115,
    /// A node could empty a value that is needed later
    E116,
    /// A node needs the type that it provides
    E117,
    /// Nothing is lent for `'static`
    E118,
    /// A value borrows from something that was lent for writing
    E119,
    /// A reference that is made for the call is kept
    E120,
    /// A type without a size
    E121,
    /// What `cancelled` is lent cannot be taken
    E122,

    // 2: how a run ends.
    /// A break cannot become the reply
    E201,
    /// The chain ends with something other than the reply
    E202,
    /// The chain ends with `()`
    E203,
    /// A node breaks with `()`
    E204,
    /// A node would never break
    E205,
    /// A node returns a value that nothing polls
    E206,
    /// A type has the name of one of core's
    E207,
    /// A reply that no node asks for
    E208,
    /// The chain goes on after its last node
    E209,
    /// Something `async` in a chain that is a plain `fn`
    E210,
    /// The chain may end without a reply
    E211,
    /// An answer that no node asks for
    E212,

    // 3: what a node is.
    /// Not a node
    E301,
    /// `#[node]` stands where it cannot
    E302,
    /// `#[node]` stands twice
    E303,
    /// `#[node(..)]` has no such option
    E304,
    /// A node without a hook
    E305,
    /// A hook that would never run
    E306,
    /// A hook is lent its node as `&self`
    E307,
    /// Nothing sees the result of the hook
    E308,
    /// `cancelled` is `async`
    E309,
    /// A hook that borrows takes something by value
    E310,
    /// `cancelled` needs a value that is gone by then
    E311,
    /// `cancelled` would write to a field
    E312,
    /// `exit` sees another reply
    E313,
    /// A block that goes on has no reply yet
    E314,
    /// The ending is known on the way out only
    E315,
    /// A kind of function that cannot be a node
    E316,
    /// Nothing says what a type parameter stands for
    E317,
    /// `around` has another shape
    E318,
    /// `around` beside `exit` or `cancelled`
    E319,
    /// `again` has another shape
    E320,
    /// A node with state is named by its type
    E321,
    /// Small letters for functions, capitals for types
    E322,
    /// A function without type parameters is given some
    E323,
    /// The name of a field's type hides an `Option`
    E324,
    /// Two `impl` blocks make one type a node
    E325,
    // E326 was said once.
    /// A node, or what it gives, is not visible
    E327,
    /// A bound of a node that the chain does not have
    E328,

    // 4: blocks and branches.
    /// A branch cannot be read
    E401,
    /// A branch asks one node
    E402,
    /// An attribute inside of a branch
    E403,
    /// A binding without a type
    E404,
    /// A type that belongs to no name
    E405,
    /// An `else` without an `if`
    E406,
    /// A condition is a `bool`
    E407,
    /// A block that goes on ends with a value
    E408,
    /// A node whose value is taken apart has `cancelled`
    E409,
    /// A node that wraps a block has none
    E410,
    /// A node does not wrap this block
    E411,
    /// A block that runs again takes an input
    E412,
    /// A condition has a way out
    E413,
    /// A node that wraps a block or decides may be `None`
    E414,
    /// A block that provides ends with another type
    E415,
    /// A block may end without what it provides
    E416,
    /// Nobody can ask for what a block provides
    E417,
    /// `->` says the type that a block provides
    E418,
    /// A binding has another type
    E419,
    /// A pattern takes a result apart that the chain has taken apart
    E420,

    // 5: attributes.
    /// No attribute of this name
    E501,
    /// An attribute stands at the wrong place
    E502,
    /// An attribute's arguments cannot be read
    E503,
    /// Not a share
    E504,
    /// Not a duration
    E505,
    /// An attribute stands twice
    E506,
    /// No timeout for work that goes on without the request
    E507,
    /// A plain `fn` has no future
    E508,
    /// No place for a switch
    E509,
    /// Two switches with the same name
    E510,
    /// Too many switches
    E511,
    /// A feature is missing
    E512,
    /// A timeout for a node that never suspends
    E513,
    /// Work that outlives its request borrows from it
    E514,
    /// Nothing waits for the result of the node
    E515,
    /// Not an observer
    E516,
    /// A chain is checked with other parameters
    E517,
    /// `#[open]` before a node that never breaks
    E518,
    /// The run cannot go on without what ends it
    E519,
    /// Late, without a timeout
    E520,

    // 6: segments.
    /// A segment cannot be read
    E601,
    /// A segment contains itself
    E602,
    /// A segment has other parameters
    E603,
    /// A segment needs a field
    E604,
    /// A segment needs a field of another type
    E605,
    /// A segment has something before or behind it
    E606,
    /// A segment without its dots, or a node with them
    E607,

    // 7: what a chain promises.
    /// The future is not `Send`
    E701,
    /// The future is over its budget
    E702,
    /// A node spawns, and its chain denies it
    E703,
    /// A node that rejects comes too late
    E704,
    /// No node asks for a value that is provided for others
    E705,
    /// A value that is made once, in a block that runs again
    E706,
    /// It is not clear who owns work that outlives its request
    E707,
    /// A child's panic cannot become the reply
    E708,
    /// `#[shed(..)]` cannot be read
    E711,
    /// No place for the level
    E712,
    /// Two sheds with the same name
    E713,
    /// Too many sheds
    E714,
    /// A node that cannot go behind the request
    E715,
    /// No queue for the work behind the request
    E716,

    // 8: ready nodes, and the code around a chain.
    /// Not a chain with these inputs
    E801,
    /// Not a reply that hyper can send
    E802,
    /// Not a timer
    E803,
    /// Not a policy of retries
    E804,
    /// A body without room for something that goes with it
    E805,
    /// A body that cannot say why
    E806,
    /// Not a key
    E807,
    /// A reply without a head
    E808,
    /// A reply that cannot be kept
    E809,
    /// Nothing stays in a request's place
    E810,
    /// A chain without a handle
    E811,

    // 9: `Reset`.
    /// Nothing says how a type is reset
    E901,
    /// `#[reset(..)]` cannot be read
    E902,
    /// Two ways to reset one field
    E903,
    /// A time that is read too early
    E904,
    /// An enum without a variant to be reset to
    E905,
    /// A type that cannot be reset
    E906,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chain[{self:?}]")
    }
}

/// The beginning of an error with a code.
pub(super) const BEGIN: &str = "chain[E";

impl Code {
    /// An error of this kind at these tokens.
    pub(crate) fn on(self, tokens: impl ToTokens, what: impl fmt::Display) -> syn::Error {
        syn::Error::new_spanned(tokens, format_args!("{self}: {what}"))
    }

    /// The same, if there is no token to point at but only a place.
    pub(crate) fn at(self, at: Span, what: impl fmt::Display) -> syn::Error {
        syn::Error::new(at, format_args!("{self}: {what}"))
    }

    /// The same, at the next token.
    pub(crate) fn here(self, input: ParseStream<'_>, what: impl fmt::Display) -> syn::Error {
        let ends = if input.is_empty() { "unexpected end of input, " } else { "" };
        self.at(input.span(), format_args!("{ends}{what}"))
    }
}
