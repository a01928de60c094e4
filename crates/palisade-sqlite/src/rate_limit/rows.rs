//! What stands in the columns: the room's states as bytes, every number with its most significant byte first.

use palisade_core::{Instant, StoreError, StoreErrorKind};
use palisade_rate_limit::{
    Algorithm, HoldId, Limit, Span,
    model::{
        Counter, Mark, Taken, Windows, bucket,
        concurrency::{Lease, Leases},
        sliding_log::Log,
    },
};

use crate::error::{Failure, corrupt};

const LOADING: &str = "loading a limit";

/// A time as a column has it. One that lies beyond 2262 is as good as never.
pub(super) fn column(at: Instant) -> i64 {
    i64::try_from(at.as_nanos()).unwrap_or(i64::MAX)
}

pub(super) fn time(column: i64) -> Instant {
    Instant::from_nanos(u64::try_from(column).unwrap_or(0))
}

/// The letter of an algorithm: in names of counters, and the first byte of their state.
pub(super) const fn letter(algorithm: Algorithm) -> char {
    match algorithm {
        Algorithm::TokenBucket => 'b',
        Algorithm::FixedWindow => 'f',
        Algorithm::SlidingWindow => 's',
        Algorithm::SlidingLog => 'l',
        Algorithm::Concurrency => 'c',
        // One that this version does not know. Its counters are refused when they are written.
        _ => '?',
    }
}

pub(super) fn write_counter(counter: &Counter) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::with_capacity(33);
    let mut put = |letter: char, numbers: &[u64]| {
        if out.is_empty() {
            out.push(letter as u8);
        }
        out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    };
    let windows = |w: &Windows| [w.index, w.used, w.previous, w.owed];
    match counter {
        Counter::Bucket(state, refunded) => put(
            'b',
            &[
                state.nanos(),
                u64::from(state.fraction()) << 1 | u64::from(state.is_indebted()),
                refunded.nanos,
                u64::from(refunded.fraction),
            ],
        ),
        Counter::FixedWindow(state) => put('f', &windows(state)),
        Counter::SlidingWindow(state) => put('s', &windows(state)),
        Counter::SlidingLog(log) => {
            put('l', &[]);
            for (at, taken) in &log.entries {
                put('l', &[*at, *taken]);
            }
        }
        Counter::Concurrency(leases) => {
            put('c', &[]);
            for lease in &leases.leases {
                let id = lease.id.as_u128();
                let halves = [(id >> 64) as u64, id as u64];
                put('c', &halves);
                put('c', &[lease.amount, lease.until.as_nanos()]);
            }
        }
        _ => {
            let source = "a counter that this version cannot store";
            let error = StoreError::new(StoreErrorKind::Invalid, "storing a limit");
            return Err(Failure::Store(error.with_source(source)));
        }
    }
    Ok(out)
}

pub(super) fn read_counter(state: &[u8], limit: &Limit) -> Result<Counter, Failure> {
    let wrong = || corrupt(LOADING, "a counter is not what it was written as");
    let (first, rest) = state.split_first().ok_or_else(wrong)?;
    if char::from(*first) != letter(limit.algorithm()) {
        return Err(wrong());
    }
    let (words, []) = rest.as_chunks::<8>() else {
        return Err(wrong());
    };
    let numbers: Vec<u64> = words.iter().map(|word| u64::from_be_bytes(*word)).collect();
    let windows = || match numbers[..] {
        [index, used, previous, owed] => Ok(Windows {
            index,
            used,
            previous,
            owed,
        }),
        _ => Err(wrong()),
    };
    match limit.algorithm() {
        Algorithm::TokenBucket => {
            let [nanos, packed, refunded, fraction] = numbers[..] else {
                return Err(wrong());
            };
            let small = |number: u64| u32::try_from(number).map_err(|_| wrong());
            let state = bucket::State::from_parts(nanos, small(packed >> 1)?, packed & 1 == 1);
            let refunded = Span {
                nanos: refunded,
                fraction: small(fraction)?,
            };
            Ok(Counter::Bucket(state, refunded))
        }
        Algorithm::FixedWindow => Ok(Counter::FixedWindow(windows()?)),
        Algorithm::SlidingWindow => Ok(Counter::SlidingWindow(windows()?)),
        Algorithm::SlidingLog => {
            let (pairs, []) = numbers.as_chunks::<2>() else {
                return Err(wrong());
            };
            let entries = pairs.iter().map(|[at, taken]| (*at, *taken)).collect();
            Ok(Counter::SlidingLog(Log { entries }))
        }
        Algorithm::Concurrency => {
            let (fours, []) = numbers.as_chunks::<4>() else {
                return Err(wrong());
            };
            let lease = |[high, low, amount, until]: &[u64; 4]| Lease {
                id: HoldId::from_u128(u128::from(*high) << 64 | u128::from(*low)),
                amount: *amount,
                until: Instant::from_nanos(*until),
            };
            let leases = fours.iter().map(lease).collect();
            Ok(Counter::Concurrency(Leases { leases }))
        }
        _ => Err(wrong()),
    }
}

/// Of each charge four numbers, the length of the counter's name and the name.
pub(super) fn write_taken(taken: &[Taken<String>]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in taken {
        let numbers = [
            part.reserved,
            part.last,
            part.mark.nanos,
            u64::from(part.mark.fraction) << 32 | part.counter.len() as u64,
        ];
        out.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        out.extend_from_slice(part.counter.as_bytes());
    }
    out
}

pub(super) fn read_taken(mut bytes: &[u8]) -> Result<Vec<Taken<String>>, Failure> {
    let wrong = || corrupt(LOADING, "a hold is not what it was written as");
    let mut taken = Vec::new();
    while !bytes.is_empty() {
        let (head, rest) = bytes.split_first_chunk::<32>().ok_or_else(wrong)?;
        let (words, _) = head.as_chunks::<8>();
        let numbers: Vec<u64> = words.iter().map(|word| u64::from_be_bytes(*word)).collect();
        let [reserved, last, nanos, packed] = numbers[..] else {
            return Err(wrong());
        };
        // The two halves.
        let (fraction, length) = ((packed >> 32) as u32, packed as u32 as usize);
        let (name, rest) = rest.split_at_checked(length).ok_or_else(wrong)?;
        let name = str::from_utf8(name).map_err(|_| wrong())?;
        taken.push(Taken {
            counter: name.to_owned(),
            reserved,
            last,
            mark: Mark { nanos, fraction },
        });
        bytes = rest;
    }
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn every_state_survives_its_bytes_and_no_cut_of_them_is_one() {
        let minute = Duration::from_secs(60);
        let windows = Windows {
            index: u64::MAX,
            used: 1,
            previous: 1 << 53,
            owed: 7,
        };
        let lease = |id: u128| Lease {
            id: HoldId::from_u128(id),
            amount: 3,
            until: Instant::from_nanos(9),
        };
        let state = bucket::State::from_parts((1 << 63) - 1, u32::MAX, true);
        let refunded = Span {
            nanos: u64::MAX,
            fraction: u32::MAX,
        };
        for (limit, counter) in [
            (Limit::per_minute("x", 1), Counter::Bucket(state, refunded)),
            (
                Limit::fixed_window("x", 1, minute),
                Counter::FixedWindow(windows),
            ),
            (
                Limit::sliding_window("x", 1, minute),
                Counter::SlidingWindow(windows),
            ),
            (
                Limit::sliding_log("x", 1, minute),
                Counter::SlidingLog(Log {
                    entries: vec![(1, 2), (3, u64::MAX)],
                }),
            ),
            (
                Limit::concurrency("x", 1),
                Counter::Concurrency(Leases {
                    leases: vec![lease(u128::MAX - 5), lease(1)],
                }),
            ),
        ] {
            let limit = limit.unwrap();
            let bytes = write_counter(&counter).unwrap_or_else(|_| panic!("{counter:?}"));
            assert_eq!(read_counter(&bytes, &limit).ok(), Some(counter));
            for end in 0..bytes.len() {
                // A log or a list of permits may be shorter, by whole entries.
                let whole = (end + 7) % 8 == 0 && matches!(bytes[0], b'l' | b'c');
                assert!(whole || read_counter(&bytes[..end], &limit).is_err());
            }
            let fresh = write_counter(&Counter::new(&limit)).unwrap_or_default();
            assert_eq!(
                read_counter(&fresh, &limit).ok(),
                Some(Counter::new(&limit))
            );
        }
    }

    #[test]
    fn a_hold_survives_its_bytes_and_a_cut_one_is_corrupt() {
        let part = |counter: &str| Taken {
            counter: counter.to_owned(),
            reserved: u64::MAX,
            last: 2,
            mark: Mark {
                nanos: 3,
                fraction: u32::MAX,
            },
        };
        let taken = vec![part("chat b user=1"), part("open c ")];
        let bytes = write_taken(&taken);
        assert_eq!(read_taken(&bytes).ok(), Some(taken.clone()));
        let first = write_taken(&taken[..1]).len();
        for end in (1..bytes.len()).filter(|end| *end != first) {
            assert!(read_taken(&bytes[..end]).is_err(), "{end}");
        }
    }
}
