//! Tables come and go as a whole, whoever brings them at the same time.

mod support;

use palisade_postgres::{DropTables, MigrateError, Migrations, Postgres, PostgresConfig};
use support::{block_on, fresh_schema, sql, url};

fn config(schema: &str) -> PostgresConfig {
    let config = PostgresConfig::default().with_schema(schema);
    let config = config.and_then(|config| config.with_connections_max(2));
    config.expect("a good configuration")
}

#[test]
fn of_many_that_start_at_once_one_applies_and_all_find_it_done() {
    let schema = fresh_schema();
    let applied = block_on(async {
        let starting: Vec<_> = (0..8)
            .map(|_| {
                let mut migrations =
                    Migrations::at(&url(), config(&schema)).expect("a good address");
                tokio::spawn(
                    async move { migrations.up().await.expect("the server answers").len() },
                )
            })
            .collect();
        let mut applied = Vec::new();
        for start in starting {
            applied.push(start.await.expect("nobody panics"));
        }
        applied
    });
    let all = Migrations::newest() as usize;
    assert_eq!(applied.iter().filter(|count| **count == all).count(), 1);
    assert_eq!(applied.iter().filter(|count| **count == 0).count(), 7);
}

#[test]
fn up_and_down_and_up_again_leaves_a_schema_that_serves() {
    let schema = fresh_schema();
    block_on(async {
        let mut migrations = Migrations::at(&url(), config(&schema)).expect("a good address");
        let up = migrations.up().await.expect("it is empty");
        for to in (0..Migrations::newest()).rev() {
            let taken = migrations.down(to, DropTables::Empty).await;
            assert_eq!(taken.expect("nothing is in it").len(), 1, "down to {to}");
        }
        assert!(migrations.applied().await.expect("an answer").is_empty());
        let again = migrations.up().await.expect("it is empty again");
        assert_eq!(names(&up), names(&again));
        assert!(migrations.up().await.expect("an answer").is_empty());
        Postgres::connect(&url(), config(&schema))
            .await
            .expect("it serves");
    });
}

fn names(applied: &[palisade_postgres::Applied]) -> Vec<(u32, &str)> {
    let names = applied.iter();
    names.map(|one| (one.version, one.name.as_str())).collect()
}

#[test]
fn tables_with_rows_are_dropped_only_if_that_is_said() {
    let schema = fresh_schema();
    block_on(async {
        let mut migrations = Migrations::at(&url(), config(&schema)).expect("a good address");
        migrations.up().await.expect("it is empty");
        sql(
            &schema,
            "INSERT INTO organisations (org, name) VALUES ('org=acme', 'Acme')",
        )
        .await
        .expect("a good row");
        let refused = migrations.down(0, DropTables::Empty).await;
        assert!(
            matches!(refused, Err(MigrateError::NotEmpty { .. })),
            "{refused:?}"
        );
        let all = Migrations::newest() as usize;
        assert_eq!(migrations.applied().await.expect("an answer").len(), all);
        let taken = migrations.down(0, DropTables::WithData).await;
        assert_eq!(taken.expect("it was said").len(), all);
    });
}

#[test]
fn a_schema_of_another_program_is_refused() {
    let schema = fresh_schema();
    block_on(async {
        let mut migrations = Migrations::at(&url(), config(&schema)).expect("a good address");
        migrations.up().await.expect("it is empty");
        let newer = "INSERT INTO palisade_migrations VALUES (999, 'later', '', 0)";
        sql(&schema, newer).await.expect("a good row");
        let found = migrations.applied().await;
        assert!(
            matches!(found, Err(MigrateError::Newer { version: 999 })),
            "{found:?}"
        );
        let changed = "DELETE FROM palisade_migrations WHERE version = 999;
             UPDATE palisade_migrations SET script = '' WHERE version = 1";
        sql(&schema, changed).await.expect("a good change");
        let found = migrations.up().await;
        assert!(
            matches!(found, Err(MigrateError::Changed { version: 1 })),
            "{found:?}"
        );
    });
}

#[test]
fn without_migrations_a_schema_that_lacks_something_is_refused() {
    let schema = fresh_schema();
    block_on(async {
        let config = config(&schema).with_migrations(false);
        let refused = Postgres::connect(&url(), config).await;
        let error = refused.expect_err("nothing is there");
        assert_eq!(error.kind(), palisade_core::StoreErrorKind::Corrupt);
    });
}
