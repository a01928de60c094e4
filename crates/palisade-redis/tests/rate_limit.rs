//! The rules that every rate limiter keeps, kept on one node, behind Sentinels and in a Cluster.
#![cfg(feature = "rate-limit")]

mod servers;

mod node {
    use palisade_conformance::rate_limit::Setup;
    use palisade_redis::Redis;

    use super::servers;

    async fn make(setup: Setup) -> Redis {
        servers::fresh(servers::node().with_clock(setup.clock)).await
    }

    palisade_conformance::rate_limiter_suite!(make, servers::block_on);
}

mod sentinel {
    use palisade_conformance::rate_limit::Setup;
    use palisade_redis::Redis;

    use super::servers;

    async fn make(setup: Setup) -> Redis {
        servers::fresh(servers::sentinel().with_clock(setup.clock)).await
    }

    palisade_conformance::rate_limiter_suite!(make, servers::block_on);
}

mod cluster {
    use palisade_conformance::rate_limit::Setup;
    use palisade_redis::Redis;

    use super::servers;

    async fn make(setup: Setup) -> Redis {
        servers::fresh(servers::cluster().with_clock(setup.clock)).await
    }

    palisade_conformance::rate_limiter_suite!(make, servers::block_on);
}
