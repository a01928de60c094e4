//! `palisade migrate`.

use std::{io::Write, path::Path};

use anyhow::{Context, Result, bail};
use palisade::{
    postgres::{self, PostgresConfig},
    sqlite::{self, SqliteConfig},
};

use crate::{
    args::{Down, Migrate, Tables},
    output::Output,
    tally::Tally,
};

/// Brings the tables of a database up to date, takes them back, or says what they have been through.
///
/// # Errors
///
/// If the database cannot be read or written, or its tables are not known to this program.
pub(crate) fn run(arguments: &Migrate, output: &mut Output) -> Result<Tally> {
    let place = match arguments {
        Migrate::Status(place) | Migrate::Up(place) => place,
        Migrate::Down(down) => &down.place,
    };
    let is_server = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| place.database.starts_with(scheme));
    let mut lines = Vec::new();
    let is_behind = if is_server {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        // Not repeated in errors: an address may hold a password.
        runtime
            .block_on(on_server(arguments, place, &mut lines))
            .context("the server")?
    } else {
        in_file(arguments, place, &mut lines).with_context(|| place.database.clone())?
    };
    for line in lines {
        writeln!(output, "{line}")?;
    }
    Ok(Tally {
        found: is_behind,
        failed: false,
    })
}

/// Whether something is missing, which is what `status` is asked for.
async fn on_server(arguments: &Migrate, place: &Tables, lines: &mut Vec<String>) -> Result<bool> {
    let config = PostgresConfig::default().with_schema(&place.schema)?;
    let mut migrations = postgres::Migrations::at(&place.database, config)?;
    let done = match arguments {
        Migrate::Status(_) => {
            let applied = migrations.applied().await?;
            lines.extend(applied.iter().map(ToString::to_string));
            let newest = postgres::Migrations::newest();
            lines.push(of_all(applied.len(), newest));
            return Ok(applied.len() < newest as usize);
        }
        Migrate::Up(_) => migrations.up().await?,
        Migrate::Down(Down { to, with_data, .. }) => {
            let tables = if *with_data {
                postgres::DropTables::WithData
            } else {
                postgres::DropTables::Empty
            };
            migrations.down(*to, tables).await?
        }
    };
    lines.extend(done.iter().map(ToString::to_string));
    Ok(false)
}

fn in_file(arguments: &Migrate, place: &Tables, lines: &mut Vec<String>) -> Result<bool> {
    let path = Path::new(&place.database);
    // Looking makes no file.
    if !matches!(arguments, Migrate::Up(_)) && !path.exists() {
        bail!("there is no such file");
    }
    let mut migrations = sqlite::Migrations::open(path, SqliteConfig::default())?;
    let done = match arguments {
        Migrate::Status(_) => {
            let applied = migrations.applied()?;
            lines.extend(applied.iter().map(ToString::to_string));
            let newest = sqlite::Migrations::newest();
            lines.push(of_all(applied.len(), newest));
            return Ok(applied.len() < newest as usize);
        }
        Migrate::Up(_) => migrations.up()?,
        Migrate::Down(Down { to, with_data, .. }) => {
            let tables = if *with_data {
                sqlite::DropTables::WithData
            } else {
                sqlite::DropTables::Empty
            };
            migrations.down(*to, tables)?
        }
    };
    lines.extend(done.iter().map(ToString::to_string));
    Ok(false)
}

fn of_all(applied: usize, newest: u32) -> String {
    format!("{applied} of {newest} migrations")
}
