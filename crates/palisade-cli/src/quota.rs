//! `palisade quota`.

use std::{future::Future, io::Write, path::Path};

use anyhow::{Context, Result, ensure};
use palisade::{
    core::Key,
    quota::{AdminAction, AdminChange, ChangeId, Quota, QuotaAdmin, QuotaLedger, ScopeQuery},
    sqlite::{Sqlite, SqliteConfig},
};

use crate::{
    args::{Change, QuotaCommand},
    output::Output,
    tally::Tally,
};

/// Shows and changes what scopes may spend, in a SQLite file.
///
/// # Errors
///
/// If the file cannot be read or written, or an argument is not what it should be.
pub(crate) fn run(arguments: &QuotaCommand, output: &mut Output) -> Result<Tally> {
    let path = match arguments {
        QuotaCommand::Show(show) => &show.database,
        QuotaCommand::Set(set) => &set.change.database,
        QuotaCommand::Reset(change) => &change.database,
    };
    // Looking makes no file, and a slip of the name no second ledger.
    ensure!(
        Path::new(path).exists(),
        "there is no file {}",
        path.display()
    );
    let ledger = Sqlite::open(path, SqliteConfig::default())
        .with_context(|| format!("cannot open {}", path.display()))?;
    match arguments {
        QuotaCommand::Show(show) => wait(self::show(&ledger, show.scope.as_deref(), output))??,
        QuotaCommand::Set(set) => {
            let quota: Option<Quota> = match &set.quota {
                Some(json) => Some(serde_json::from_str(json).context("--quota is not a quota")?),
                None => None,
            };
            wait(change(
                &ledger,
                &set.change,
                AdminAction::SetQuota(quota),
                output,
            ))??;
        }
        QuotaCommand::Reset(reset) => {
            wait(change(&ledger, reset, AdminAction::Reset, output))??;
        }
    }
    Ok(Tally::default())
}

fn wait<F: Future>(future: F) -> Result<F::Output> {
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    Ok(runtime.block_on(future))
}

async fn show(ledger: &Sqlite, scope: Option<&str>, output: &mut Output) -> Result<()> {
    if let Some(scope) = scope {
        let balance = ledger.balance(&key(scope)?).await?;
        writeln!(output, "{}", serde_json::to_string(&balance)?)?;
        return Ok(());
    }
    let mut query = ScopeQuery::first(ScopeQuery::LIMIT_MAX);
    loop {
        let page = ledger.scopes(query.clone()).await?;
        for entry in &page.scopes {
            writeln!(output, "{}", serde_json::to_string(entry)?)?;
        }
        match page.scopes.last() {
            Some(last) if page.more => query = query.after(last.balance.scope.clone()),
            _ => return Ok(()),
        }
    }
}

async fn change(
    ledger: &Sqlite,
    arguments: &Change,
    action: AdminAction,
    output: &mut Output,
) -> Result<()> {
    let scope = key(&arguments.scope)?;
    let (who, why) = (arguments.who.as_str(), arguments.why.as_str());
    let change = AdminChange::new(ChangeId::random()?, scope.clone(), action, who, why)?;
    ledger.change(change).await?;
    let balance = ledger.balance(&scope).await?;
    writeln!(output, "{}", serde_json::to_string(&balance)?)?;
    Ok(())
}

fn key(scope: &str) -> Result<Key> {
    Key::parse(scope).context("a scope is a key, such as org=acme/user=alice")
}
