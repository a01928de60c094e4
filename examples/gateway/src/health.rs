//! How the service is: its store, and the providers as their breakers see them.

use std::{sync::Arc, time::Duration};

use palisade::{
    core::{Health, Probe as _, Status, SystemClock},
    quota::{QuotaLedger as _, ReservationId},
    resilience::{BreakerRegistry, HealthCheck, HealthMonitor, Need},
    sqlite::Sqlite,
};

use crate::{
    config::{Config, ConfigError},
    service::refused,
};

/// Who asks them all, none too often and none for too long.
///
/// # Errors
///
/// [`ConfigError`] for a value that the room refuses.
pub(crate) fn monitor(
    config: &Config,
    store: Sqlite,
    breakers: Arc<BreakerRegistry>,
) -> Result<HealthMonitor, ConfigError> {
    let crate::config::Health {
        fresh_ms,
        timeout_ms,
    } = config.health;
    let (fresh, timeout) = (
        Duration::from_millis(fresh_ms),
        Duration::from_millis(timeout_ms),
    );
    let (store_name, breakers_name) = (store.health().component, breakers.health().component);
    HealthMonitor::new(SystemClock, fresh)
        .map_err(|error| refused("health.fresh_ms", &error))?
        // Without its store the service refuses everything; without an upstream it still answers for the others.
        .with_check(store_name, Need::Vital, Store(store), timeout)
        .and_then(|monitor| monitor.with_probe(breakers_name, Need::Helpful, Breakers(breakers)))
        .map_err(|error| refused("health.timeout_ms", &error))
}

struct Store(Sqlite);

#[async_trait::async_trait]
impl HealthCheck for Store {
    async fn check(&self) -> Health {
        let known = self.0.health();
        if known.status != Status::Up {
            // The store tells of its last write, and who is told that it is down sends none. So one is tried, of nothing,
            // and the next who asks hears how it went.
            if let Ok(nobody) = ReservationId::random() {
                let _ = self.0.release(nobody).await;
            }
        }
        known
    }
}

struct Breakers(Arc<BreakerRegistry>);

impl palisade::core::Probe for Breakers {
    fn health(&self) -> Health {
        self.0.health()
    }
}
