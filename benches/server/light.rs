//! Chains of 37 nodes with almost no work of their own: the cost of the chain itself for a server.

use chain_runtime::{chain, node};
use http::header::USER_AGENT;
use http::{HeaderMap, StatusCode};

#[node]
fn add<const I: u64>(sum: &mut u64) -> Result<(), StatusCode> {
    *sum = sum.wrapping_add(I);
    if *sum == u64::MAX { Err(StatusCode::FORBIDDEN) } else { Ok(()) }
}

/// Mixes a byte of a header into what the nodes share, as the nodes of the bench `depth` do.
#[node]
fn mix<const I: u64>(headers: &HeaderMap, sum: &mut u64) -> Result<(), StatusCode> {
    let byte = headers.get(USER_AGENT).and_then(|value| value.as_bytes().first()).copied().unwrap_or_default();
    *sum = sum.rotate_left(5).wrapping_add(u64::from(byte) ^ I);
    if byte == b'!' { Err(StatusCode::FORBIDDEN) } else { Ok(()) }
}

#[node]
async fn last(sum: &u64) -> StatusCode {
    std::hint::black_box(*sum);
    StatusCode::OK
}

macro_rules! of_37 {
    ($chain:ident: $node:ident) => {
        chain! {
            pub(crate) struct $chain;

            async fn<'r>(headers: &'r HeaderMap, sum: &'r mut u64) -> StatusCode {
                $node::<0> => $node::<1> => $node::<2> => $node::<3> => $node::<4> => $node::<5>
                    => $node::<6> => $node::<7> => $node::<8> => $node::<9> => $node::<10> => $node::<11>
                    => $node::<12> => $node::<13> => $node::<14> => $node::<15> => $node::<16> => $node::<17>
                    => $node::<18> => $node::<19> => $node::<20> => $node::<21> => $node::<22> => $node::<23>
                    => $node::<24> => $node::<25> => $node::<26> => $node::<27> => $node::<28> => $node::<29>
                    => $node::<30> => $node::<31> => $node::<32> => $node::<33> => $node::<34> => $node::<35>
                    => last
            }
        }
    };
}

of_37! { Additions: add }
of_37! { Headers: mix }

/// What `Headers` does, in a loop.
pub(crate) fn headers_by_hand(headers: &HeaderMap, sum: &mut u64) -> StatusCode {
    for index in 0..36 {
        let byte = headers.get(USER_AGENT).and_then(|value| value.as_bytes().first()).copied().unwrap_or_default();
        *sum = sum.rotate_left(5).wrapping_add(u64::from(byte) ^ index);
        if byte == b'!' {
            return StatusCode::FORBIDDEN;
        }
    }
    std::hint::black_box(*sum);
    StatusCode::OK
}
