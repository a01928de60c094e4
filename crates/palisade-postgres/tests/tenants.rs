//! Tenants who look at the tables themselves see their own rows; what administrators change is written down.

#![cfg(all(
    feature = "auth",
    feature = "cost",
    feature = "quota",
    feature = "trace"
))]

mod support;

use palisade_core::{Dimension, Key, ModelId, Timestamp, Tokens, Usage};
use palisade_cost::{CostLedger, RecordId, UsageRecord};
use palisade_postgres::{Postgres, PostgresConfig};
use palisade_quota::{Amount, Quota, QuotaLedger, ReservationId, ReserveRequest};
use support::{block_on, fresh_schema, read, sql, url};

const TABLES: [&str; 13] = [
    "quota_scopes",
    "quota_accounts",
    "quota_holds",
    "quota_lessees",
    "quota_leases",
    "cost_records",
    "traces",
    "api_keys",
    "organisations",
    "projects",
    "users",
    "roles",
    "audit_log",
];

async fn two_tenants(schema: &str) -> Postgres {
    let config = PostgresConfig::default().with_schema(schema);
    let config = config.and_then(|config| config.with_connections_max(2));
    let postgres = Postgres::connect(&url(), config.expect("a good name"))
        .await
        .expect("the server answers");
    for (number, org) in [(1, "acme"), (2, "globex")] {
        let scope = Key::new(Dimension::Org, org).expect("a short name");
        let usage = Usage::new(Tokens::new(1), Tokens::new(1));
        let model = ModelId::new("openai", "gpt").expect("a good name");
        let id = RecordId::new(org).expect("a good id");
        let record = UsageRecord::new(id, Timestamp::from_secs(1), scope.clone(), model, usage);
        postgres.record(record).await.expect("an answer");
        let quota = Some(Quota::default());
        postgres.set_quota(&scope, quota).await.expect("an answer");
        let ask = Amount::from_columns(number, 1).expect("positive");
        let id = ReservationId::from_u128(u128::from(number.unsigned_abs()));
        let request = ReserveRequest::new(id, [scope], ask).expect("a good request");
        let granted = postgres.reserve(request).await.expect("an answer");
        assert!(granted.is_allow());
        sql(
            schema,
            &format!("INSERT INTO organisations (org, name) VALUES ('org={org}', '{org}')"),
        )
        .await
        .expect("a good row");
    }
    postgres
}

#[test]
fn a_tenant_sees_its_rows_and_no_others() {
    let schema = fresh_schema();
    block_on(async {
        let _postgres = two_tenants(&schema).await;
        let role = format!("{schema}_reader");
        let grants = format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA {schema} TO {role};
             GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}"
        );
        sql(&schema, &grants).await.expect("we may");
        for table in TABLES {
            let all = format!("SELECT count(*)::text FROM {table}");
            let as_tenant =
                |org: &str| format!("SET ROLE {role}; SET palisade.org = '{org}'; {all}");
            let nobody = read(&schema, &format!("SET ROLE {role}; {all}")).await;
            assert_eq!(nobody, "0", "{table}: who was told nothing sees nothing");
            let [acme, globex, everybody] = [
                read(&schema, &as_tenant("org=acme")).await,
                read(&schema, &as_tenant("org=globex")).await,
                read(&schema, &all).await,
            ]
            .map(|count| count.parse::<u64>().expect("a count"));
            if [
                "quota_scopes",
                "quota_accounts",
                "cost_records",
                "organisations",
                "audit_log",
            ]
            .contains(&table)
            {
                assert!(acme > 0 && globex > 0, "{table}: {acme} and {globex} rows");
                assert_eq!(acme + globex, everybody, "{table}");
            } else {
                assert_eq!((acme, globex), (0, 0), "{table}");
            }
        }
        let others = format!(
            "SET ROLE {role}; SET palisade.org = 'org=acme'; SELECT string_agg(DISTINCT org, ' ') FROM cost_records"
        );
        assert_eq!(read(&schema, &others).await, "org=acme");
        sql(&schema, &format!("DROP OWNED BY {role}; DROP ROLE {role}"))
            .await
            .expect("we may");
    });
}

#[test]
fn every_table_of_tenants_is_guarded() {
    let schema = fresh_schema();
    block_on(async {
        let _postgres = two_tenants(&schema).await;
        let open = format!(
            "SELECT coalesce(string_agg(relname, ' '), '') FROM pg_class
             WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'r' AND NOT relrowsecurity"
        );
        assert_eq!(read(&schema, &open).await, "palisade_migrations");
    });
}

#[test]
fn what_an_administrator_changes_is_written_down_and_stays() {
    let schema = fresh_schema();
    block_on(async {
        let _postgres = two_tenants(&schema).await;
        let change = "SET palisade.actor = 'carol'; SET palisade.reason = 'month end';
             UPDATE quota_scopes SET tokens = 7 WHERE scope = 'org=acme'";
        sql(&schema, change).await.expect("we may");
        let line = "SELECT actor || ' ' || reason || ' ' || what || ' ' || (before_row ->> 'tokens') || ' ' ||
             (after_row ->> 'tokens') FROM audit_log ORDER BY entry DESC LIMIT 1";
        assert_eq!(
            read(&schema, line).await,
            "carol month end update 1000000 7"
        );
        for change in [
            "UPDATE audit_log SET actor = 'x'",
            "DELETE FROM audit_log",
            "TRUNCATE audit_log",
        ] {
            sql(&schema, change).await.expect_err("it is only added to");
        }
        sql(&schema, "UPDATE cost_records SET input = 0")
            .await
            .expect_err("it is only added to");
    });
}
