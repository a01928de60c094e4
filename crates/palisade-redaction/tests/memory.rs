//! What finds nothing asks for no memory, and a stream asks for little.

use palisade_redaction::{HOLD_BACK_MAX, Redactor, Scanner};

const DULL: &str = "The queue drains in order; every worker picks one of 17 messages (see section 4.2) at 10:47:00.\n\
    let token = self.tokens.get(&key).copied().unwrap_or_default(); // password: see the vault\n\
    2026-07-24T10:47:00.123Z INFO [api::router] request completed id=6021 path=/api/v1/items/77\n\
    {\"model\": \"gpt\", \"max_tokens\": 400, \"content\": \"Why does it say \u{201c}not found\u{201d}?\"}\n";

#[test]
fn a_scan_that_finds_nothing_asks_for_no_memory() {
    let text = DULL.repeat(200);
    let scanner = Scanner::new();
    let memory = allocation_counter::measure(|| {
        assert!(scanner.scan(&text).is_empty());
    });
    assert_eq!(memory.count_total, 0);
}

#[test]
fn a_stream_in_which_nothing_is_found_asks_for_one_kilobyte() {
    let text = DULL.repeat(50);
    let scanner = Scanner::new();
    let mut out = String::with_capacity(2 * text.len());
    let memory = allocation_counter::measure(|| {
        let mut redactor = scanner.redactor();
        for piece in text.as_bytes().chunks(4) {
            // Cut characters are put together again.
            match std::str::from_utf8(piece) {
                Ok(piece) => redactor.push(piece, &mut out),
                Err(_) => redactor.push("?", &mut out),
            }
        }
        redactor.finish(&mut out);
    });
    assert!(memory.bytes_max <= 1024, "{} bytes", memory.bytes_max);
    assert!(size_of::<Redactor>() <= 320, "{}", size_of::<Redactor>());
    const { assert!(HOLD_BACK_MAX <= 512) };
}
