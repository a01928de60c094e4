//! Configuration and reports as text.
#![cfg(feature = "serde")]

use palisade_core::{Dimension, Key, Money, Timestamp, Tokens};
use palisade_quota::{Amount, Period, Quota, ReservationId, ScopeState, Zone, balance};

#[test]
fn a_quota_reads_what_is_said_and_takes_the_default_for_the_rest() {
    let read = |text: &str| serde_json::from_str::<Quota>(text);
    assert_eq!(read("{}").unwrap(), Quota::default());
    let quota =
        read(r#"{"tokens":null,"money":"2.5","period":"month","zone":"Europe/Berlin"}"#).unwrap();
    assert_eq!(quota.allowance().tokens, None);
    assert_eq!(quota.allowance().money, Some("2.5".parse().unwrap()));
    assert_eq!(
        (quota.period(), quota.zone().name()),
        (Period::Month, "Europe/Berlin")
    );
    assert_eq!(
        read(&serde_json::to_string(&quota).unwrap()).unwrap(),
        quota
    );
    for wrong in [
        r#"{"money":"-1"}"#,
        r#"{"money":10}"#,
        r#"{"money":"0.0000000001"}"#,
        r#"{"tokens":-1}"#,
        r#"{"tokens":18446744073709551615}"#,
        r#"{"zone":"Mars/Olympus"}"#,
        r#"{"period":"fortnight"}"#,
        r#"{"token":5}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn the_defaults_are_a_million_tokens_and_ten_dollars_a_day() {
    let text = serde_json::to_string(&Quota::default()).unwrap();
    assert_eq!(
        text,
        r#"{"tokens":1000000,"money":"10","period":"day","zone":"UTC"}"#
    );
}

#[test]
fn a_balance_is_written_exactly() {
    let now = Timestamp::from_secs(1_795_176_000);
    let quota = Quota::default().with_tokens(None).unwrap();
    let window = quota.window(now);
    let spent = Amount::new(Tokens::new(7), "0.0000125".parse::<Money>().unwrap()).unwrap();
    let scope = Key::new(Dimension::User, "a").unwrap();
    let found = balance(&ScopeState::new(scope, quota, window, spent, Amount::ZERO));
    assert_eq!(
        serde_json::to_value(&found).unwrap(),
        serde_json::json!({
            "scope": "user=a",
            "window": { "start": 1_795_132_800_000_000_000_i64, "end": 1_795_219_200_000_000_000_i64 },
            "period": "day",
            "limit": { "tokens": null, "money": "10" },
            "spent": { "tokens": 7, "money": "0.0000125" },
            "held": { "tokens": 0, "money": "0" },
            "free": { "tokens": null, "money": "9.9999875" },
            "debt": { "tokens": 0, "money": "0" },
        })
    );
}

#[test]
fn amounts_ids_and_zones_read_back_what_they_write_and_nothing_else() {
    let amount = Amount::new(Tokens::new(5), Money::from_usd(1)).unwrap();
    let text = serde_json::to_string(&amount).unwrap();
    assert_eq!(serde_json::from_str::<Amount>(&text).unwrap(), amount);
    assert!(serde_json::from_str::<Amount>(r#"{"tokens":1,"money":"-1"}"#).is_err());
    let id = ReservationId::from_u128(7);
    let text = serde_json::to_string(&id).unwrap();
    assert_eq!(text, "\"00000000-0000-0000-0000-000000000007\"");
    assert_eq!(serde_json::from_str::<ReservationId>(&text).unwrap(), id);
    let zone = Zone::named("asia/tokyo").unwrap();
    assert_eq!(serde_json::to_string(&zone).unwrap(), "\"Asia/Tokyo\"");
}
