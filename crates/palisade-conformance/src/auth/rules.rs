//! The rules, one function each, named after the promise.

#![expect(
    clippy::missing_errors_doc,
    reason = "a rule's one error is that the promise it is named after is broken"
)]

use palisade_auth::{KeyDigest, KeyId, KeyStore as _, ListRequest, Principal, Role, StoredKey};
use palisade_core::Timestamp;

use super::{
    Make,
    bench::{NOON, finds, id, key, key_in, later, lists, principal, put, revoke, stored},
};
use crate::{Broken, Verdict, join_all, verdict::ensure};

/// Everything about a key is kept: every role, the shortest and the longest names, times to the nanosecond.
pub async fn a_key_comes_back_as_it_went_in<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let long = "ö".repeat(Principal::ID_BYTES_MAX / 2);
    let mut keys = Vec::new();
    for (number, role) in (0..).zip(Role::ALL) {
        keys.push(stored(number, principal("acme", None, None, role)?));
    }
    for (number, (project, user)) in (10..).zip([
        (Some("chatbot"), None),
        (None, Some("alice")),
        (Some("chatbot"), Some("alice")),
        (Some(&*long), Some(&*long)),
        (Some("'; --"), Some(" a/b=c%_\\\" ")),
    ]) {
        let org = if number == 13 { &*long } else { "acme" };
        keys.push(stored(
            number,
            principal(org, project, user, Role::Developer)?,
        ));
    }
    for (number, label) in (20..).zip(["ci", "'\"\\%_\t", "schlüssel 鍵 🔑", " ", "NULL"]) {
        let mut key = key(number, "acme")?;
        label.clone_into(&mut key.label);
        keys.push(key);
    }
    let mut longest = key(30, "acme")?;
    longest.label = "x".repeat(StoredKey::LABEL_BYTES_MAX);
    keys.push(longest);
    for (number, time) in (40..).zip([NOON, later(1), Timestamp::from_nanos(0)]) {
        let mut key = key(number, "acme")?;
        (key.created_at, key.expires_at) = (time, Some(time));
        keys.push(key);
    }
    for (number, nanos) in (50..).zip([-1, i64::MIN, i64::MAX]) {
        let mut key = key(number, "acme")?;
        key.created_at = Timestamp::from_nanos(nanos);
        key.expires_at = Some(key.created_at);
        key.revoked_at = Some(key.created_at);
        keys.push(key);
    }
    for (number, bytes) in [(60, [0; 10]), (61, [0xFF; 10])] {
        let mut key = key(number, "acme")?;
        key.id = KeyId::from_bytes(bytes);
        key.digest = KeyDigest::from_bytes([bytes[0]; 32]);
        key.principal = key.principal.with_key_id(key.id);
        keys.push(key);
    }
    for key in &keys {
        put(&store, key).await?;
        finds(&store, key).await?;
    }
    for key in &keys {
        finds(&store, key).await?;
    }
    Ok(())
}

/// Where there is no key, nothing is found, revoked or listed, and asking makes none.
pub async fn an_unknown_id_is_told_as_such<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    // Some know only that a store is not empty.
    for neighbour in [None, Some(17), Some(19)] {
        if let Some(number) = neighbour {
            put(&store, &key(number, "acme")?).await?;
        }
        for _ in 0..2 {
            let found = store.find(id(18)).await?;
            ensure!(found.is_none(), "nobody put this key: {found:?}");
            let revoked = store.revoke(id(18), NOON).await?;
            ensure!(!revoked, "a key that nobody put was revoked");
        }
        lists(&store, ListRequest::new("nobody"), &[]).await?;
    }
    // The revocations before it do not count.
    let key = key(18, "nobody")?;
    put(&store, &key).await?;
    finds(&store, &key).await
}

/// The first key of an id stays, whoever comes with another, and even with the same.
pub async fn a_taken_id_is_not_overwritten<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let first = key_in(1, "acme", "chatbot")?;
    put(&store, &first).await?;
    let mut others = vec![first.clone(), key(1, "acme")?, key(1, "other")?];
    for other in &mut others[1..] {
        other.digest = KeyDigest::from_bytes([0xEE; 32]);
    }
    let mut relabelled = first.clone();
    relabelled.label = "mine now".to_owned();
    let mut prolonged = first.clone();
    prolonged.expires_at = Some(later(1));
    let mut ended = first.clone();
    ended.revoked_at = Some(NOON);
    others.extend([relabelled, prolonged, ended]);
    for other in others {
        let kept = store.put(other.clone()).await?;
        ensure!(!kept, "a taken id was given away: {other:?}");
        finds(&store, &first).await?;
    }
    lists(
        &store,
        ListRequest::new("acme"),
        std::slice::from_ref(&first),
    )
    .await?;
    lists(&store, ListRequest::new("other"), &[]).await
}

/// No `put` brings back a revoked key: not the same one, and not another.
pub async fn revoking_is_final<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let fresh = key(1, "acme")?;
    put(&store, &fresh).await?;
    revoke(&store, id(1), later(1)).await?;
    let mut revoked = fresh.clone();
    revoked.revoked_at = Some(later(1));
    // One that was put as revoked is no less so.
    let mut born = key(2, "acme")?;
    born.revoked_at = Some(NOON);
    put(&store, &born).await?;
    let mut other = key(1, "other")?;
    other.digest = KeyDigest::from_bytes([0xEE; 32]);
    for again in [fresh, other, key(2, "acme")?] {
        let kept = store.put(again.clone()).await?;
        ensure!(!kept, "a revoked id was given away: {again:?}");
        finds(&store, &revoked).await?;
        finds(&store, &born).await?;
    }
    lists(&store, ListRequest::new("acme"), &[revoked, born]).await
}

/// Revoking again is no failure, and changes nothing, whatever time it comes with.
pub async fn the_first_revocation_keeps_its_time<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let mut put_alive = key(1, "acme")?;
    put(&store, &put_alive).await?;
    put_alive.revoked_at = Some(later(5));
    let mut put_revoked = key(2, "acme")?;
    put_revoked.revoked_at = Some(later(5));
    put(&store, &put_revoked).await?;
    // The first of these is the first revocation of one of them.
    for nanos in [5, 5, 4, 6, -1_000, 1_000_000_000_000] {
        for key in [&put_alive, &put_revoked] {
            revoke(&store, key.id, later(nanos)).await?;
            finds(&store, key).await?;
        }
    }
    lists(&store, ListRequest::new("acme"), &[put_alive, put_revoked]).await
}

/// One key is revoked and no other, however much else they share.
pub async fn revoking_one_key_leaves_the_others<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let mut keys: Vec<StoredKey> = (0..40)
        .map(|number| key(number, "acme"))
        .collect::<Result<_, Broken>>()?;
    for key in &keys {
        put(&store, key).await?;
    }
    for at in [0_u8, 18, 39] {
        revoke(&store, id(at), later(at.into())).await?;
        keys[usize::from(at)].revoked_at = Some(later(at.into()));
        for key in &keys {
            finds(&store, key).await?;
        }
    }
    lists(&store, ListRequest::new("acme"), &keys).await
}

/// A list that was read before shows, read again, what came since.
pub async fn lists_see_what_was_written_at_once<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let request = ListRequest::new("acme");
    let mut keys = Vec::new();
    lists(&store, request, &keys).await?;
    for number in 0..6 {
        keys.push(key(number, "acme")?);
        put(&store, &keys[usize::from(number)]).await?;
        lists(&store, request, &keys).await?;
        if number % 2 == 0 {
            revoke(&store, id(number), later(1)).await?;
            keys[usize::from(number)].revoked_at = Some(later(1));
            lists(&store, request, &keys).await?;
        }
    }
    Ok(())
}

/// Whatever the length of the pages, together they hold every key once, and the last one says that it is the last.
pub async fn pages_hold_every_key_once_in_the_order_of_ids<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let mut keys = Vec::new();
    // Put in another order than that of their ids, with those of others in between.
    for turn in 0..24_u8 {
        let number = turn * 7 % 24 * 10;
        keys.push(key(number, "acme")?);
        put(&store, &key(number, "acme")?).await?;
        put(&store, &key(number + 1, "other")?).await?;
    }
    keys.sort_by_key(|key| key.id);
    for limit in [1, 2, 5, 8, 12, 23, 24, 25, ListRequest::LIMIT_MAX] {
        lists(&store, ListRequest::new("acme").with_limit(limit), &keys).await?;
    }
    Ok(())
}

/// A page begins after any id: one that was never put, one of somebody else, the first and the last there can be.
pub async fn a_page_may_begin_after_an_id_that_is_not_there<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let keys = [key(20, "acme")?, key(40, "acme")?, key(60, "acme")?];
    for key in &keys {
        put(&store, key).await?;
    }
    put(&store, &key(50, "other")?).await?;
    for (after, from) in [
        (KeyId::from_bytes([0; 10]), 0),
        (id(19), 0),
        (id(20), 1),
        (id(21), 1),
        (id(50), 2),
        (id(59), 2),
        (id(60), 3),
        (id(61), 3),
        (KeyId::from_bytes([0xFF; 10]), 3),
    ] {
        for limit in [1, 2, 100] {
            let request = ListRequest::new("acme").with_limit(limit).with_after(after);
            lists(&store, request, &keys[from..])
                .await
                .map_err(|broken| broken.at(format!("after {after}")))?;
        }
    }
    Ok(())
}

/// Keys that come while somebody turns the pages neither hide nor repeat those that were there.
pub async fn keys_put_between_pages_move_no_other<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let (a, b, c, d) = (
        key(10, "acme")?,
        key(20, "acme")?,
        key(30, "acme")?,
        key(40, "acme")?,
    );
    for key in [&a, &b, &d] {
        put(&store, key).await?;
    }
    let request = ListRequest::new("acme").with_limit(2);
    let page = store.list(request).await?;
    ensure!(
        page.keys == [a, b] && page.next == Some(id(20)),
        "expected two keys and a next page after them, found {page:?}"
    );
    // Before the pages that were read, within them, and behind them.
    for key in [&key(5, "acme")?, &key(15, "acme")?, &c] {
        put(&store, key).await?;
    }
    lists(&store, request.with_after(id(20)), &[c, d]).await
}

/// Nobody sees the keys of an organisation with almost the same name.
pub async fn organisations_that_look_alike_stay_apart<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let orgs = [
        "acme",
        "Acme",
        "ACME",
        "acm",
        "acme ",
        " acme",
        "acme/a",
        "acme%",
        "acm_",
        "%",
        "*",
        "acme' OR '1'='1",
        "\u{e4}cme",
        "a\u{308}cme",
        "1",
        "01",
    ];
    for (number, org) in (0..).zip(orgs) {
        for key in [key(number, org)?, key_in(number + 100, org, "acme")?] {
            put(&store, &key).await?;
        }
    }
    for (number, org) in (0..).zip(orgs) {
        let own = [key(number, org)?, key_in(number + 100, org, "acme")?];
        for limit in [1, 100] {
            lists(&store, ListRequest::new(org).with_limit(limit), &own).await?;
        }
    }
    for org in ["", "acme\t", "cme", "aCME", "_cme"] {
        lists(&store, ListRequest::new(org), &[]).await?;
    }
    Ok(())
}

/// The keys of a project are those with its name in the organisation that was asked for. Keys of no project are in none.
pub async fn a_project_is_listed_alone_and_only_in_its_organisation<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let keys = [
        key_in(1, "acme", "chatbot")?,
        key(2, "acme")?,
        key_in(3, "acme", "Chatbot")?,
        key_in(4, "other", "chatbot")?,
        key_in(5, "acme", "chatbot")?,
        key_in(6, "acme", "chat")?,
        key_in(7, "chatbot", "acme")?,
        key_in(8, "acme", "acme")?,
    ];
    for key in &keys {
        put(&store, key).await?;
    }
    for (org, project, expected) in [
        ("acme", Some("chatbot"), &[1_u8, 5][..]),
        ("acme", Some("Chatbot"), &[3]),
        ("acme", Some("chat"), &[6]),
        ("acme", Some("acme"), &[8]),
        ("acme", Some("chat%"), &[]),
        ("acme", Some(""), &[]),
        ("acme", None, &[1, 2, 3, 5, 6, 8]),
        ("other", Some("chatbot"), &[4]),
        ("chatbot", Some("chatbot"), &[]),
    ] {
        let expected: Vec<StoredKey> = expected
            .iter()
            .map(|number| keys[usize::from(*number) - 1].clone())
            .collect();
        for limit in [1, 2, 100] {
            let mut request = ListRequest::new(org).with_limit(limit);
            request.project = project;
            lists(&store, request, &expected)
                .await
                .map_err(|broken| broken.at(format!("{project:?} of {org}")))?;
        }
    }
    Ok(())
}

/// Whoever looks after keys sees also those that are no longer good.
pub async fn revoked_and_expired_keys_are_listed<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let mut keys: Vec<StoredKey> = (0..6)
        .map(|number| key_in(number, "acme", "chatbot"))
        .collect::<Result<_, Broken>>()?;
    keys[1].expires_at = Some(Timestamp::from_nanos(0));
    keys[2].expires_at = Some(Timestamp::from_nanos(i64::MAX));
    keys[3].revoked_at = Some(later(1));
    for key in &keys {
        put(&store, key).await?;
    }
    for number in [0, 1] {
        revoke(&store, id(number), later(2)).await?;
        keys[usize::from(number)].revoked_at = Some(later(2));
    }
    let request = ListRequest::new("acme").with_limit(2);
    lists(&store, request, &keys).await?;
    lists(&store, request.with_project("chatbot"), &keys).await
}

/// Of many who put a key under one id at once, one is told that it was kept, and it was.
pub async fn racers_for_one_id_have_one_winner<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    for round in 0..4 {
        let mut keys = Vec::new();
        for racer in 0..20 {
            let mut key = key(round, "acme")?;
            key.digest = KeyDigest::from_bytes([racer; 32]);
            keys.push(key);
        }
        let answers = join_all(keys.iter().map(|key| store.put(key.clone()))).await;
        let mut winners = Vec::new();
        for (key, answer) in keys.iter().zip(answers) {
            if answer? {
                winners.push(key);
            }
        }
        let [winner] = winners[..] else {
            return Err(Broken::new(format!("one id had {} winners", winners.len())));
        };
        finds(&store, winner).await?;
    }
    Ok(())
}

/// Of many who revoke a key at once, all are told that it is revoked, and the time of one of them stands from then on.
pub async fn racing_revocations_agree_on_one_time<M: Make>(make: &M) -> Verdict {
    let store = make.make().await;
    let mut key = key(1, "acme")?;
    put(&store, &key).await?;
    let store = &store;
    let racers = (0..20).map(|racer| async move {
        revoke(store, id(1), later(racer)).await?;
        let found = store.find(id(1)).await?;
        Ok::<_, Broken>(found.and_then(|key| key.revoked_at))
    });
    let found = join_all(racers)
        .await
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    ensure!(
        found[0].is_some_and(|at| (NOON..later(20)).contains(&at))
            && found.iter().all(|at| *at == found[0]),
        "expected the time of one of the racers, the same for all, found {found:?}"
    );
    key.revoked_at = found[0];
    revoke(store, id(1), later(99)).await?;
    finds(store, &key).await
}
