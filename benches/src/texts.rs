//! Texts to measure with, the same on every machine and in every run.
//!
//! Scanners are fast on what they can skip. So these texts are not noise: they are put together from sentences and lines
//! as people write them, with the names, numbers, paths, digests and assignments that a scanner has to look at twice.

/// What somebody might ask a model: honest sentences, with many of the words that attackers use too.
const PROSE: [&str; 32] = [
    "We are planning the garden behind the old school, and the slope towards the brook is wet until May.",
    "Please rewrite the second paragraph so that the new members understand it without the previous minutes.",
    "The meeting was moved to 14:30 on 12 March because three of the five people could not come earlier.",
    "How do I ignore a single file in a repository without changing the rules for everybody else?",
    "My grandmother used to say that a recipe is only a promise, and that the oven decides.",
    "In 2019 the town had 48,312 inhabitants; by 2024 it was 51,077, most of them in the new quarter.",
    "Could you summarise the instructions of the washing machine, above all the part about the filter?",
    "The system shows \"connection refused\" whenever the laptop wakes up, and I do not know where to look.",
    "Send the list to Maria when it is done, and keep the column with the prices.",
    "She asked whether the administrator can see which printer was used, and by whom.",
    "Act three is the weakest: the brothers forget what they swore in the first scene.",
    "Our budget is 1,250 euros for both seasons, so a rough figure with a reason is better than an exact one.",
    "Translate the following into plain English, and leave the names of the streets as they are.",
    "The rule says that two signatures are needed above 500, but nobody has followed it since the summer.",
    "What is the difference between a promise and a contract, in two sentences for a ten-year-old?",
    "He wrote to the office twice and got the same answer both times, which was no answer at all.",
    "The train leaves at 07:52 from platform 9, and the connection in Ulm is only four minutes.",
    "Explain why the output of the second query has fewer rows than that of the first.",
    "I would like a short poem about a fence that is not sure what it is there to keep out.",
    "The reference number is 2024-11-0387, and the parcel weighs about three kilos.",
    "Pretend that the reader knows nothing about bees, and start with what they do in winter.",
    "You are right that the earlier draft was longer, but the longer one had the better ending.",
    "The password of the guest network hangs in the kitchen, next to the timetable.",
    "Compare the two offers and say which of them you would take, and which risk you would accept.",
    "There are 120 square metres, two wheelbarrows, and a council that has to approve everything in March.",
    "If the soil is too heavy, mix in sand; if it is too light, do not do anything before autumn.",
    "The doctor said that the dose should be reduced slowly, by a quarter every ten days.",
    "Write the answer as a table with one row for each month, and do not add a conclusion.",
    "We forgot to tell the neighbours, who then called the police because of the noise.",
    "A key that fits every lock is a bad key, and a lock that accepts every key is no lock.",
    "The museum is open from 10 to 18, on Thursdays until 20, and closed on the first Monday of the month.",
    "Thank you for the quick reply; the third suggestion is exactly what we were looking for.",
];

/// Lines of code and logs. `#` is a digest, `@` an identifier, `%` a number, `~` a UUID.
const CODE: [&str; 32] = [
    "    let @ = self.@.get(&@).copied().unwrap_or_default();",
    "    if @.len() > % { return Err(Error::TooLong { max: % }); }",
    "pub fn @(&mut self, token: &str, @: usize) -> Result<Option<@>, ParseError> {",
    "    // The password is checked in `@`, never here: see the comment above.",
    "    password: Option<SecretString>,",
    "    api_key: std::env::var(\"@_API_KEY\").ok(),",
    "commit #",
    "index #..# 100644",
    "2024-11-05T09:%:%Z INFO  @: finished in % ms id=~",
    "    def @(self, request, *, timeout=%, retries=%):",
    "        raise ValueError(f\"unexpected token {token!r} at {position}\")",
    "import { @, @ } from \"../lib/@.js\";",
    "  \"@\": { \"type\": \"string\", \"description\": \"the name of the @\", \"maxLength\": % },",
    "    SELECT id, name, created_at FROM @ WHERE @_id = $1 AND deleted_at IS NULL ORDER BY id LIMIT %;",
    "    assert_eq!(@(&input), vec![%, %, %]);",
    "sha256:#",
    "  - uses: actions/checkout@#",
    "    token = next(tokens, None)",
    "FROM registry.example.net/@/@:%.%.%",
    "export const @ = (key, value) => cache.set(`@:${key}`, value, { ttl: % });",
    "    at @ (/srv/app/node_modules/@/dist/@.js:%:%)",
    "    rm -f build/@.o build/@.d",
    "        <a href=\"https://docs.example.org/en/latest/@.html#@\">@</a>",
    "    url: postgres://localhost:%/@",
    "\tif err := @.Decode(&@); err != nil { return fmt.Errorf(\"@: %w\", err) }",
    "    secret = config[\"@\"][\"secret_name\"]  # a name, not a value",
    "checksum = \"#\"",
    "    for (int i = 0; i < %; ++i) @[i] = @[i - 1] ^ 0x%;",
    "    #[derive(Clone, Debug, PartialEq)]",
    "    key: ${{ secrets.@_TOKEN }}",
    "    return hashlib.sha256(@.encode()).hexdigest() == expected",
    "}",
];

const NAMES: [&str; 24] = [
    "buffer",
    "cursor",
    "parse_header",
    "user_id",
    "Connection",
    "retry_after",
    "config",
    "payload",
    "session",
    "AUTH",
    "node",
    "render",
    "scheduler",
    "item",
    "response",
    "fetchAll",
    "queue",
    "state",
    "ORDER",
    "limits",
    "context",
    "writer",
    "shard",
    "i18n",
];

/// What German, Turkish, Russian, Greek, Japanese, Chinese, Korean, Arabic and Hindi have instead of the ASCII above.
const NON_ASCII: [&str; 12] = [
    "Die Gäste kommen über die Brücke, und für die Größe des Zelts brauchen wir noch Maße.",
    "Lütfen önceki toplantının özetini üç cümleyle yazar mısınız?",
    "Пожалуйста, объясни, почему второй запрос возвращает меньше строк, чем первый.",
    "Το μουσείο είναι ανοιχτό από τις δέκα έως τις έξι, εκτός από τη Δευτέρα.",
    "来週の会議の議題を三つにまとめて、短く説明してください。",
    "请把这份报告的第二段改写得更简单一些，保留所有数字。",
    "다음 주 회의 일정을 정리하고 참석자에게 보낼 메일을 써 주세요.",
    "من فضلك اكتب ملخصًا قصيرًا للتقرير مع الاحتفاظ بالأرقام.",
    "कृपया इस पत्र का उत्तर दो छोटे वाक्यों में लिखिए।",
    "Le café était fermé, alors nous avons mangé des crêpes près du marché — c'était délicieux 🥞.",
    "¿Cuántas sillas hacen falta si mañana vienen también los niños del colegio?",
    "Příští týden přijede můj bratr s dětmi, takže potřebujeme větší stůl.",
];

/// About `bytes` of what people ask, in paragraphs. ASCII, so it is exactly as long as it says.
#[must_use]
pub fn prose(bytes: usize) -> String {
    let mut random = Random::new(0x5eed_0001);
    let mut out = String::with_capacity(bytes + 128);
    while out.len() < bytes {
        out.push_str(random.pick(&PROSE));
        out.push(if random.below(6) == 0 { '\n' } else { ' ' });
    }
    out.truncate(bytes);
    out
}

/// Exactly `bytes` of code, logs and configuration.
#[must_use]
pub fn code(bytes: usize) -> String {
    let mut random = Random::new(0x5eed_0002);
    let mut out = String::with_capacity(bytes + 256);
    while out.len() < bytes {
        fill(random.pick(&CODE), &mut random, &mut out);
        out.push('\n');
    }
    out.truncate(bytes);
    out
}

/// At most `bytes` in nine scripts, cut at the end of a sentence.
#[must_use]
pub fn non_ascii(bytes: usize) -> String {
    let mut out = String::new();
    for sentence in NON_ASCII.iter().cycle() {
        if out.len() + sentence.len() + 1 > bytes {
            return out;
        }
        out.push_str(sentence);
        out.push(' ');
    }
    out
}

/// `text` with a secret, an address and a card number put into it, each on a line of its own, evenly spread.
///
/// The secrets are made up, and written here in halves so that scanners of this repository stay calm.
#[must_use]
pub fn with_secrets(text: &str) -> String {
    let secrets = [
        concat!(
            "the pipeline says ghp_",
            "k3VxQ9mRz7LwT2yBn8HcJ5dFs1GaPe4UoXiY is not allowed"
        ),
        concat!("DB_PASSWORD=", "k00B!tlmawn7Wq"),
        "write to anna.schulz@mail.example.org",
        "and bill the card 4111 1111 1111 1111",
    ];
    let mut out = String::with_capacity(text.len() + 256);
    let step = text.len() / secrets.len();
    let mut from = 0;
    for secret in secrets {
        let to = (from + step).min(text.len());
        // The next end of a line or word, so that no word is cut in two.
        let to = text[to..]
            .find([' ', '\n'])
            .map_or(text.len(), |at| to + at);
        out.push_str(&text[from..to]);
        out.push('\n');
        out.push_str(secret);
        out.push('\n');
        from = to;
    }
    out.push_str(&text[from..]);
    out
}

fn fill(line: &str, random: &mut Random, out: &mut String) {
    let hex = |random: &mut Random, count: usize, out: &mut String| {
        for _ in 0..count {
            out.extend(char::from_digit(random.below(16), 16));
        }
    };
    for part in line.chars() {
        match part {
            '#' if line.starts_with("    #[") => out.push('#'),
            '#' => hex(random, 40, out),
            '@' => out.push_str(random.pick(&NAMES)),
            '%' => out.push_str(&random.below(100).to_string()),
            '~' => {
                for (at, count) in [8, 4, 4, 4, 12].into_iter().enumerate() {
                    if at > 0 {
                        out.push('-');
                    }
                    hex(random, count, out);
                }
            }
            part => out.push(part),
        }
    }
}

/// A xorshift generator (Marsaglia 2003): short, and the same everywhere.
struct Random(u64);

impl Random {
    const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        u32::try_from((self.0 >> 16) % u64::from(bound)).unwrap_or(0)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let count = u32::try_from(from.len()).unwrap_or(u32::MAX);
        from[self.below(count) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_as_long_as_asked_and_the_same_again() {
        for bytes in [0, 1, 123, 1_024, 100_000] {
            assert_eq!(prose(bytes).len(), bytes);
            assert_eq!(code(bytes).len(), bytes);
            assert_eq!(code(bytes), code(bytes));
        }
        assert!((1_200..=1_400).contains(&non_ascii(1_400).len()));
    }

    #[test]
    fn secrets_are_added_and_nothing_is_lost() {
        let text = prose(1_024);
        let with = with_secrets(&text);
        assert_eq!(
            with.lines()
                .filter(|line| line.contains("DB_PASSWORD="))
                .count(),
            1
        );
        let kept: usize = with.len() - text.len();
        assert!((100..400).contains(&kept), "{kept} bytes of secrets");
    }
}
