//! The official clients of OpenAI and Anthropic work against the gateway with its address and a key.

mod common;

use common::{House, python, script, settled};

async fn drive(name: &str) {
    let python = python();
    // As many at once as the scripts need, and few enough to run into.
    let house = House::start(&[("limits.requests_per_minute", "60"), ("limits.burst", "60")]).await;
    let (client, hasty) = (house.client("ann").await, house.client("hasty").await);
    let output = tokio::process::Command::new(&python)
        .args([&script(name), &house.base(), client.key(), hasty.key()])
        .kill_on_drop(true)
        .output()
        .await
        .unwrap_or_else(|error| panic!("PALISADE_PYTHON names {python}: {error}"));
    let (said, failed) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{failed}");
    assert!(
        said.lines()
            .last()
            .is_some_and(|line| line.starts_with("checks: ")),
        "{said}"
    );
    settled(&client).await;
    house.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_openai_works_unchanged() {
    drive("openai_client.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_client_of_anthropic_works_unchanged() {
    drive("anthropic_client.py").await;
}
