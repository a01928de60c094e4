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

/// Writes the setter of each stage: it takes the stage's own layer and keeps those before and after it.
macro_rules! setters {
    ([$($done:tt)*] []) => {};
    (
        [$($before:ident $Before:ident $before_why:literal),*]
        [$stage:ident $Stage:ident $why:literal $(, $after:ident $After:ident $after_why:literal)*]
    ) => {
        impl<$($Before,)* $Stage, $($After,)*> Stack<$($Before,)* $Stage, $($After,)*> {
            #[doc = concat!("Sets the stage `", stringify!($stage), "`: ", $why)]
            pub fn $stage<L>(self, layer: L) -> Stack<$($Before,)* L, $($After,)*> {
                Stack { $($before: self.$before,)* $stage: layer, $($after: self.$after,)* }
            }
        }

        setters! {
            [$($before $Before $before_why,)* $stage $Stage $why]
            [$($after $After $after_why),*]
        }
    };
}

setters! {
    []
    [
        trace Trace "a refusal is traced too: outermost, nothing happens unseen.",
        auth Auth "cheap before dear: who asks is known before anything is counted for them.",
        rate_limit Rate "a counter is cheaper than a ledger, and a flood must not reach the ledger.",
        read Read "the host's own step from bytes to a call: nobody unknown, and nobody too fast, makes the service read a body.",
        redact Redact "on the way out, after settlement: tokens are counted as the model sent them, and what the client reads has passed here.",
        quota Quota "outside the retry: one reservation covers all attempts, and their sum settles it.",
        scan Scan "before money is spent, after it is known that it might be: a scan costs more than a counter and less than a model.",
        route Route "with the text judged and the allowance known, which model: outside the retry, so that attempts go to one place.",
        deadline Deadline "outside the retry: the client waits for the whole, however many attempts it took.",
        retry Retry "outside the breaker: every attempt asks anew whether the upstream may be called.",
        breaker Breaker "inside the retry, and it counts attempts, not requests: an upstream that fails two of three is failing.",
        meter Meter "inside the retry: every attempt that was answered costs, also the one nobody wanted.",
        timeout Timeout "innermost: an attempt given up is a failure to the breaker and a known end to the meter."
    ]
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
