use palisade_core::Timestamp;
use palisade_cost::{PriceBook, PriceRow};

pub(super) const PIECES: &[&str] = &[
    "palisade-prices 1\n",
    "dated 2026-11-20\n",
    "source who says so\n",
    "url 0 https://example.com\n",
    "# a remark\n",
    "[openai]\n",
    "[aws.bedrock]\n",
    "m chat 128000 16384 = @0 :standard i2.5 o10 r1.25 :batch i1.25 o5\n",
    "m - - - - ^2026-01-01 :standard i0.4\n",
    " >200000 :standard i5 o15",
    " >=200000 :batch t1 a2 A3 c4",
    " $search=0.01/0.02/0.03",
    " $query=0.002",
    " $request=1",
    ":flex i18446744073709551615",
    "i0.0000001",
    "~2027-01-01",
    r#"{"provider":"p","model":"m","usd_per_1m":{"standard":{"input":"0.4","output":1e3}}}"#,
    r#"{"provider":"p","model":"m","usd_per_1m":{},"tiers":[{"threshold_input_tokens":1,"usd_per_1m":{}}]}"#,
    "\n",
    "-1",
];

/// A table is read or refused with its line; one that is read states what it states, is its own successor, and stays what
/// it is when it follows itself.
pub fn catalog(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else {
        return;
    };
    let rows = text
        .lines()
        .filter_map(|line| PriceRow::from_json(line).ok());
    check(&PriceBook::empty().with_rows(rows));
    match PriceBook::parse(text) {
        Ok(book) => check(&book),
        Err(refused) => assert!(!refused.to_string().is_empty()),
    }
}

fn check(book: &PriceBook) {
    assert_eq!(book.rows().count(), book.len());
    assert!(book.changes_to(book).is_empty());
    assert!(book.succeed_by(book.clone()).is_ok());
    let both = book.followed_by(book, Timestamp::from_secs(1_795_132_800));
    assert!(book.changes_to(&both).moved.is_empty());
    for row in book.rows() {
        let at = row.effective_from().unwrap_or(Timestamp::MIN);
        assert_eq!(book.find(row.model(), at), Some(row));
    }
}
