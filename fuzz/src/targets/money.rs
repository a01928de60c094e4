use palisade_core::Money;

pub(super) const PIECES: &[&str] = &[
    "-",
    "+",
    ".",
    "0",
    "1",
    "9",
    "00",
    "0.000000000001",
    "000000000000",
    "170141183460469231731687303",
    ".715884105727",
    ".715884105728",
    "e5",
    "1e",
    " ",
    ",",
];

/// An amount survives its text, and rounding goes up by less than a nano-dollar. Nothing wraps.
pub fn money(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let (left, right) = text.split_once(' ').unwrap_or((text, text));
    let (Ok(left), Ok(right)) = (left.parse::<Money>(), right.parse::<Money>()) else {
        return;
    };
    assert_eq!(left.to_string().parse(), Ok(left));
    assert_eq!(left.checked_add(right), right.checked_add(left));
    if let Ok(sum) = left.checked_add(right) {
        assert_eq!(sum.checked_sub(right), Ok(left));
    }
    if let Ok(rounded) = left.round_up_to_nano() {
        assert!(rounded >= left);
        let added = rounded.as_pico_usd() - left.as_pico_usd();
        assert!(added < 1_000, "{added}");
    }
}
