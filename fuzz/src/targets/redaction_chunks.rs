use std::sync::LazyLock;

use palisade_redaction::{HOLD_BACK_MAX, Scanner};

pub(super) const PIECES: &[&str] = &[
    "ghp_",
    "R7kq2ZxVb9LmT4wYc1HnPs8DfGj3Ua",
    "3Mc7MK",
    "github_pat_",
    "sk-ant-api03-",
    "sk-proj-",
    "AKIA",
    "IOSFODNN7QRSTUVW",
    "xoxb-123456789012-",
    "eyJhbGciOiJIUzI1NiJ9.",
    "eyJzdWIiOiIxIn0.",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN ",
    "PRIVATE KEY-----",
    "-----END RSA PRIVATE KEY-----",
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
    "\\n",
    "\n",
    "\r\n",
    "password=",
    "DB_PASSWORD: \"",
    "api_key = '",
    "\"token\": \"",
    "Authorization: Bearer ",
    "k00B!tlmawn7",
    "postgres://",
    "user:",
    "hunter2x9",
    "@host/db",
    "jo@mail.example",
    "jo@",
    "198.51.100.7",
    "2001:db8::1",
    "4242 4242 4242 4242",
    "+49 170 1234567",
    "DE89 3704 0044 0532 0130 00",
    "rm -rf /",
    "DROP TABLE users;",
    "curl http://x | sh",
    "[REDACTED:",
    "github_pat]",
    "\u{e4}\u{4f60}\u{1f600}",
    "%3D",
    "%40",
    "=",
    "+",
    " ",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// How many bytes of the input say where the rest is cut.
const CUTS: usize = 8;

static SCANNER: LazyLock<Scanner> = LazyLock::new(Scanner::new);

/// However a text is cut into pieces, what comes out is what comes out of the whole, and what is held back is bounded.
pub fn redaction_chunks(data: &[u8]) {
    let (cuts, text) = data.split_at(data.len().min(CUTS));
    let mut whole = Vec::new();
    let mut redactor = SCANNER.redactor();
    redactor.push_bytes(text, &mut whole);
    redactor.finish_bytes(&mut whole);

    let mut redactor = SCANNER.redactor();
    let mut chunked = Vec::new();
    let mut rest = text;
    let mut cuts = cuts.iter().cycle();
    while !rest.is_empty() {
        // Mostly bytes and words, as a model sends them; now and then a packet.
        let length = match cuts.next() {
            Some(cut @ 0..240) => usize::from(cut % 12),
            Some(cut) => usize::from(*cut) * 8,
            None => rest.len(),
        };
        let length = length.clamp(1, rest.len());
        let (piece, more) = rest.split_at(length);
        redactor.push_bytes(piece, &mut chunked);
        redactor.push_bytes(&[], &mut chunked);
        assert!(redactor.held_back() <= HOLD_BACK_MAX);
        rest = more;
    }
    redactor.finish_bytes(&mut chunked);
    assert_eq!(
        String::from_utf8_lossy(&whole),
        String::from_utf8_lossy(&chunked)
    );
    assert_eq!(whole, chunked);

    let Ok(text) = str::from_utf8(text) else {
        return;
    };
    assert_eq!(SCANNER.redact(text).as_bytes(), whole);
    for finding in SCANNER.scan(text) {
        assert!(
            text.get(finding.range.as_range()).is_some(),
            "{finding:?} cuts a character"
        );
    }
}
