//! What the words promise, over whatever values they are given.

use palisade_core::{Dimension, Key, KeyError, Money, MoneyError};
use proptest::{collection::btree_map, prelude::*};

fn dimension() -> impl Strategy<Value = Dimension> {
    prop_oneof![
        Just(Dimension::Org),
        Just(Dimension::Project),
        Just(Dimension::Policy),
        Just(Dimension::ApiKey),
        Just(Dimension::User),
        Just(Dimension::Ip),
        Just(Dimension::Model),
        "[a-z0-9_]{1,32}".prop_map(|name| Dimension::Custom(name.into())),
        // Custom names that spell a named dimension must not make a second one.
        Just(Dimension::Custom("user".into())),
    ]
}

fn parts() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let value = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..40),
        "[/=%:a-c]{0,6}".prop_map(String::into_bytes),
    ];
    btree_map(
        dimension().prop_map(|d| d.name().to_owned()),
        value,
        0..=Key::PARTS_MAX,
    )
    .prop_map(|parts| parts.into_iter().collect())
}

fn key(parts: &[(String, Vec<u8>)]) -> Key {
    parts.iter().fold(Key::global(), |key, (name, value)| {
        key.with(Dimension::from_name(name).unwrap(), value)
            .unwrap()
    })
}

proptest! {
    #[test]
    fn two_keys_are_equal_exactly_if_their_parts_are(left in parts(), right in parts()) {
        prop_assert_eq!(key(&left) == key(&right), left == right);
        prop_assert_eq!(key(&left).as_str() == key(&right).as_str(), left == right);
    }

    #[test]
    fn the_order_of_the_parts_does_not_matter(parts in parts(), by in 0_usize..8) {
        let mut turned = parts.clone();
        if !turned.is_empty() {
            let by = by % turned.len();
            turned.rotate_left(by);
        }
        prop_assert_eq!(key(&parts), key(&turned));
    }

    #[test]
    fn a_part_is_the_text_of_a_key_with_that_part_alone(parts in parts(), other in dimension()) {
        let whole = key(&parts);
        for (name, value) in &parts {
            let dimension = Dimension::from_name(name).unwrap();
            let alone = Key::new(dimension.clone(), value).unwrap();
            prop_assert_eq!(whole.part(&dimension), Some(alone.as_str()));
        }
        let is_there = parts.iter().any(|(name, _)| name == other.name());
        prop_assert_eq!(whole.part(&other).is_some(), is_there);
    }

    #[test]
    fn a_key_survives_its_text(parts in parts()) {
        let key = key(&parts);
        prop_assert_eq!(Key::parse(key.as_str()), Ok(key.clone()));
        prop_assert!(key.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
        let read: Vec<_> =
            key.parts().map(|(d, value)| (d.name().to_owned(), value.into_owned())).collect();
        let mut expected = parts;
        expected.sort_by_key(|(name, _)| Dimension::from_name(name).unwrap());
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn no_text_makes_the_parser_panic_or_lie(text in "[a-z_=/%0-9A-F]{0,40}") {
        if let Ok(key) = Key::parse(&text) {
            prop_assert_eq!(key.as_str(), text);
        }
    }

    #[test]
    fn money_survives_its_text(pico in any::<i128>()) {
        let money = Money::from_pico_usd(pico);
        prop_assert_eq!(money.to_string().parse(), Ok(money));
    }

    #[test]
    fn money_text_is_read_exactly_or_refused(text in "[-+]?[0-9.]{0,20}") {
        if let Ok(money) = text.parse::<Money>() {
            let exact = text.trim_start_matches('+');
            let printed = money.to_string();
            let normal = |text: &str| {
                let (sign, digits) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
                let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
                let whole = whole.trim_start_matches('0');
                let fraction = fraction.trim_end_matches('0');
                let zero = whole.is_empty() && fraction.is_empty();
                format!("{}{whole}.{fraction}", if zero { "" } else { sign })
            };
            prop_assert_eq!(normal(exact), normal(&printed));
        }
    }

    #[test]
    fn booking_rounds_up_by_less_than_a_nano(pico in -1_000_000_000_000_000_i128..1_000_000_000_000_000) {
        let exact = Money::from_pico_usd(pico);
        let booked = exact.round_up_to_nano().unwrap();
        let added = booked.checked_sub(exact).unwrap().as_pico_usd();
        prop_assert!((0..1_000).contains(&added));
    }
}

#[test]
fn ten_million_small_charges_are_their_product() {
    let price: Money = "0.0000125".parse().unwrap();
    let mut sum = Money::ZERO;
    for _ in 0..10_000_000 {
        sum = sum.checked_add(price).unwrap();
    }
    assert_eq!(sum, price.checked_mul(10_000_000).unwrap());
    assert_eq!(sum.to_string(), "125");
}

#[test]
fn malformed_money_is_refused_by_its_reason() {
    for text in [
        "", "-", "+", ".", "1.", ".5", "1e3", "1,000", "$1", " 1", "0x1", "١", "--1", "NaN",
    ] {
        assert_eq!(
            text.parse::<Money>(),
            Err(MoneyError::Malformed),
            "{text:?}"
        );
    }
    assert_eq!(
        "0.0000000000001".parse::<Money>(),
        Err(MoneyError::TooPrecise)
    );
    assert_eq!(
        "0.0000000000010".parse::<Money>(),
        Ok(Money::from_pico_usd(1))
    );
    assert_eq!(
        "999999999999999999999999999999".parse::<Money>(),
        Err(MoneyError::Overflow)
    );
    assert_eq!(
        Money::MAX.checked_add(Money::from_pico_usd(1)),
        Err(MoneyError::Overflow)
    );
    assert_eq!(Money::MAX.checked_mul(2), Err(MoneyError::Overflow));
    assert_eq!(Money::MAX.as_nano_usd_ceil(), Err(MoneyError::Overflow));
}

#[test]
fn a_key_refuses_what_a_store_should_not_have_to_hold() {
    let longest = vec![0xFF; Key::VALUE_BYTES_MAX];
    assert!(Key::new(Dimension::User, &longest).is_ok());
    let too_long = Key::new(Dimension::User, [longest.as_slice(), b"!"].concat());
    assert_eq!(
        too_long,
        Err(KeyError::TooLong {
            dimension: Dimension::User,
            length: 257
        })
    );

    let mut key = Key::global();
    for part in 0..Key::PARTS_MAX {
        key = key
            .with(Dimension::Custom(format!("d{part}").into()), "v")
            .unwrap();
    }
    assert_eq!(key.with(Dimension::Org, "v"), Err(KeyError::TooManyParts));

    let user = Key::new(Dimension::User, "a").unwrap();
    let again = user.with(Dimension::Custom("user".into()), "b");
    assert_eq!(
        again,
        Err(KeyError::Repeated {
            dimension: Dimension::User
        })
    );
    assert!(Key::new(Dimension::Custom("Org".into()), "x").is_err());
    assert!(Key::new(Dimension::Custom("".into()), "x").is_err());
}

#[test]
fn only_the_one_text_of_a_key_is_read() {
    for text in [
        "user=a/org=b",
        "user=%61",
        "user=%2f",
        "user=%2",
        "user",
        "user=a/",
        "/",
        "user=é",
    ] {
        assert!(Key::parse(text).is_err(), "{text:?}");
    }
}

#[cfg(feature = "serde")]
#[test]
fn money_and_keys_travel_as_text() {
    let money: Money = "0.25".parse().unwrap();
    assert_eq!(serde_json::to_string(&money).unwrap(), "\"0.25\"");
    assert_eq!(serde_json::from_str::<Money>("\"0.25\"").unwrap(), money);
    assert!(
        serde_json::from_str::<Money>("0.25").is_err(),
        "a JSON number is a float to many"
    );
    let key = Key::new(Dimension::User, "a/b").unwrap();
    assert_eq!(serde_json::to_string(&key).unwrap(), "\"user=a%2Fb\"");
    assert_eq!(serde_json::from_str::<Key>("\"user=a%2Fb\"").unwrap(), key);
}
