use palisade_core::Decision;
use palisade_quota::Amount;

use crate::{
    Verdict, join_all,
    quota::{
        Make,
        bench::{Bench, amount, user},
    },
    verdict::ensure,
};

/// Whoever asks at the same time, no more is granted than there is; also when nobody has used the scope before.
pub async fn racers_never_share_the_last_unit<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    for round in 0..8_u128 {
        let scope = user(&round.to_string());
        let race = (0..32).map(|racer| {
            let (bench, scope) = (&bench, std::slice::from_ref(&scope));
            async move { bench.reserve(round << 8 | racer, scope, amount(9, 0)).await }
        });
        let mut granted = 0;
        for answer in join_all(race).await {
            granted += i64::from(answer?.is_allow());
        }
        ensure!(
            granted == 11,
            "of 100 tokens, nine at a time, {granted} of 32 racers got theirs"
        );
        bench
            .scope_stands(&scope, Amount::ZERO, amount(99, 0))
            .await?;
    }
    Ok(())
}

/// Requests that take the same scopes in opposite orders all get an answer.
pub async fn crossed_scopes_never_lock_each_other_out<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let scopes = [user("a"), user("b"), user("c")];
    let race = (0..30_u128).map(|racer| {
        let mut scopes = scopes.clone();
        scopes.rotate_left(usize::try_from(racer % 3).unwrap_or(0));
        if racer % 2 == 0 {
            scopes.reverse();
        }
        let bench = &bench;
        async move { bench.reserve(racer, &scopes, amount(1, 1)).await }
    });
    for answer in join_all(race).await {
        ensure!(
            answer?.is_allow(),
            "thirty of a hundred tokens were refused"
        );
    }
    for scope in &scopes {
        bench
            .scope_stands(scope, Amount::ZERO, amount(30, 30))
            .await?;
    }
    Ok(())
}

/// One reservation, asked for and settled by many at once, is held once and booked once.
pub async fn a_stampede_on_one_id_has_one_effect<M: Make>(make: &M) -> Verdict {
    let bench = Bench::new(make).await;
    let ask = |_| async { bench.tokens(1, 40).await };
    let mut fresh = 0;
    for answer in join_all((0..16).map(ask)).await {
        match answer? {
            Decision::Allow(granted) => fresh += u32::from(!granted.repeated),
            Decision::Deny(refused) => {
                ensure!(false, "a repeated question was refused: {refused:?}");
            }
        }
    }
    ensure!(fresh == 1, "one reservation was granted {fresh} times");
    bench.stands(0, 40).await?;
    let mut first = 0;
    for resolution in join_all((0..16).map(|_| bench.settle(1, amount(30, 0)))).await {
        first += u32::from(!resolution?.earlier);
    }
    ensure!(first == 1, "one reservation was settled {first} times");
    bench.stands(30, 0).await
}
