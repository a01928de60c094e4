use palisade_core::{Instant, Key};
use palisade_rate_limit::{
    Charge, CheckRequest, Controls, Hold, HoldId, Limit, Over, PartitionSecret, ReserveRequest,
    SettleRequest, Tiers, Use, headers, model::Book,
};

pub(super) const PIECES: &[&str] = &[
    r#"{"name":"chat","amount":60,"period":"1m","burst":10}"#,
    r#"{"name":"x","amount":1,"period":"366d","algorithm":"sliding_log"}"#,
    r#"{"name":"x","amount":9007199254740992,"period":"1ns","algorithm":"fixed_window"}"#,
    r#"{"name":"x","amount":7,"period":"90s","algorithm":"sliding_window"}"#,
    r#"{"name":"x","amount":4,"algorithm":"concurrency"}"#,
    r#""soft_percent":80"#,
    r#""amount":"#,
    r#""period":"#,
    "18446744073709551615",
    "4294967296",
    "1ms",
    "30d",
    "}",
    "{",
    ",",
    "\n",
    "*",
];

/// Whatever stands in a configuration, what is read is a limit that keeps its word at every time and cost: no more than its
/// burst remains, a refusal is for some time or for ever, and nothing panics. It prints as what it was read from.
pub fn limits(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(tiers) = serde_json::from_str::<Tiers>(&text) {
        let printed = serde_json::to_string(&tiers).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Tiers>(&printed).ok(), Some(tiers));
    }
    for line in text.lines().take(4) {
        let Ok(limit) = serde_json::from_str::<Limit>(line) else {
            continue;
        };
        let printed = serde_json::to_string(&limit).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Limit>(&printed).ok(), Some(limit));
        play(&limit, data);
    }
}

/// Costs and steps of time from the bytes.
fn play(limit: &Limit, data: &[u8]) {
    let (mut book, mut now) = (Book::default(), 1_u64);
    let (key, secret) = (Key::global(), PartitionSecret::new([1; 16]));
    let _ = Controls::new().set_limit(*limit);
    for (turn, bytes) in data.chunks(3).take(64).enumerate() {
        let byte = |index: usize| u64::from(bytes.get(index).copied().unwrap_or(0));
        // Any power of two, so that the ends of the range are met.
        now = now.saturating_add(1 << (byte(0) % 64));
        let cost = (1_u64 << (byte(1) % 64))
            .saturating_add(byte(2) % 3)
            .wrapping_sub(1);
        let charges = [Charge::new(limit, &key, cost)];
        let Ok(request) = CheckRequest::new(&charges) else {
            return;
        };
        let hold = Hold::new(HoldId::from_u128(turn as u128 / 3));
        let mut request = match byte(2) % 4 {
            0 => ReserveRequest::check(request),
            _ => ReserveRequest::hold(request, hold),
        };
        if byte(2) % 5 == 0 {
            request = request.with_over(Over::Owe);
        }
        match book.reserve(request, Instant::from_nanos(now)) {
            Ok(palisade_core::Decision::Allow(allowed)) => {
                assert!(allowed.binding().remaining <= limit.burst());
                // Of a hold that lasts, it is the difference that counts.
                let refuses = request.over == Over::Refuse && request.hold.is_none();
                assert!(cost <= limit.burst() || !refuses);
                let fields = headers::allowed_with(&allowed, [secret.of(limit, &key)]);
                assert!(fields.is_ascii() && fields.contains(";pk=:"));
            }
            Ok(palisade_core::Decision::Deny(denied)) => {
                assert!(request.over == Over::Refuse);
                let told = headers::retry_after(&denied);
                assert!(told.is_some() || cost > limit.burst(), "{denied:?}");
                assert!(told.is_none() || request.hold.is_some() || cost <= limit.burst());
                assert!(headers::denied(&denied).is_ascii());
            }
            Err(_) => {}
        }
        if turn % 3 == 2 {
            let uses = [Use::new(limit, &key, cost, byte(0) << (byte(1) % 56))];
            if let Ok(request) = SettleRequest::new(hold.id(), &uses) {
                let settled = book.settle(request, Instant::from_nanos(now));
                assert!(settled.statuses()[0].remaining <= limit.burst());
            }
        }
    }
}
