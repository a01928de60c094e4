use std::fmt;

use tower_layer::{Identity, Layer};

/// All guard-rails of one request, in the order it meets them.
///
/// Each stage is set by name, and stands in its place whatever order the setters are called in. A stage that is not set
/// is not there. The order is the design; each place has its reason:
///
/// | stage | why here |
/// |---|---|
/// | `trace` | a refusal is traced too: outermost, nothing happens unseen. |
/// | `auth` | cheap before dear: who asks is known before anything is counted for them. |
/// | `rate_limit` | a counter is cheaper than a ledger, and a flood must not reach the ledger. |
/// | `read` | the host's own step from bytes to a call: nobody unknown, and nobody too fast, makes the service read a body. |
/// | `redact` | on the way out, after settlement: tokens are counted as the model sent them, and what the client reads has passed here. |
/// | `quota` | outside the retry: one reservation covers all attempts, and their sum settles it. |
/// | `scan` | before money is spent, after it is known that it might be: a scan costs more than a counter and less than a model. |
/// | `route` | with the text judged and the allowance known, which model: outside the retry, so that attempts go to one place. |
/// | `deadline` | outside the retry: the client waits for the whole, however many attempts it took. |
/// | `retry` | outside the breaker: every attempt asks anew whether the upstream may be called. |
/// | `breaker` | inside the retry, and it counts attempts, not requests: an upstream that fails two of three is failing. |
/// | `meter` | inside the retry: every attempt that was answered costs, also the one nobody wanted. |
/// | `timeout` | innermost: an attempt given up is a failure to the breaker and a known end to the meter. |
///
/// ```
/// use tower_layer::{Identity, Layer as _};
/// use palisade_tower::Stack;
///
/// // A stack without stages is the service itself; each stage wraps it where the table says.
/// let service = Stack::new().scan(Identity::new()).trace(Identity::new()).layer("the upstream");
/// assert_eq!(service, "the upstream");
/// ```
#[derive(Clone)]
#[must_use = "a stack guards nothing until it is laid over a service"]
pub struct Stack<
    Trace = Identity,
    Auth = Identity,
    Rate = Identity,
    Read = Identity,
    Redact = Identity,
    Quota = Identity,
    Scan = Identity,
    Route = Identity,
    Deadline = Identity,
    Retry = Identity,
    Breaker = Identity,
    Meter = Identity,
    Timeout = Identity,
> {
    trace: Trace,
    auth: Auth,
    rate_limit: Rate,
    read: Read,
    redact: Redact,
    quota: Quota,
    scan: Scan,
    route: Route,
    deadline: Deadline,
    retry: Retry,
    breaker: Breaker,
    meter: Meter,
    timeout: Timeout,
}

impl Stack {
    /// A stack without stages.
    pub fn new() -> Self {
        Self {
            trace: Identity::new(),
            auth: Identity::new(),
            rate_limit: Identity::new(),
            read: Identity::new(),
            redact: Identity::new(),
            quota: Identity::new(),
            scan: Identity::new(),
            route: Identity::new(),
            deadline: Identity::new(),
            retry: Identity::new(),
            breaker: Identity::new(),
            meter: Identity::new(),
            timeout: Identity::new(),
        }
    }
}

impl Default for Stack {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(
    clippy::type_complexity,
    reason = "thirteen stages are thirteen parameters; an alias would only hide which one a setter replaces"
)]
impl<Trace, Auth, Rate, Read, Redact, Quota, Scan, Route, Deadline, Retry, Breaker, Meter, Timeout>
    Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    >
{
    /// Sets the stage `trace`: a refusal is traced too: outermost, nothing happens unseen.
    pub fn trace<L>(
        self,
        layer: L,
    ) -> Stack<
        L,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    > {
        Stack {
            trace: layer,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `auth`: cheap before dear: who asks is known before anything is counted for them.
    pub fn auth<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        L,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: layer,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `rate_limit`: a counter is cheaper than a ledger, and a flood must not reach the ledger.
    pub fn rate_limit<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        L,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: layer,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `read`: the host's own step from bytes to a call: nobody unknown, and nobody too fast, makes the service read a body.
    pub fn read<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        Rate,
        L,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: layer,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `redact`: on the way out, after settlement: tokens are counted as the model sent them, and what the client reads has passed here.
    pub fn redact<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        Rate,
        Read,
        L,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: layer,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `quota`: outside the retry: one reservation covers all attempts, and their sum settles it.
    pub fn quota<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        L,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: layer,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `scan`: before money is spent, after it is known that it might be: a scan costs more than a counter and less than a model.
    pub fn scan<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        L,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: layer,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `route`: with the text judged and the allowance known, which model: outside the retry, so that attempts go to one place.
    pub fn route<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        L,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: layer,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `deadline`: outside the retry: the client waits for the whole, however many attempts it took.
    pub fn deadline<L>(
        self,
        layer: L,
    ) -> Stack<Trace, Auth, Rate, Read, Redact, Quota, Scan, Route, L, Retry, Breaker, Meter, Timeout>
    {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: layer,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `retry`: outside the breaker: every attempt asks anew whether the upstream may be called.
    pub fn retry<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        L,
        Breaker,
        Meter,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: layer,
            breaker: self.breaker,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `breaker`: inside the retry, and it counts attempts, not requests: an upstream that fails two of three is failing.
    pub fn breaker<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        L,
        Meter,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: layer,
            meter: self.meter,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `meter`: inside the retry: every attempt that was answered costs, also the one nobody wanted.
    pub fn meter<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        L,
        Timeout,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: layer,
            timeout: self.timeout,
        }
    }

    /// Sets the stage `timeout`: innermost: an attempt given up is a failure to the breaker and a known end to the meter.
    pub fn timeout<L>(
        self,
        layer: L,
    ) -> Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        L,
    > {
        Stack {
            trace: self.trace,
            auth: self.auth,
            rate_limit: self.rate_limit,
            read: self.read,
            redact: self.redact,
            quota: self.quota,
            scan: self.scan,
            route: self.route,
            deadline: self.deadline,
            retry: self.retry,
            breaker: self.breaker,
            meter: self.meter,
            timeout: layer,
        }
    }
}

impl<
    S,
    Trace,
    Auth,
    Rate,
    Read,
    Redact,
    Quota,
    Scan,
    Route,
    Deadline,
    Retry,
    Breaker,
    Meter,
    Timeout,
> Layer<S>
    for Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    >
where
    Timeout: Layer<S>,
    Meter: Layer<Timeout::Service>,
    Breaker: Layer<Meter::Service>,
    Retry: Layer<Breaker::Service>,
    Deadline: Layer<Retry::Service>,
    Route: Layer<Deadline::Service>,
    Scan: Layer<Route::Service>,
    Quota: Layer<Scan::Service>,
    Redact: Layer<Quota::Service>,
    Read: Layer<Redact::Service>,
    Rate: Layer<Read::Service>,
    Auth: Layer<Rate::Service>,
    Trace: Layer<Auth::Service>,
{
    type Service = Trace::Service;

    fn layer(&self, upstream: S) -> Self::Service {
        // From the model outwards: read the table from bottom to top.
        let service = self.timeout.layer(upstream);
        let service = self.meter.layer(service);
        let service = self.breaker.layer(service);
        let service = self.retry.layer(service);
        let service = self.deadline.layer(service);
        let service = self.route.layer(service);
        let service = self.scan.layer(service);
        let service = self.quota.layer(service);
        let service = self.redact.layer(service);
        let service = self.read.layer(service);
        let service = self.rate_limit.layer(service);
        let service = self.auth.layer(service);
        self.trace.layer(service)
    }
}

impl<Trace, Auth, Rate, Read, Redact, Quota, Scan, Route, Deadline, Retry, Breaker, Meter, Timeout>
    fmt::Debug
    for Stack<
        Trace,
        Auth,
        Rate,
        Read,
        Redact,
        Quota,
        Scan,
        Route,
        Deadline,
        Retry,
        Breaker,
        Meter,
        Timeout,
    >
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stack")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Notes its name around the service.
    struct Named(&'static str);

    impl Layer<String> for Named {
        type Service = String;

        fn layer(&self, inner: String) -> String {
            format!("{}({inner})", self.0)
        }
    }

    #[test]
    fn a_stage_stands_in_its_place_whatever_the_order_of_the_setters() {
        let stack = Stack::new()
            .timeout(Named("timeout"))
            .meter(Named("meter"))
            .trace(Named("trace"))
            .retry(Named("retry"))
            .breaker(Named("breaker"))
            .quota(Named("quota"))
            .auth(Named("auth"))
            .redact(Named("redact"))
            .read(Named("read"))
            .deadline(Named("deadline"))
            .route(Named("route"))
            .rate_limit(Named("rate_limit"))
            .scan(Named("scan"));
        assert_eq!(
            stack.layer("model".to_owned()),
            "trace(auth(rate_limit(read(redact(quota(scan(route(deadline(retry(breaker(meter(\
             timeout(model)))))))))))))"
        );
    }
}
