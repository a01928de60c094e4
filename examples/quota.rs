//! A day's allowance that a hundred clients at once cannot overspend: reserve before the call, settle after it.
//!
//! `cargo run -p palisade-examples --example quota`

use std::error::Error;

use palisade::{
    core::{Decision, Dimension, Key, Money, SystemClock, Tokens},
    quota::{
        Amount, Defaults, InMemory, Quota, QuotaLedger as _, Refused, Reservation, ReservationId,
        ReserveRequest, Settler,
    },
    resilience::TokioTimer,
};

type Ledger = InMemory<SystemClock>;

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    // Ten cents a day for everybody, and a dollar for their organisation.
    let each = Quota::default()
        .with_tokens(None)?
        .with_money(Some("0.10".parse()?))?;
    let org = Quota::default()
        .with_tokens(None)?
        .with_money(Some(Money::from_usd(1)))?;
    let ledger = InMemory::new(SystemClock, Defaults::new(each).with(Dimension::Org, org));
    // `Drop` cannot wait. What falls out of sight is settled by this task.
    let (settler, settling) = Settler::new(ledger.clone(), 1_024);
    let settling = tokio::spawn(settling.run(TokioTimer));

    // An ordinary call: held at its most, settled at what it was.
    let reservation = take(&ledger, &settler)
        .await?
        .allowed()
        .ok_or("the day has just begun")?;
    report("reserved", &ledger).await?;
    reservation
        .settle(Amount::new(Tokens::new(812), "0.011".parse()?)?)
        .await?;
    report("settled", &ledger).await?;

    // A call that never began: everything comes back.
    let reservation = take(&ledger, &settler)
        .await?
        .allowed()
        .ok_or("there is enough")?;
    reservation.release().await?;
    report("released", &ledger).await?;

    // A client that hangs up in the middle: nobody knows what it cost, so it is charged what it might have.
    let mut reservation = take(&ledger, &settler)
        .await?
        .allowed()
        .ok_or("there is enough")?;
    reservation.begin();
    drop(reservation);

    // 0.10 less 0.011 less 0.06: not enough for another call of up to 0.06, until the day is over.
    let refused = take(&ledger, &settler)
        .await?
        .denied()
        .ok_or("the day's money is gone")?;
    println!("refused   {refused}; retry: {:?}", refused.retry_after);

    drop(settler);
    settling.await?;
    report("at last", &ledger).await?;
    let balance = ledger.balance(&alice()?).await?;
    assert_eq!(balance.spent.money().to_string(), "0.071");
    assert!(balance.held.is_zero());
    Ok(())
}

fn alice() -> Result<Key, Box<dyn Error>> {
    Ok(Key::new(Dimension::Org, "acme")?.with(Dimension::User, "alice")?)
}

/// Asks for a call of at most six cents, in two scopes at once.
async fn take(
    ledger: &Ledger,
    settler: &Settler,
) -> Result<Decision<Reservation<Ledger>, Refused>, Box<dyn Error>> {
    let scopes = [alice()?, Key::new(Dimension::Org, "acme")?];
    let at_most = Amount::new(Tokens::new(4_000), "0.06".parse()?)?;
    let request = ReserveRequest::new(ReservationId::random()?, scopes, at_most)?;
    Ok(Reservation::take(ledger.clone(), settler, request).await?)
}

async fn report(what: &str, ledger: &Ledger) -> Result<(), Box<dyn Error>> {
    let balance = ledger.balance(&alice()?).await?;
    let (spent, held) = (balance.spent.money(), balance.held.money());
    println!("{what:<9} spent {spent} USD, held {held} USD");
    Ok(())
}
