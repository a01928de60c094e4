//! The command line.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};

/// Guard-rails for text on its way to and from a large language model.
#[derive(Debug, Parser)]
#[command(name = "palisade", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Look for prompt injections, secrets, personal data or dangerous commands.
    ///
    /// Exits with 0 if nothing was found, 1 if something was, and 2 if something could not be looked at.
    Scan(Scan),
    /// Copy standard input to standard output without secrets and personal data.
    ///
    /// A stream of any length, also a single line of any length, in a fixed amount of memory.
    Redact(Redact),
    /// List the rules for secrets, personal data and commands, or test them.
    #[command(subcommand)]
    Rules(Rules),
    /// Price calls to language models, one JSON record a line.
    ///
    /// A record has a `request` and a `response` or `stream_events`, and if you like an `id`, an `http_status` and
    /// `price_rows`.
    Price(Price),
    /// Compare tables of prices, or look one price up.
    #[command(subcommand)]
    Prices(Prices),
    /// Show or change what scopes may spend, in a SQLite file.
    #[command(subcommand)]
    Quota(QuotaCommand),
    /// Bring the tables of a database up to date, take them back, or see what they have been through.
    #[command(subcommand)]
    Migrate(Migrate),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Migrate {
    /// Say which migrations a database has been through; exits with 1 if some are missing.
    Status(Tables),
    /// Apply what is missing, all of it or nothing, and say what that was.
    Up(Tables),
    /// Take back every migration above a version, all of them or none, and say which.
    Down(Down),
}

#[derive(Args, Debug)]
pub(crate) struct Tables {
    /// A PostgreSQL server, `postgres://user@host/database`, or the path of a SQLite file. What stands in the environment
    /// is not seen by others, which matters for a password.
    #[arg(
        value_name = "DATABASE",
        env = "PALISADE_DATABASE",
        hide_env_values = true
    )]
    pub(crate) database: String,
    /// The schema of a PostgreSQL database that the tables are in.
    #[arg(long, default_value = "palisade")]
    pub(crate) schema: String,
}

#[derive(Args, Debug)]
pub(crate) struct Down {
    #[command(flatten)]
    pub(crate) place: Tables,
    /// The version to go back to; 0 for no tables at all.
    #[arg(long, value_name = "VERSION")]
    pub(crate) to: u32,
    /// Drop tables also if they have rows.
    #[arg(long)]
    pub(crate) with_data: bool,
}

#[derive(Args, Debug)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["injection", "secrets", "pii", "commands"]))]
pub(crate) struct Scan {
    /// Look for attempts to take over the model.
    #[arg(long, conflicts_with_all = ["secrets", "pii", "commands"])]
    pub(crate) injection: bool,
    /// Look for credentials.
    #[arg(long)]
    pub(crate) secrets: bool,
    /// Look for personal data.
    #[arg(long)]
    pub(crate) pii: bool,
    /// Look for commands that destroy a machine or hand it over.
    #[arg(long)]
    pub(crate) commands: bool,
    /// Read one JSON record a line, `{"id": …, "text": …, "channel": …}`, and write one answer a line.
    #[arg(long)]
    pub(crate) jsonl: bool,
    #[command(flatten)]
    pub(crate) files: Files,
    /// Files, and folders if no records are read; `-` or nothing is standard input. In folders, what `.gitignore`
    /// names is left out.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
}

/// How files and folders are looked at.
#[derive(Args, Debug)]
pub(crate) struct Files {
    /// How findings are written.
    #[arg(long, value_enum, default_value_t = Format::Human, conflicts_with_all = ["injection", "jsonl"])]
    pub(crate) format: Format,
    /// Look at every line that was ever added to the git repositories at the paths, not at files.
    #[arg(long, conflicts_with_all = ["injection", "jsonl"])]
    pub(crate) history: bool,
    /// Rules of your own, in TOML.
    #[arg(long, value_name = "FILE", conflicts_with = "injection")]
    pub(crate) rules: Option<PathBuf>,
    /// What is not to be reported: `rule ID`, `path PATTERN` or `rule ID PATTERN`, one a line, patterns as in `.gitignore`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["injection", "jsonl"])]
    pub(crate) allow: Option<PathBuf>,
    /// What was found before and is not to be reported again.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["injection", "jsonl"])]
    pub(crate) baseline: Option<PathBuf>,
    /// Write what is found to a baseline and report nothing.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["injection", "jsonl", "baseline"])]
    pub(crate) write_baseline: Option<PathBuf>,
}

/// How findings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// `file:line:column: rule`, a line for each.
    Human,
    /// A JSON object for each, one a line.
    Json,
    /// One SARIF 2.1.0 document, for code hosts and editors.
    Sarif,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Rules {
    /// Every rule: its id, its kind, what it finds, where that is documented.
    List {
        /// A JSON object for each, one a line.
        #[arg(long)]
        json: bool,
        /// Rules of your own, in TOML.
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
    },
    /// Checks that every rule finds its examples and nothing in its counter-examples.
    Test {
        /// Rules of your own, in TOML.
        #[arg(long, value_name = "FILE")]
        rules: Option<PathBuf>,
    },
}

#[derive(Args, Debug)]
pub(crate) struct Redact {
    /// Take out credentials. Without any such choice, everything is taken out.
    #[arg(long)]
    pub(crate) secrets: bool,
    /// Take out personal data.
    #[arg(long)]
    pub(crate) pii: bool,
    /// What to write instead.
    #[arg(long, value_enum, default_value_t = MaskName::Full)]
    pub(crate) mask: MaskName,
    /// Read one JSON record a line and replace its field `text`. Other fields are kept as they are.
    #[arg(long)]
    pub(crate) jsonl: bool,
}

/// How to mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum MaskName {
    /// The last few characters stay.
    Partial,
    /// The name of what it was, and nothing of it.
    Full,
    /// The same value gives the same token, under the key in `PALISADE_HASH_KEY` (64 hexadecimal digits), else under a
    /// random key for this run.
    Hash,
}

#[derive(Args, Debug)]
pub(crate) struct Price {
    /// A table whose rows replace those of the same models: a catalog, or rows in JSON, one a line.
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
    /// Read JSON records, one a line. There is no other form; the flag is there for the reader of a script.
    #[arg(long)]
    pub(crate) jsonl: bool,
    /// Files of records; `-` or nothing is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Prices {
    /// What a table states otherwise than another.
    ///
    /// Exits with 0, with 1 if a price moves by more than five times or from or to zero, and with 2 if a table cannot be
    /// read.
    Diff(Diff),
    /// What a model costs, as one JSON object. Exits with 1 if it is not in the table.
    Lookup(Lookup),
}

#[derive(Args, Debug)]
pub(crate) struct Diff {
    /// The table until now: `embedded`, a catalog, or rows in JSON, one a line.
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,
    /// The table that is to take its place.
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,
    /// The suspicious prices have been looked at: exit with 0 all the same.
    #[arg(long)]
    pub(crate) confirm: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Lookup {
    /// Provider and model, such as `openai/gpt-4o`.
    #[arg(value_name = "MODEL")]
    pub(crate) model: String,
    /// The day or time whose price is asked for; now, if it is left out.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
    /// Another table than the embedded one.
    #[arg(long, value_name = "FILE")]
    pub(crate) prices: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum QuotaCommand {
    /// Show how one scope stands, or all that have something to show, as JSON lines.
    Show(ShowQuota),
    /// Give a scope a quota of its own, or put it back under the defaults.
    Set(SetQuota),
    /// Write off what a scope has spent in its running window.
    Reset(Change),
}

#[derive(Args, Debug)]
pub(crate) struct ShowQuota {
    /// The SQLite file.
    #[arg(value_name = "FILE")]
    pub(crate) database: PathBuf,
    /// The scope, such as `org=acme/user=alice`.
    #[arg(value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SetQuota {
    #[command(flatten)]
    pub(crate) change: Change,
    /// The quota in JSON, such as `{"tokens": 100000, "money": "5", "period": "month", "zone": "Europe/Berlin"}`. Left out:
    /// back under the defaults.
    #[arg(long, value_name = "JSON")]
    pub(crate) quota: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct Change {
    /// The SQLite file.
    #[arg(value_name = "FILE")]
    pub(crate) database: PathBuf,
    /// The scope, such as `org=acme/user=alice`.
    #[arg(value_name = "SCOPE")]
    pub(crate) scope: String,
    /// Who makes the change; it stands in the audit log.
    #[arg(long)]
    pub(crate) who: String,
    /// Why; likewise.
    #[arg(long)]
    pub(crate) why: String,
}
